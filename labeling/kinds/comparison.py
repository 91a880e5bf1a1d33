"""Raters rank the responses to a prompt."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from knobs.fields import Problem, knob
from labeling.kinds.choices import Answer, Kind
from labeling.kinds.settings import CampaignSettings

RESPONSES = range(2, 10)


@dataclass(frozen=True, kw_only=True)
class RankingSettings(CampaignSettings):
    """What every kind asks whose answer is a ranking."""

    answer = Answer.COMPARISON
    desk = "labeling/desk/answer/_compare.html"
    shapes = (
        "preferences",
        "implicit",
        "unpaired",
        "rankings",
        "adjudicated",
        "consensus",
        "rating_consensus",
        "prompts",
        "stepwise",
        "label_studio",
        "argilla",
    )

    asks_strength: bool = knob(
        False,
        _("ask for strength of preference"),
        _(
            "Negligibly, slightly, clearly or significantly, comparing the best response with the"
            " next."
        ),
        while_open=True,
        api="Comparisons and conversations only.",
    )
    asks_reason: bool = knob(
        True,
        _("ask for a reason"),
        _("Shows a text field for the reason. It is optional, except when all responses are bad."),
        while_open=True,
        api="Comparisons and conversations only.",
    )


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings(RankingSettings):
    kind = Kind.COMPARISON
    label = Kind.COMPARISON.label
    usual_overlap = 3  # one comparison per item would leave agreement unknown
    compares_stored = True

    n_responses: int | None = knob(
        None,
        _("responses per item"),
        _("Comparisons only, from 2 to 9."),
        min=RESPONSES.start,
        max=RESPONSES.stop - 1,
    )
    max_overlap: int | None = knob(
        None,
        _("maximum answers"),
        _(
            "Items on which raters disagree get another answer, up to this number. Leave empty for"
            " a fixed overlap."
        ),
        min=2,
        max=50,
        while_open=True,
        api=(
            "Comparisons only: items on which raters disagree get more answers, up to this number."
        ),
    )
    confidence: float = knob(
        0.9,
        _("Stop when this confident (%)"),
        _(
            "Average, over the item's pairs, of the probability of the most likely answer, weighted"
            " by each rater's known reliability. Two typical raters who agree reach 95, two against"
            " one 84, three against one 97."
        ),
        min=0.5,
        max=0.99,
        while_open=True,
        api="With `max_overlap`: stop when an item is this certain.",
    )
    repeat_percent: int = knob(
        0,
        _("repeated items (%)"),
        _("Shown to the same rater again later, in reversed order, to measure self-agreement."),
        min=0,
        max=30,
        api="Comparisons only: percent of items shown again in reversed order.",
    )
    gold_share: int = knob(
        0,
        _("gold share (%)"),
        _("Share of a rater's items that are gold items. 0 turns gold items off."),
        min=0,
        max=50,
        api="Percent of a rater's items that are gold items. 0 for none.",
    )
    gold_tolerance: int = knob(
        75,
        _("matching pairs needed (%)"),
        _(
            "A ranking passes when it orders at least this share of the gold item's decided pairs"
            " the same way."
        ),
        min=51,
        max=100,
        api="Percent of a gold item's pairs that a ranking must match.",
    )
    gold_min: int = knob(
        5,
        _("minimum gold items"),
        _("No warnings or pauses before this many."),
        min=3,
        max=100,
        api="No warnings or pauses before this many gold items.",
    )
    gold_warn_below: int = knob(
        70,
        _("warn below (%)"),
        _("Notifies raters whose share of passed gold items is below this. 0 turns warnings off."),
        min=0,
        max=100,
        api="Warn raters who pass a lower percentage. 0 for never.",
    )
    gold_pause_below: int = knob(
        60,
        _("pause below (%)"),
        _(
            "Pauses raters whose share of passed gold items is below this, including the upper end"
            " of its interval (95 %). 0 turns pausing off."
        ),
        min=0,
        max=100,
        api="Pause raters who pass a lower percentage. 0 for never.",
    )
    gold_feedback: bool = knob(
        False,
        _("show raters their gold results"),
        _("Shown under My work after they answer: the right ranking, the reason and their score."),
        api="Show raters how they did on gold items after they answer.",
    )

    def problems(self) -> Iterator[Problem]:
        if self.n_responses not in RESPONSES:
            yield Problem(
                "n_responses", _("Enter how many responses a rater compares, from 2 to 9.")
            )
        if self.max_overlap is not None and self.overlap < 2:
            yield Problem(
                "", _("Agreement needs at least two answers. Set the overlap to 2 or more.")
            )
        elif self.max_overlap is not None and self.max_overlap <= self.overlap:
            yield Problem("", _("Maximum answers must be higher than the overlap."))
        yield from super().problems()
