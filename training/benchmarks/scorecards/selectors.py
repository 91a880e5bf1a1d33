"""Scorecards: what models scored on suites, and how far they differ from a baseline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.db.models import QuerySet
from django.utils.functional import Promise

from training.benchmarks.scorecards import pairs
from training.benchmarks.statistics import differences, holm
from training.benchmarks.statistics.differences import Difference
from training.models import Suite, SuiteScore, TrainedModel

N_BASELINES = 50
N_COMPARED = 6
LEVEL = 0.05
_WRITTEN = (Suite.Kind.GENERATE, Suite.Kind.FLIP)
_SETTINGS = ("temperature", "max_new_tokens")
"""What changes a written answer besides the model."""


class Outcome(StrEnum):
    """What a comparison with the baseline says."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "cannot be told apart"
    TOO_FEW = "too few"
    OTHER_SCORER = "other scorer"
    NO_COMMON_ITEMS = "no common items"


@dataclass(frozen=True)
class Verdict:
    """A model beside the baseline on one suite. `p` is Holm's, over the suites that could be
    tested; the difference's own `p` is not corrected.
    """

    outcome: Outcome
    difference: Difference | None = None
    p: float | None = None
    has_other_settings: bool = False
    """the two models wrote their answers with different settings"""

    @property
    def is_tested(self) -> bool:
        return self.p is not None


@dataclass(frozen=True)
class Cell:
    """A model on a suite. `beside`: by other scorers and by people. `verdict` is None for the
    baseline itself, and where either has no score.
    """

    model: TrainedModel
    score: SuiteScore | None
    beside: Sequence[SuiteScore] = ()
    verdict: Verdict | None = None

    @property
    def n_overlapping(self) -> int:
        """Items of the suite that stand in the model's training data."""
        n: int = self.score.details.get("overlap", {}).get("n", 0) if self.score else 0
        return n


@dataclass(frozen=True)
class Line:
    """A suite with a cell for each model."""

    suite: Suite
    cells: Sequence[Cell]

    @property
    def first(self) -> Cell:
        return self.cells[0]


@dataclass(frozen=True)
class Scorecard:
    models: Sequence[TrainedModel]
    baseline: TrainedModel | None
    lines: Sequence[Line] = field(default_factory=list)

    @property
    def areas(self) -> list[tuple[str, str | Promise, list[Line]]]:
        """(area, its label, lines), in the order of Suite.Area."""
        sections = [
            (area.value, area.label, [line for line in self.lines if line.suite.area == area])
            for area in Suite.Area
        ]
        return [(area, label, lines) for area, label, lines in sections if lines]

    def within(self, area: str) -> "Scorecard":
        """With this area's suites only; "" keeps all."""
        lines = [line for line in self.lines if area in ("", line.suite.area)]
        return replace(self, lines=lines)

    def verdicts(self, model: TrainedModel) -> list[Verdict]:
        return [
            cell.verdict
            for line in self.lines
            for cell in line.cells
            if cell.model == model and cell.verdict is not None
        ]


def scorecard(*, models: Sequence[TrainedModel], baseline: TrainedModel | None = None) -> Scorecard:
    """The current scores of these models on every suite that one of them has answered, with the
    differences to the baseline.
    """
    everybody = [*models, *([baseline] if baseline else [])]
    current = _current(everybody)
    lines = []
    verdicts = {
        model.pk: _verdicts(current, model, baseline)
        for model in models
        if baseline is not None and model != baseline
    }
    answered = {suite for pk, suite in current if pk in {model.pk for model in models}}
    for suite in _in_order({current[key][0].suite for key in current if key[1] in answered}):
        cells = [
            _cell(model, current.get((model.pk, suite.pk), []), verdicts.get(model.pk, {}))
            for model in models
        ]
        lines.append(Line(suite, cells))
    return Scorecard(models, baseline, lines)


def _current(models: Iterable[TrainedModel]) -> dict[tuple[int, int], list[SuiteScore]]:
    """(model, suite) → its current scores; the one that stands for the suite comes first."""
    rows = SuiteScore.objects.filter(model__in=list(models), is_current=True)
    by_cell: dict[tuple[int, int], list[SuiteScore]] = {}
    for row in rows.select_related("suite", "run").order_by("-is_main", "scorer"):
        by_cell.setdefault((row.model_id, row.suite_id), []).append(row)
    return {key: scores for key, scores in by_cell.items() if scores[0].is_main}


def _in_order(suites: Iterable[Suite]) -> list[Suite]:
    areas = list(Suite.Area.values)
    return sorted(
        suites, key=lambda suite: (areas.index(suite.area), suite.name, suite.version, suite.pk)
    )


def _cell(
    model: TrainedModel, scores: Sequence[SuiteScore], verdicts: Mapping[int, Verdict]
) -> Cell:
    if not scores:
        return Cell(model, None)
    return Cell(model, scores[0], scores[1:], verdicts.get(scores[0].suite_id))


def _verdicts(
    scores_of: Mapping[tuple[int, int], Sequence[SuiteScore]],
    model: TrainedModel,
    baseline: TrainedModel | None,
) -> dict[int, Verdict]:
    """suite → verdict, for the suites that both have answered."""
    assert baseline is not None
    both = [
        (scores[0], scores_of[baseline.pk, suite][0])
        for (pk, suite), scores in scores_of.items()
        if pk == model.pk and (baseline.pk, suite) in scores_of
    ]
    alike = [(ours, theirs) for ours, theirs in both if ours.scorer == theirs.scorer]
    verdicts = {
        ours.suite_id: replace(verdict, has_other_settings=_has_other_settings(ours, theirs))
        for (ours, theirs), verdict in zip(alike, judged(pairs.compared(alike)), strict=True)
    }
    unlike = {ours.suite_id: Verdict(Outcome.OTHER_SCORER) for ours, _theirs in both}
    return unlike | verdicts


def judged(measured: Sequence[Difference | None]) -> list[Verdict]:
    """Of one model beside the baseline, suite by suite, with p-values corrected for all of them."""
    ps = holm.adjusted([difference.p if difference else None for difference in measured])
    return [
        Verdict(_outcome(difference, p), difference, p)
        for difference, p in zip(measured, ps, strict=True)
    ]


def _has_other_settings(ours: SuiteScore, theirs: SuiteScore) -> bool:
    """Whether answers were sampled differently or cut at another length."""
    if ours.suite.kind not in _WRITTEN:
        return False
    return any(ours.run.config.get(name) != theirs.run.config.get(name) for name in _SETTINGS)


def _outcome(difference: Difference | None, p: float | None) -> Outcome:
    if difference is None:
        return Outcome.NO_COMMON_ITEMS
    if p is None or difference.method == differences.TOO_FEW:
        return Outcome.TOO_FEW
    if p >= LEVEL:
        return Outcome.SAME
    return Outcome.BETTER if difference.difference > 0 else Outcome.WORSE


def baselines(*, model: TrainedModel) -> list[TrainedModel]:
    """Models to compare it with, newest first: they answered a suite that it has answered too."""
    shown = SuiteScore.objects.filter(is_main=True, is_current=True)
    suites = shown.filter(model=model).values("suite")
    others = shown.filter(suite__in=suites).exclude(model=model).values("model")
    return list(TrainedModel.objects.filter(pk__in=others).order_by("-pk")[:N_BASELINES])


def baseline_of(
    *, model: TrainedModel, offered: Sequence[TrainedModel], asked: int | None = None
) -> TrainedModel | None:
    """The offered model with this id; else its parent, if that one is offered."""
    by_pk = {candidate.pk: candidate for candidate in offered}
    return by_pk.get(asked) or by_pk.get(model.parent_id) if by_pk else None  # type: ignore[arg-type]


def models_with_scores(*, area: str = "") -> QuerySet[TrainedModel]:
    """Newest first."""
    shown = SuiteScore.objects.filter(is_main=True, is_current=True)
    if area:
        shown = shown.filter(suite__area=area)
    return TrainedModel.objects.filter(pk__in=shown.values("model")).order_by("-pk")


def suites_with_scores(*, area: str = "") -> list[Suite]:
    """In the order of their areas."""
    shown = SuiteScore.objects.filter(is_main=True, is_current=True)
    suites = Suite.objects.filter(pk__in=shown.values("suite"))
    return _in_order(suites.filter(area=area) if area else suites)


def cells(
    *, models: Iterable[TrainedModel], suites: Iterable[Suite]
) -> dict[tuple[int, int], SuiteScore]:
    """(model, suite) → current score, without what the page of all models does not show."""
    shown = SuiteScore.objects.filter(
        is_main=True, is_current=True, model__in=list(models), suite__in=list(suites)
    ).defer("details")
    return {(score.model_id, score.suite_id): score for score in shown}


def models_compared(*, pks: Iterable[int]) -> list[TrainedModel]:
    """The models with these ids, in this order; at most N_COMPARED. Unknown ids are skipped."""
    wanted = list(dict.fromkeys(pks))[:N_COMPARED]
    models = TrainedModel.objects.in_bulk(wanted)
    return [models[pk] for pk in wanted if pk in models]


def models_to_compare(*, beside: Sequence[TrainedModel]) -> list[TrainedModel]:
    """Models to add to a comparison, newest first: with a common suite, once one is chosen."""
    models = models_with_scores()
    if beside:
        shown = SuiteScore.objects.filter(is_main=True, is_current=True)
        suites = shown.filter(model__in=beside).values("suite")
        models = models.filter(pk__in=shown.filter(suite__in=suites).values("model"))
    return list(models.exclude(pk__in=[model.pk for model in beside])[:N_BASELINES])
