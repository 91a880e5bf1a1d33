"""Scores of single items, and the differences between two models that follow from them.

Only like is compared with like: the same version of a suite, the same scorer and version, and the
items that both models answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.core.cache import cache

from training.benchmarks.scorecards.summary import cluster_numbers
from training.benchmarks.statistics import differences
from training.benchmarks.statistics.differences import Difference
from training.models import AnswerScore, SuiteScore

WITHOUT_BOUNDS = ("reward",)
"""Scorers whose values are not between 0 and 1."""
_CACHED_S = 7 * 24 * 3600
_FORM = 3
"""Goes up when a cached difference would no longer be computed in the same way."""


@dataclass(frozen=True)
class ItemScores:
    """item → value, and item → cluster, by one scorer in one run."""

    values: Mapping[int, float]
    clusters: Mapping[int, str]


Key = tuple[int, int, str]
"""(run, suite, scorer)"""


PEOPLE = "people"
"""A stored score of raters names it with the id of the RatedSuite, as “people 7”: one run may be
compared with several."""


def is_share(scorer: str) -> bool:
    """Whether this scorer's values lie between 0 and 1. `scorer` has its version: “refusal 1”."""
    return scorer.rpartition(" ")[0] not in WITHOUT_BOUNDS


def key_of(score: SuiteScore) -> Key:
    return score.run_id, score.suite_id, score.scorer


def item_scores(scores: Iterable[SuiteScore]) -> dict[Key, ItemScores]:
    """The single scores behind these, in one query."""
    wanted = {key_of(score) for score in scores}
    if not wanted:
        return {}
    answer_scores = AnswerScore.objects.filter(
        answer__run__in={run for run, _suite, _scorer in wanted},
        answer__item__suite__in={suite for _run, suite, _scorer in wanted},
        scorer__in={scorer for _run, _suite, scorer in wanted},
    ).order_by("answer__item__position")
    rows = answer_scores.values_list(
        "answer__run_id",
        "answer__item__suite_id",
        "scorer",
        "answer__item_id",
        "answer__item__cluster",
        "value",
    )
    values: dict[Key, dict[int, float]] = {key: {} for key in wanted}
    clusters: dict[Key, dict[int, str]] = {key: {} for key in wanted}
    for run, suite, scorer, item, cluster, value in rows.iterator(5000):
        key = (run, suite, scorer)
        if key in values:
            values[key][item] = value
            clusters[key][item] = cluster
    return {key: ItemScores(values[key], clusters[key]) for key in wanted}


def compared(
    pairs: Sequence[tuple[SuiteScore, SuiteScore]],
) -> list[Difference | None]:
    """Ours minus theirs for each pair of scores on one suite by one scorer. None if no item was
    answered by both.

    Scores of a run do not change unless it is scored again, so differences are cached.
    """
    names = [_name(ours, theirs) for ours, theirs in pairs]
    known = cache.get_many(names)
    new = [(name, pair) for name, pair in zip(names, pairs, strict=True) if name not in known]
    items = item_scores(difference for _name, pair in new for difference in pair)
    computed = {name: _difference(items, *pair) for name, pair in new}
    if computed:
        stored = {
            name: asdict(difference) if difference else None
            for name, difference in computed.items()
        }
        cache.set_many(stored, _CACHED_S)
    read = {name: Difference(**value) if value else None for name, value in known.items()}
    return [computed[name] if name in computed else read[name] for name in names]


def _name(ours: SuiteScore, theirs: SuiteScore) -> str:
    sides = "-".join(f"{score.pk}.{score.computed_at.timestamp():.3f}" for score in (ours, theirs))
    return f"scorecard-{_FORM}-{sides}"


def _difference(
    items: Mapping[Key, ItemScores], ours: SuiteScore, theirs: SuiteScore
) -> Difference | None:
    mine, other = items[key_of(ours)], items[key_of(theirs)]
    both = [item for item in mine.values if item in other.values]
    return differences.compare(
        [mine.values[item] for item in both],
        [other.values[item] for item in both],
        cluster_numbers([(item, mine.clusters[item]) for item in both]),
        is_share=is_share(ours.scorer),
    )
