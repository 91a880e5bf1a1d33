"""Answers of benchmark runs are stored once, and scored without guessing what is missing."""

import pytest

from accounts.models import User
from arithmetic import intervals
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import services
from training.models import AnswerScore, BenchmarkAnswer, SuiteScore, TrainedModel

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(noor: User) -> TrainedModel:
    return cast.a_model(noor)


def test_an_answer_sent_twice_is_stored_once(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=3)
    run = rows.a_benchmark(model, [suite], by=noor)
    lines = rows.chosen(suite, [True, False, True])

    for _time in range(2):
        assert services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    assert BenchmarkAnswer.objects.filter(run=run).count() == 3


def test_an_attempt_that_is_over_stores_nothing(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=2)
    run = rows.a_benchmark(model, [suite], by=noor)
    lines = rows.chosen(suite, [True, True])

    assert not services.store_answers(run_id=run.pk, attempt=2, rows=lines, now=rows.NOW)

    assert not BenchmarkAnswer.objects.exists()


def test_what_no_database_can_hold_is_left_out_of_an_answer(
    noor: User, model: TrainedModel
) -> None:
    suite = rows.a_suite(n=1)
    run = rows.a_benchmark(model, [suite], by=noor)
    line = rows.chosen(suite, [True])[0] | {
        "text": "one\0two",
        "values": {"reward": float("nan"), "n": 1.0},
    }

    services.store_answers(run_id=run.pk, attempt=1, rows=[line], now=rows.NOW)

    answer = BenchmarkAnswer.objects.get()
    assert answer.text == "one\ufffdtwo"
    assert answer.values == {"n": 1.0}


def test_a_missing_answer_is_counted_and_not_scored_as_wrong(
    noor: User, model: TrainedModel
) -> None:
    suite = rows.a_suite(n=20)
    run = rows.a_benchmark(model, [suite], by=noor)
    lines = rows.chosen(suite, [True] * 12 + [False] * 4)
    lines[0] = {"item": lines[0]["item"], "missing": "The prompt is longer than the model takes."}
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    score = rows.ended(run).get(is_main=True)

    assert (score.n, score.n_missing) == (15, 1)
    assert score.details["n_not_reached"] == 4
    assert score.score == pytest.approx(11 / 15)
    assert (score.low, score.high) == pytest.approx(
        intervals.of_votes([1.0] * 11 + [0.0] * 4, list(range(15)))
    )


def test_categories_and_clusters_are_in_the_details(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=20, clusters=7)

    score = rows.scored(model, suite, [True, False] * 10, by=noor)

    assert score.details["n_clusters"] == 7
    assert score.details["by_category"]["even"]["score"] == 1.0
    assert score.details["by_category"]["even"]["low"] < 1.0
    assert score.details["by_category"]["odd"]["n"] == 10


def test_fewer_than_five_clusters_have_no_interval(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=20, clusters=4)

    score = rows.scored(model, suite, [True] * 20, by=noor)

    assert (score.score, score.low, score.high) == (1.0, None, None)


def test_an_endpoint_without_likelihoods_is_scored_by_its_text(
    noor: User, model: TrainedModel
) -> None:
    suite = rows.a_suite(n=6)
    run = rows.a_benchmark(model, [suite], by=noor)
    pks = suite.items.order_by("position").values_list("pk", flat=True)
    lines = [{"item": pk, "text": "A"} for pk in pks]
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    score = rows.ended(run).get(is_main=True)

    assert score.scorer.startswith("choice_in_text")
    assert score.n == 6


def test_scores_of_the_newest_run_are_the_current_ones(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=6)
    newer = rows.scored(model, suite, [True] * 6, by=noor, hours=2)

    older = rows.scored(model, suite, [False] * 6, by=noor, hours=1)

    shown = SuiteScore.objects.filter(is_current=True, is_main=True)
    assert [one.pk for one in shown] == [newer.pk]
    assert not SuiteScore.objects.get(pk=older.pk).is_current


def test_a_stopped_run_does_not_replace_a_complete_one(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=6)
    complete = rows.scored(model, suite, [True] * 6, by=noor)
    run = rows.a_benchmark(model, [suite], by=noor)
    services.store_answers(run_id=run.pk, attempt=1, rows=rows.chosen(suite, [False]), now=rows.NOW)

    rows.ended(run, hours=3, outcome="stopped")

    assert SuiteScore.objects.get(is_current=True, is_main=True).pk == complete.pk


def test_a_run_of_some_items_does_not_replace_one_of_all(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=20)
    complete = rows.scored(model, suite, [True] * 20, by=noor)
    run = rows.a_benchmark(model, [suite], by=noor, config={"max_items": 8})
    lines = rows.chosen(suite, [False] * 8)
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    rows.ended(run, hours=3)

    assert SuiteScore.objects.get(is_current=True, is_main=True).pk == complete.pk


def test_a_run_scored_twice_has_each_score_once(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=6)
    first = rows.scored(model, suite, [True] * 6, by=noor)

    services.score_run(run=first.run, now=rows.NOW)

    assert SuiteScore.objects.filter(is_main=True).count() == 1
    assert AnswerScore.objects.filter(scorer=first.scorer).count() == 6


def test_a_reward_model_shows_its_calibration_and_taste_for_length(noor: User) -> None:
    model = cast.a_model(noor, "judge", kind="reward")
    suite = rows.a_suite(
        "pairs",
        n=10,
        kind="pairs",
        scorer="preferred",
        area="reward",
        content={"better": "short", "worse": "a longer one"},
    )
    run = rows.a_benchmark(model, [suite], by=noor)
    lines = [
        {"item": item.pk, "values": {"better": 2.0, "worse": worse, "by": "reward"}}
        for item, worse in zip(suite.items.all(), [1.0] * 8 + [3.0] * 2, strict=True)
    ]
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    score = rows.ended(run).get(is_main=True)

    assert score.score == pytest.approx(0.8)
    # sigmoid(1) = .731 where .8 are right; sigmoid(1 / T) = .8 at T = 1 / ln 4.
    assert score.details["calibration"]["ece"] == pytest.approx(0.8 - 0.7310586)
    assert score.details["calibration"]["temperature"] == pytest.approx(0.7213475, rel=1e-4)
    assert score.details["calibration"]["ece_after"] == pytest.approx(0, abs=1e-4)
    assert score.details["length_correlation"] == pytest.approx(-0.6)


def test_items_that_a_run_was_not_to_ask_are_not_missing(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=20)
    run = rows.a_benchmark(model, [suite], by=noor, config={"max_items": 8})
    lines = rows.chosen(suite, [True] * 8)
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    score = rows.ended(run).get(is_main=True)

    assert (score.n, score.n_missing, score.details["n_not_reached"]) == (8, 0, 0)


def test_a_dry_run_shows_nothing(noor: User, model: TrainedModel) -> None:
    suite = rows.a_suite(n=6)
    run = rows.a_benchmark(model, [suite], by=noor, is_dry=True)
    lines = rows.chosen(suite, [True] * 2)
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=rows.NOW)

    assert not rows.ended(run).filter(is_current=True).exists()
