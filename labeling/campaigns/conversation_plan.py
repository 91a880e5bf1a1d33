"""What a conversation campaign asks for, before it is stored: turns, opening, and the sources that
may be drawn.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from labeling.models import Campaign, ConversationPlan, ConversationSource, Source

ANSWERS = range(2, 5)
TURNS = range(1, 51)
TOKENS = range(1, 4097)


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
    top_p: float = 0.95


@dataclass(frozen=True)
class Plan:
    shares: Sequence[SourceShare]
    settings: Settings = Settings()

    def problem(self, *, n_answers: int | None) -> str:
        """Why nobody could hold such a conversation, in a sentence; empty if they could."""
        settings = self.settings
        if n_answers not in ANSWERS:
            return _("Enter how many answers a rater compares each turn, from 2 to 4.")
        if not self.shares:
            return _("Choose at least one model to talk with.")
        if any(share.source.kind != Source.Kind.MODEL for share in self.shares):
            return _("Only models can answer in a conversation.")
        if len({share.source.pk for share in self.shares}) < len(self.shares):
            return _("A model is chosen twice. Give it a higher weight instead.")
        if any(share.weight <= 0 or not 0 <= share.temperature <= 2 for share in self.shares):
            return _("A weight must be above 0, and a temperature from 0 to 2.")
        if settings.min_turns not in TURNS or settings.max_turns not in TURNS:
            return _("A conversation has from 1 to 50 turns.")
        if settings.min_turns > settings.max_turns:
            return _("Maximum turns must not be lower than minimum turns.")
        if settings.max_new_tokens not in TOKENS or not 0 < settings.top_p <= 1:
            return _("A response has from 1 to 4,096 tokens, and top-p is above 0 and at most 1.")
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
