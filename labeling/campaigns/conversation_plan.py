"""What a conversation campaign asks for, before it is stored: its settings, and the sources that
may be drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from knobs.fields import knobs_of
from labeling.kinds.conversation import TalkSettings
from labeling.models import Campaign, ConversationPlan, ConversationSource, Source

CHANGEABLE = tuple(knob.name for knob in knobs_of(TalkSettings) if knob.while_open)
"""What may change while a campaign is running. Answers were drawn by everything else."""


@dataclass(frozen=True)
class SourceShare:
    """A source that may be drawn: how often, against the others, and how it samples."""

    source: Source
    weight: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Plan:
    shares: Sequence[SourceShare]
    settings: TalkSettings = TalkSettings()

    def problem(self) -> str:
        """Why nobody could hold such a conversation, in a sentence; empty if they could."""
        return self._problem_of_shares() or self.settings.problem()

    def _problem_of_shares(self) -> str:
        if not self.shares:
            return _("Choose at least one model to talk with.")
        seen: set[int] = set()
        for share in self.shares:
            about = {"name": share.source.name, "n": f"{share.weight:g}"}
            if share.source.kind != Source.Kind.MODEL:
                return _("“%(name)s” is not a model. Only models can answer.") % about
            if share.source.pk in seen:
                return _("“%(name)s” is chosen twice. Give it a higher weight instead.") % about
            if share.weight <= 0:
                return _("The weight of “%(name)s” is %(n)s. It must be above 0.") % about
            if not 0 <= share.temperature <= 2:
                return _("The temperature of “%(name)s” is %(n)s. It must be from 0 to 2.") % {
                    **about,
                    "n": f"{share.temperature:g}",
                }
            seen.add(share.source.pk)
        return ""

    def store(self, *, campaign: Campaign) -> ConversationPlan:
        plan = ConversationPlan.objects.create(campaign=campaign, **asdict(self.settings))
        ConversationSource.objects.bulk_create(
            ConversationSource(
                plan=plan,
                source=share.source,
                weight=share.weight,
                temperature=share.temperature,
            )
            for share in self.shares
        )
        return plan


def changed(plan: ConversationPlan, *, values: Mapping[str, object]) -> dict[str, object]:
    """Those of CHANGEABLE that differ in `values`. Raises ValueError with a sentence when nobody
    could hold such a conversation.
    """
    new_values = {
        name: values[name]
        for name in CHANGEABLE
        if name in values and values[name] != getattr(plan, name)
    }
    stored = {name: getattr(plan, name) for name in asdict(TalkSettings())}
    if problem := TalkSettings(**stored | new_values).problem():
        raise ValueError(problem)
    return new_values
