"""Raters talk with models: each turn they rank the answers, and the best goes on. Red teaming is a
conversation whose topics are attack briefs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from knobs.fields import Problem, knob
from labeling.kinds.choices import Draw, Kind, Opening
from labeling.kinds.comparison import RankingSettings
from labeling.kinds.units import CONVERSATIONS

ANSWERS = range(2, 5)
TURNS = range(1, 51)
TOKENS = range(1, 4097)


@dataclass(frozen=True, kw_only=True)
class ConversationSettings(RankingSettings):
    """Of the campaign's own row. TalkSettings has the rest."""

    kind = Kind.CONVERSATION
    label = Kind.CONVERSATION.label
    shares_items = False
    talks = True
    unit = CONVERSATIONS

    n_responses: int | None = knob(
        None,
        _("Answers per turn"),
        _(
            "Raters rank them. If you ask for strength of preference, two are compared in eight"
            " steps. The conversation goes on with the best."
        ),
        min=ANSWERS.start,
        max=ANSWERS.stop - 1,
    )

    def problems(self) -> Iterator[Problem]:
        if self.n_responses not in ANSWERS:
            yield Problem(
                "n_responses", _("Enter how many answers a rater compares each turn, from 2 to 4.")
            )
        yield from super().problems()


@dataclass(frozen=True)
class TalkSettings:
    """What a conversation asks for besides its models. Each is a column of ConversationPlan."""

    brief: str = knob(
        "",
        _("Brief"),
        _("What raters should try to reach. They read it during the conversation."),
        max=2_000,
        while_open=True,
        api="What raters should try to reach.",
    )
    opening: Opening = knob(Opening.PROMPT, _("First message"), "")
    draws: Draw = knob(
        Draw.CONVERSATION,
        _("Models are drawn"),
        _(
            "Once per conversation, a rater talks with the same models throughout. Sides are"
            " reshuffled every turn."
        ),
        api="When models are drawn.",
    )
    min_turns: int = knob(
        3,
        _("Minimum turns"),
        _("A rater can finish after this many rated turns."),
        min=TURNS.start,
        max=TURNS.stop - 1,
        while_open=True,
        api="Turns to rate before it can be finished.",
    )
    max_turns: int = knob(
        6,
        _("Maximum turns"),
        _("After this many turns, the conversation ends."),
        min=TURNS.start,
        max=TURNS.stop - 1,
        while_open=True,
    )
    max_new_tokens: int = knob(
        512,
        _("Maximum tokens per answer"),
        _("A longer answer is cut off. Raters wait for the slowest one."),
        min=TOKENS.start,
        max=TOKENS.stop - 1,
        api="Maximum length of an answer.",
    )
    rates_end: bool = knob(
        False,
        _("Ask the rating form at the end as well"),
        _(
            "The guideline's questions are asked for each answer, every turn. At the end they are"
            " asked once more, about the whole conversation."
        ),
        while_open=True,
        api="Ask the guideline's questions about the whole conversation at the end, too.",
    )
    top_p: float = knob(0.95, _("Top-p"), "", min=0.01, max=1)

    def for_attacks(self) -> Self:
        """For red teaming: raters write the first message about a brief, and may stop after any
        turn.
        """
        return replace(self, opening=Opening.FREE, min_turns=1, brief="")

    def problem(self) -> str:
        """Why they fit no conversation, in a sentence; empty if they do."""
        for n in (self.min_turns, self.max_turns):
            if n not in TURNS:
                return gettext("%(n)s turns: a conversation has from 1 to 50.") % {"n": n}
        if self.min_turns > self.max_turns:
            return gettext(
                "Maximum turns (%(most)s) must not be lower than minimum turns (%(least)s)."
            ) % {"most": self.max_turns, "least": self.min_turns}
        if self.max_new_tokens not in TOKENS:
            return gettext("%(n)s tokens: an answer has from 1 to 4,096.") % {
                "n": self.max_new_tokens
            }
        if not 0 < self.top_p <= 1:
            return gettext("Top-p is %(n)s. It must be above 0 and at most 1.") % {"n": self.top_p}
        return ""
