"""Indicators of the quality of a campaign's demonstrations: scores, overridden warnings, and how
they were written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import Length

from arithmetic import intervals
from arithmetic.bias.writing import SameTexts, pasting, same_texts
from arithmetic.figures import Figure
from labeling.models import Campaign, Judgment
from labeling.votes import counting


def pasted_share_of(presentation: Mapping[str, object]) -> float | None:
    """Share of pasted characters in the editor; None if the page recorded none."""
    typing = presentation.get("typing") or {}
    typed, pasted = count_of(typing, "typed"), count_of(typing, "pasted")
    total = (typed or 0) + (pasted or 0)
    return (pasted or 0) / total if total else None


def count_of(typing: object, name: str) -> int | None:
    """A count sent by a browser, if it is a number."""
    value = typing.get(name) if isinstance(typing, Mapping) else None
    return int(value) if isinstance(value, int | float) and value >= 0 else None


N_LATEST = 2_000
"""Writers are compared by this many of their latest demonstrations."""


LEAST_ANSWERS, LEAST_WRITERS = 5, 5


FAR_OFF = 3.5
LOWEST, HIGHEST = 1, 7
"""reviewers' scores"""


_NO_SCORE = Figure(None, 0)


@dataclass(frozen=True)
class DemonstrationStats:
    n: int
    n_scored: int
    mean_score: float | None
    """from 1 to 7"""
    n_warned: int
    """submitted despite a warning: too short or long, faster than reading, or a constraint not
    met
    """
    score: Figure = _NO_SCORE
    """the mean of the latest reviewers' scores with its interval, by prompt"""


@dataclass(frozen=True)
class WriterStats:
    """How one rater writes, as medians over their latest demonstrations; None if their page
    recorded nothing.
    """

    n: int
    per_minute: float | None
    """characters of the answer per minute of active time"""
    pasted_share: float | None
    is_fast: bool = False
    pastes: bool = False
    same: SameTexts | None = None
    """texts that equal another writer's"""


def written(*, campaign: Campaign) -> DemonstrationStats:
    counted = counting.counts(with_extra=True)
    judgments = Judgment.of_people.filter(
        counted, campaign=campaign, kind=Judgment.Kind.DEMONSTRATION
    )
    row = judgments.aggregate(
        n=Count("pk"),
        n_scored=Count("review__score"),
        mean_score=Avg("review__score"),
        n_warned=Count("pk", filter=~Q(warnings=[])),
    )
    return DemonstrationStats(**row, score=_score(judgments))


def _score(judgments: QuerySet[Judgment]) -> Figure:
    reviewed = judgments.filter(review__score__isnull=False).order_by("-pk")
    rows = list(reviewed.values_list("review__score", "prompt_id")[:N_LATEST])
    scores = [float(score) for score, _prompt in rows if score is not None]
    ends = intervals.of_mean(scores, [prompt for _score, prompt in rows])
    if ends is None:
        return Figure(None, len(rows))
    return Figure(fmean(scores), len(rows), max(ends[0], LOWEST), min(ends[1], HIGHEST))


def writers(*, campaign: Campaign) -> dict[int, WriterStats]:
    """By rater. Raters far above the others are marked, once there are enough of both; a mark
    proves nothing.
    """
    counted = counting.counts(with_extra=True)
    latest = campaign.judgments.filter(counted, kind=Judgment.Kind.DEMONSTRATION).order_by("-pk")
    rows = latest.values_list(
        "rater_id", "active_s", "presentation", Length("demonstration__text")
    )[:N_LATEST]
    texts = latest.values_list("rater_id", "prompt_id", "demonstration__text")[:N_LATEST]
    same = same_texts(row for row in texts if row[1] is not None)
    paces: dict[int, list[float]] = {}
    shares: dict[int, list[float]] = {}
    counts: dict[int, int] = {}
    for rater_id, active_s, presentation, n_characters in rows:
        counts[rater_id] = counts.get(rater_id, 0) + 1
        if active_s and n_characters:
            paces.setdefault(rater_id, []).append(60 * n_characters / active_s)
        if (share := pasted_share_of(presentation)) is not None:
            shares.setdefault(rater_id, []).append(share)
    pace = {rater_id: median(values) for rater_id, values in paces.items()}
    pasted = {rater_id: median(values) for rater_id, values in shares.items()}
    known = [rater_id for rater_id, n in counts.items() if n >= LEAST_ANSWERS]
    fast = far_above({rater_id: pace[rater_id] for rater_id in known if rater_id in pace})
    pastes = pasting({rater_id: pasted[rater_id] for rater_id in known if rater_id in pasted})
    return {
        rater_id: WriterStats(
            n=n,
            per_minute=pace.get(rater_id),
            pasted_share=pasted.get(rater_id),
            is_fast=rater_id in fast,
            pastes=rater_id in pastes,
            same=same.get(rater_id),
        )
        for rater_id, n in counts.items()
    }


def far_above(values: dict[int, float]) -> set[int]:
    """Raters whose modified z-score, 0.6745 (x − median) / MAD, is above 3.5 (Iglewicz and Hoaglin
    1993, How to Detect and Handle Outliers).

    If more than half have the same value, the MAD is 0, and everybody above it is far above. With
    fewer than LEAST_WRITERS, nobody is.
    """
    if len(values) < LEAST_WRITERS:
        return set()
    middle = median(values.values())
    spread = _mad(list(values.values()), middle)
    return {key for key, value in values.items() if 0.6745 * (value - middle) > FAR_OFF * spread}


def _mad(values: Sequence[float], middle: float) -> float:
    """Median absolute deviation."""
    return median(abs(value - middle) for value in values)
