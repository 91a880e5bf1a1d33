"""What a conversation campaign asks for, before it is stored: turns, opening, and the sources that
may be drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.models import Campaign, ConversationPlan, ConversationSource, Source

ANSWERS = range(2, 5)
TURNS = range(1, 51)
TOKENS = range(1, 4097)
CHANGEABLE = ("brief", "min_turns", "max_turns", "rates_end")
"""What may change while a campaign is running. Answers were drawn by everything else."""


@dataclass(frozen=True)
class SourceShare:
    """A source that may be drawn: how often, against the others, and how it samples."""

    source: Source
    weight: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Settings:
    """See the fields of ConversationPlan."""

    brief: str = ""
    opening: str = ConversationPlan.Opening.PROMPT
    draws: str = ConversationPlan.Draw.CONVERSATION
    min_turns: int = 3
    max_turns: int = 6
    max_new_tokens: int = 512
    rates_end: bool = False
    top_p: float = 0.95

    def problem(self) -> str:
        """Why they fit no conversation, in a sentence; empty if they do."""
        for n in (self.min_turns, self.max_turns):
            if n not in TURNS:
                return _("%(n)s turns: a conversation has from 1 to 50.") % {"n": n}
        if self.min_turns > self.max_turns:
            return _(
                "Maximum turns (%(most)s) must not be lower than minimum turns (%(least)s)."
            ) % {"most": self.max_turns, "least": self.min_turns}
        if self.max_new_tokens not in TOKENS:
            return _("%(n)s tokens: an answer has from 1 to 4,096.") % {"n": self.max_new_tokens}
        if not 0 < self.top_p <= 1:
            return _("Top-p is %(n)s. It must be above 0 and at most 1.") % {"n": self.top_p}
        return ""


@dataclass(frozen=True)
class Plan:
    shares: Sequence[SourceShare]
    settings: Settings = Settings()

    def problem(self, *, n_answers: int | None) -> str:
        """Why nobody could hold such a conversation, in a sentence; empty if they could."""
        if n_answers not in ANSWERS:
            return _("Enter how many answers a rater compares each turn, from 2 to 4.")
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


def changed(plan: ConversationPlan, *, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of CHANGEABLE that differ in `values`. Raises ValueError with a sentence when nobody
    could hold such a conversation.
    """
    found = {
        name: values[name]
        for name in CHANGEABLE
        if name in values and values[name] != getattr(plan, name)
    }
    stored = {name: getattr(plan, name) for name in asdict(Settings())}
    if problem := Settings(**stored | found).problem():
        raise ValueError(problem)
    return found
