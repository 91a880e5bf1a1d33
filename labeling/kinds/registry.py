"""The kinds of campaign by name."""

from knobs.fields import Knob
from labeling.kinds.comparison import ComparisonSettings
from labeling.kinds.conversation import ConversationSettings
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.kinds.settings import CampaignSettings

# A kind of campaign is its class, its template and its line here. Menus and lists use this order.
_REGISTERED: tuple[type[CampaignSettings], ...] = (
    DemonstrationSettings,
    ComparisonSettings,
    ConversationSettings,
)
KINDS: dict[str, type[CampaignSettings]] = {kind.kind: kind for kind in _REGISTERED}


def with_answer(answer: str) -> tuple[str, ...]:
    """The kinds whose judgments are such answers."""
    return tuple(name for name, kind in KINDS.items() if kind.answer == answer)


def knobs() -> tuple[Knob, ...]:
    """The settings of all kinds, each once."""
    by_name: dict[str, Knob] = {}
    for kind in KINDS.values():
        for knob in kind.knobs():
            by_name.setdefault(knob.name, knob)
    return tuple(by_name.values())


def knob_of(name: str) -> Knob:
    return next(knob for knob in knobs() if knob.name == name)


def setting_names(*, while_open: bool = False) -> tuple[str, ...]:
    """Of all kinds, each once; `while_open`: those that may change in an open campaign."""
    return tuple(knob.name for knob in knobs() if knob.while_open or not while_open)


def with_setting(name: str) -> tuple[str, ...]:
    """The kinds that have this setting."""
    return tuple(kind.kind for kind in KINDS.values() if name in kind.names())
