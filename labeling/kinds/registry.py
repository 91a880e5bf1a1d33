"""The kinds of campaign by name."""

from itertools import chain

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


def setting_names(*, while_open: bool = False) -> tuple[str, ...]:
    """The settings of all kinds, each once; `while_open`: those that may change in an open
    campaign.
    """
    names = (kind.names(while_open=while_open) for kind in KINDS.values())
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def without_setting(name: str) -> tuple[str, ...]:
    """The kinds that do not have this setting."""
    return tuple(kind for kind, settings in KINDS.items() if name not in settings.names())
