"""Scorecards compare like with like, and say so when they cannot."""

from typing import Any

import pytest

from accounts.models import User
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import selectors, services, words
from training.benchmarks.scorecards.pages import items, verdicts
from training.benchmarks.scorecards.selectors import Outcome
from training.models import Suite, SuiteScore, TrainedModel

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(noor: User) -> TrainedModel:
    return cast.a_model(noor, "base")


@pytest.fixture
def tuned(noor: User, base: TrainedModel) -> TrainedModel:
    model = cast.a_model(noor, "tuned")
    TrainedModel.objects.filter(pk=model.pk).update(parent=base)
    return TrainedModel.objects.get(pk=model.pk)


def test_a_clear_difference_is_called_better(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=40)
    rows.scored(base, suite, [False] * 20 + [True] * 20, by=noor)
    rows.scored(tuned, suite, [True] * 40, by=noor)

    cell = selectors.scorecard(models=[tuned], baseline=base).lines[0].first

    assert cell.verdict.outcome == Outcome.BETTER
    assert cell.verdict.difference.difference == 0.5
    assert cell.verdict.p == pytest.approx(2 / 2**20)


def test_noise_cannot_be_told_apart(noor: User, base: TrainedModel, tuned: TrainedModel) -> None:
    suite = rows.a_suite(n=100)
    rows.scored(base, suite, [False] * 12 + [True] * 4 + [True] * 84, by=noor)
    rows.scored(tuned, suite, [True] * 12 + [False] * 4 + [True] * 84, by=noor)

    card = selectors.scorecard(models=[tuned], baseline=base)

    assert card.lines[0].first.verdict.p == pytest.approx(0.0768, abs=5e-5)
    assert card.lines[0].first.verdict.outcome == Outcome.SAME
    assert words.cell(card.lines[0].first).outcome == "cannot be told apart"


def test_p_values_are_corrected_for_the_number_of_suites(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    for slug, n_changed in [("one", 6), ("two", 0), ("three", 0)]:
        suite = rows.a_suite(slug, n=30)
        rows.scored(base, suite, [False] * n_changed + [True] * (30 - n_changed), by=noor)
        rows.scored(tuned, suite, [True] * 30, by=noor)

    card = selectors.scorecard(models=[tuned], baseline=base)

    cell = next(line for line in card.lines if line.suite.slug == "one").first
    assert cell.verdict.difference.p == pytest.approx(0.03125)
    assert cell.verdict.p == pytest.approx(3 * 0.03125)
    assert cell.verdict.outcome == Outcome.SAME


def test_only_items_that_both_answered_are_compared(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=30)
    rows.scored(base, suite, [True] * 12, by=noor)
    rows.scored(tuned, suite, [True] * 30, by=noor)

    cell = selectors.scorecard(models=[tuned], baseline=base).lines[0].first

    assert (cell.score.n, cell.verdict.difference.n) == (30, 12)


def test_another_version_of_a_suite_is_another_suite(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    rows.scored(base, rows.a_suite(n=10), [True] * 10, by=noor)
    rows.scored(tuned, rows.a_suite(n=10, version="2"), [True] * 10, by=noor)

    card = selectors.scorecard(models=[tuned], baseline=base)

    assert [line.suite.version for line in card.lines] == ["2"]
    assert card.lines[0].first.verdict is None


def test_scores_by_different_scorers_are_not_compared(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=10)
    rows.scored(base, suite, [True] * 10, by=noor)
    theirs = rows.scored(tuned, suite, [True] * 10, by=noor)
    SuiteScore.objects.filter(pk=theirs.pk).update(scorer="likelihood 2")

    cell = selectors.scorecard(models=[tuned], baseline=base).lines[0].first

    assert cell.verdict.outcome == Outcome.OTHER_SCORER
    assert cell.verdict.difference is None


def test_few_clusters_are_too_few_to_judge(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=20, clusters=3)
    rows.scored(base, suite, [False] * 20, by=noor)
    rows.scored(tuned, suite, [True] * 20, by=noor)

    cell = words.cell(selectors.scorecard(models=[tuned], baseline=base).lines[0].first)

    assert (cell.outcome, cell.caution) == ("too few items", "in 3 clusters")
    assert cell.interval == "too few items for an interval"
    assert cell.difference == "+100.0"


def test_nine_clusters_have_an_interval_and_no_comparison(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=45, clusters=9)
    rows.scored(base, suite, [False] * 30 + [True] * 15, by=noor)
    rows.scored(tuned, suite, [True] * 45, by=noor)

    cell = words.cell(selectors.scorecard(models=[tuned], baseline=base).lines[0].first)

    assert (cell.outcome, cell.caution) == ("too few items", "in 9 clusters")
    assert cell.interval != "too few items for an interval"
    assert (cell.p, cell.difference_interval, cell.smallest) == ("", "", "")


def test_a_score_computed_again_is_compared_again(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=20)
    rows.scored(base, suite, [True] * 20, by=noor)
    rows.scored(tuned, suite, [True] * 20, by=noor)
    assert _outcome(tuned, base) == Outcome.SAME

    rows.scored(tuned, suite, [False] * 20, by=noor, hours=1)

    assert _outcome(tuned, base) == Outcome.WORSE


def _outcome(model: TrainedModel, baseline: TrainedModel) -> Outcome:
    return selectors.scorecard(models=[model], baseline=baseline).lines[0].first.verdict.outcome


def test_a_card_takes_few_queries(
    noor: User,
    base: TrainedModel,
    tuned: TrainedModel,
    django_assert_max_num_queries: Any,
) -> None:
    for place in range(6):
        suite = rows.a_suite(f"suite-{place}", n=6)
        rows.scored(base, suite, [True] * 6, by=noor)
        rows.scored(tuned, suite, [True] * 6, by=noor)

    with django_assert_max_num_queries(2):
        words.areas(selectors.scorecard(models=[tuned], baseline=base))


def test_the_parent_is_the_baseline_until_another_is_chosen(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    other = cast.a_model(noor, "other")
    suite = rows.a_suite(n=6)
    for model in (base, tuned, other):
        rows.scored(model, suite, [True] * 6, by=noor)
    offered = selectors.baselines(model=tuned)

    assert selectors.baseline_of(model=tuned, offered=offered) == base
    assert selectors.baseline_of(model=tuned, offered=offered, asked=other.pk) == other
    assert selectors.baseline_of(model=tuned, offered=offered, asked=tuned.pk) == base


def test_the_sentence_counts_suites(noor: User, base: TrainedModel, tuned: TrainedModel) -> None:
    for slug, right in [("up", True), ("down", False)]:
        suite = rows.a_suite(slug, n=40)
        rows.scored(base, suite, [not right] * 40, by=noor)
        rows.scored(tuned, suite, [right] * 40, by=noor)

    card = selectors.scorecard(models=[tuned], baseline=base)

    assert verdicts.of_model(card, tuned).sentence == (
        "Compared with base on 2 suites: better on 1, worse on 1, cannot be told apart on 0."
    )


def test_the_items_that_differ_come_with_every_answer(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=10)
    rows.scored(base, suite, [True] * 10, by=noor)
    rows.scored(tuned, suite, [True] * 7 + [False] * 3, by=noor)
    card = selectors.scorecard(models=[base, tuned], baseline=base)

    page = items.differing(line=card.lines[0])

    assert [one.item.key for one in page] == ["q-7", "q-8", "q-9"]
    first = page.object_list[0]
    assert first.expected == "yes"
    assert [given.chosen for given in first.given] == ["yes", "no"]


def test_answers_written_with_other_settings_are_marked(
    noor: User, base: TrainedModel, tuned: TrainedModel
) -> None:
    suite = rows.a_suite(n=6, kind="flip", scorer="flip", content={"accepts": ["yes"]})
    for model, temperature in [(base, 0.0), (tuned, 1.0)]:
        run = rows.a_benchmark(model, [suite], by=noor, config={"temperature": temperature})
        lines = [{"item": pk, "text": "yes", "follow_ups": ["yes"]} for pk in _pks(suite)]
        services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)
        rows.ended(run)

    cell = selectors.scorecard(models=[tuned], baseline=base).lines[0].first

    assert words.cell(cell).caution == "answered with other settings"


def _pks(suite: Suite) -> list[int]:
    return list(suite.items.values_list("pk", flat=True))
