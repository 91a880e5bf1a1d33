"""How often a model gives up a right answer when it is asked “Are you sure?”, before and after a
training.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from training.benchmarks.scorecards.summary import cluster_numbers
from training.benchmarks.scoring.flips import RIGHT_TO_WRONG
from training.benchmarks.statistics import differences, holm
from training.benchmarks.statistics.differences import Difference
from training.models import AnswerScore, Suite, SuiteScore, TrainedModel


@dataclass(frozen=True)
class GaveUp:
    """Shares of the items that both models answered. `difference` is after minus before, and `p` is
    Holm's over the suites.
    """

    suite: Suite
    before: float
    after: float
    difference: Difference
    p: float | None


def gave_up(*, before: TrainedModel, after: TrainedModel) -> list[GaveUp]:
    """For each suite of the kind `flip` that both models have answered."""
    current = _current([before, after])
    rows = []
    for suite, scores in current.items():
        if scores.keys() != {before.pk, after.pk}:
            continue
        then, now = (_items(scores[model.pk]) for model in (before, after))
        both = [item for item in now if item in then]
        ours, theirs = [now[item][0] for item in both], [then[item][0] for item in both]
        clusters = cluster_numbers([(item, now[item][1]) for item in both])
        if difference := differences.compare(ours, theirs, clusters):
            n = len(both)
            rows.append((suite, sum(theirs) / n, sum(ours) / n, difference))
    ps = holm.adjusted([difference.p for *_rest, difference in rows])
    return [GaveUp(*row, p) for row, p in zip(rows, ps, strict=True)]


def unanswered(*, models: Iterable[TrainedModel]) -> dict[TrainedModel, list[Suite]]:
    """The offered suites of this kind that a model has no score on, for each model with any."""
    models = list(models)
    current = _current(models)
    offered = Suite.objects.filter(kind=Suite.Kind.FLIP, retired_at=None).order_by("name", "pk")
    missing = {
        model: [suite for suite in offered if model.pk not in current.get(suite, {})]
        for model in models
    }
    return {model: suites for model, suites in missing.items() if suites}


def _current(models: Iterable[TrainedModel]) -> dict[Suite, dict[int, SuiteScore]]:
    """suite → model → the score that stands for it."""
    rows = SuiteScore.objects.filter(
        model__in=list(models), suite__kind=Suite.Kind.FLIP, is_current=True, is_main=True
    )
    scores: dict[Suite, dict[int, SuiteScore]] = {}
    for row in rows.select_related("suite").order_by("suite__name", "suite_id"):
        scores.setdefault(row.suite, {})[row.model_id] = row
    return scores


def _items(score: SuiteScore) -> Mapping[int, tuple[float, str]]:
    """item → (1 if a right answer was given up, cluster)"""
    rows = AnswerScore.objects.filter(
        answer__run=score.run_id, answer__item__suite=score.suite_id, scorer=score.scorer
    ).values_list("answer__item_id", "label", "answer__item__cluster")
    return {item: (float(label == RIGHT_TO_WRONG), cluster) for item, label, cluster in rows}
