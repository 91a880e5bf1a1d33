"""Win rates between the models of a line: by raters, on test prompts, clustered by prompt and rater
as a gate's. All intervals are of 95 %.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.db.models import Count

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.models import Campaign, Judgment, Prompt
from labeling.quality import contests
from labeling.votes import counting
from training.models import Link, Run, TrainedModel
from training.schedules.gate import looks, promotion
from training.schedules.gate.verdict import Check, Verdict
from training.schedules.plans.settings import PlanSettings

CONFIDENCE = 100 * (1 - intervals.ERROR)
"""In percent, of each end of an interval of 95 %"""


@dataclass(frozen=True)
class WinRate:
    """How often raters preferred a model to another one, from 0 to 1; ties are half."""

    figure: Figure
    campaign: Campaign


@dataclass(frozen=True)
class Votes:
    """Whose votes a campaign has on test prompts."""

    n_prompts: int
    n_raters: int


def at_gate(
    gate: Link, campaign: Campaign | None, new: Run | None, before: Run | None, plan: PlanSettings
) -> WinRate | None:
    """Against the model that it had to beat, as the gate saw it at its last look; None before. A
    gate that asks for another confidence has other ends, so the votes are counted again. `new` and
    `before` are the runs whose responses the campaign compares.
    """
    if not gate.verdict or campaign is None:
        return None
    seen = Verdict.from_json(gate.verdict)
    rate = next((check for check in seen.checks if check.check == Check.WIN_RATE), None)
    if rate is not None and seen.confidence == CONFIDENCE:
        figure = Figure(rate.value, rate.n, rate.low, rate.high, about=seen.about)
    else:
        # Looks share the error, so that the interval covers however many there were.
        like_all = replace(plan, confidence=CONFIDENCE)
        error = looks.error_of(like_all, max(1, len(gate.looks)))
        figure = promotion.win_rate(campaign, new, before, error)
    return None if figure.value is None else WinRate(figure, campaign)


def direct(
    model: TrainedModel, other: TrainedModel, *, undecided: Collection[int]
) -> WinRate | None:
    """From the newest campaign with votes on both models, once its raters have finished: whoever
    looks at growing votes sooner or later sees a lucky moment. `undecided` are campaigns of gates
    that are still open.
    """
    if model.source_id is None or other.source_id is None:
        return None
    both = Campaign.objects.exclude(pk__in=undecided).filter(
        pk__in=_with_responses_of(model.source_id)
    )
    for campaign in both.filter(pk__in=_with_responses_of(other.source_id)).order_by("-pk"):
        if promotion.n_missing(campaign):
            continue
        figure = contests.win_rate(
            campaign=campaign,
            source_id=model.source_id,
            other_id=other.source_id,
            split=Prompt.Split.TEST,
        )
        if figure.value is not None:
            return WinRate(figure, campaign)
    return None


def _with_responses_of(source_id: int) -> list[int]:
    """Campaigns that show responses of this source to a test prompt."""
    shown = Campaign.objects.filter(
        kind="comparison",
        items__responses__source=source_id,
        items__prompt__split=Prompt.Split.TEST,
    )
    return list(shown.order_by().distinct().values_list("pk", flat=True))


def votes_in(campaigns: Collection[int]) -> Mapping[int, Votes]:
    """By campaign: test prompts with a vote, and people who voted."""
    counted = (
        Judgment.of_people.filter(
            counting.counts(), campaign__in=campaigns, prompt__split=Prompt.Split.TEST
        )
        .order_by()
        .values("campaign")
        .annotate(n_prompts=Count("prompt", distinct=True), n_raters=Count("rater", distinct=True))
    )
    return {row["campaign"]: Votes(row["n_prompts"], row["n_raters"]) for row in counted}
