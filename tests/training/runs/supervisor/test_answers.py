"""What a benchmark's child answers is stored and scored however its attempts end, with a real child
process as a stand-in for the trainer.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import AuditEvent, User
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.conftest import NOW
from training.benchmarks.scorecards import services as scorecards_services
from training.benchmarks.suites import services as suites_services
from training.models import BenchmarkAnswer, Endpoint, Run, Suite, SuiteScore, TrainedModel
from training.processes import run_dir
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.services import UnableToRetry
from training.runs.supervisor import supervise

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Run]


@pytest.fixture
def suite() -> Suite:
    return tiny_suite("choice")


@pytest.fixture
def benchmark(
    stand_in: None, base_model: TrainedModel, suite: Suite, noor: User, settings: LazySettings
) -> Queue:
    """A queued benchmark whose child does what the script says."""

    def make(*, is_dry: bool = False, **script: Any) -> Run:
        run = run_queue.queue_run(
            kind="benchmark",
            name="Benchmark",
            config={},
            snapshot=suites_services.suites_snapshot(suites=[suite], by=noor, now=NOW),
            base_model=base_model,
            options=run_queue.RunOptions(is_dry=is_dry),
            by=noor,
            now=NOW,
        )
        folder = settings.RUNS_DIR / str(run.pk)
        folder.mkdir()
        (folder / "script.json").write_text(json.dumps(script))
        return run

    return make


def answer(pk: int, right: float, wrong: float, **more: Any) -> dict[str, Any]:
    values = {"log_likelihoods": [right, wrong], "n_tokens": [1, 1], "n_characters": [4, 3]}
    return {
        "item": pk,
        "text": "",
        "follow_ups": [],
        "values": values,
        "sampling": {},
        "is_ended": None,
        "missing": "",
    } | more


def both(suite: Suite) -> list[int]:
    return list(suite.items.order_by("position").values_list("pk", flat=True))


def supervised(run: Run) -> Run:
    supervise.supervise(run_id=run.pk, node="node-1")
    run.refresh_from_db()
    return run


def main_score(run: Run) -> SuiteScore:
    return SuiteScore.objects.get(run=run, is_main=True)


def test_answers_are_stored_and_scored_when_a_run_ends(benchmark: Queue, suite: Suite) -> None:
    one, other = both(suite)
    run = supervised(benchmark(answers=[[answer(one, -1, -2), answer(other, -1, -2)]]))

    assert run.outcome == "succeeded"
    assert BenchmarkAnswer.objects.filter(run=run).count() == 2
    score = main_score(run)
    assert (score.scorer, score.score, score.n, score.is_current) == ("likelihood 1", 0.5, 2, True)


def test_a_stopped_run_is_scored_on_what_it_answered_and_goes_on_from_there(
    benchmark: Queue, suite: Suite, noor: User, settings: LazySettings
) -> None:
    one, other = both(suite)
    run = benchmark(
        answers=[[answer(one, -1, -2)], [answer(other, -2, -1)]], n_steps=50, waits_after=1
    )
    Run.objects.filter(pk=run.pk).update(stop_requested_at=NOW)
    supervised(run)
    assert (run.outcome, main_score(run).score, main_score(run).n) == ("stopped", 1.0, 1)
    (settings.RUNS_DIR / str(run.pk) / run_dir.ANSWERS).unlink()  # as on another node

    runs_services.retry_run(run=run, by=noor, now=NOW)
    script = settings.RUNS_DIR / str(run.pk) / "script.json"
    script.write_text(script.read_text().replace('"waits_after": 1', '"waits_after": 0'))
    supervised(run)

    lines = list(run_dir.read_lines(settings.RUNS_DIR / str(run.pk) / run_dir.ANSWERS))
    assert [line["item"] for line in lines] == [one, other]
    assert lines[0] == answer(one, -1, -2)
    assert (run.outcome, main_score(run).score, main_score(run).n) == ("succeeded", 1.0, 2)


@pytest.fixture
def behind_a_server(base_model: TrainedModel) -> Endpoint:
    return Endpoint.objects.create(
        model=base_model, url="http://127.0.0.1:9/v1", served_name="served"
    )


def test_a_benchmark_that_a_busy_server_left_incomplete_asks_the_rest_and_is_scored_again(
    benchmark: Queue,
    suite: Suite,
    noor: User,
    settings: LazySettings,
    behind_a_server: Endpoint,
) -> None:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    one, other = both(suite)
    busy = answer(other, 0, 0, values={}, missing="The server was busy.")
    run = supervised(benchmark(answers=[[answer(one, -1, -2), busy], [answer(other, -2, -1)]]))
    assert (run.outcome, main_score(run).n, main_score(run).n_missing) == ("succeeded", 1, 1)

    runs_services.retry_run(run=run, by=noor, now=NOW)
    with pytest.raises(UnableToRetry):
        runs_services.retry_run(run=run, by=noor, now=NOW)
    supervised(run)

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    score = main_score(run)
    assert (score.n, score.n_missing, score.score, score.is_current) == (2, 0, 1.0, True)
    assert BenchmarkAnswer.objects.filter(run=run).count() == 2
    assert AuditEvent.objects.filter(action="retry").count() == 1
    with pytest.raises(UnableToRetry):
        runs_services.retry_run(run=run, by=noor, now=NOW)


def test_a_benchmark_of_a_model_of_ours_is_complete_as_it_is(
    benchmark: Queue, suite: Suite, noor: User
) -> None:
    one, other = both(suite)
    too_long = answer(other, 0, 0, values={}, missing="Longer than the model reads.")
    run = supervised(benchmark(answers=[[answer(one, -1, -2), too_long]]))

    with pytest.raises(UnableToRetry):
        runs_services.retry_run(run=run, by=noor, now=NOW)


def test_the_answers_of_a_killed_child_are_stored_before_the_next_attempt(
    benchmark: Queue, suite: Suite
) -> None:
    one, _other = both(suite)
    run = supervised(benchmark(answers=[[answer(one, -1, -2)]], kill_at=1, only_attempt=1))

    assert run.state == "queued"
    assert [row.item_id for row in BenchmarkAnswer.objects.filter(run=run)] == [one]
    assert not SuiteScore.objects.exists()


def test_a_failed_run_keeps_its_answers_without_a_score(benchmark: Queue, suite: Suite) -> None:
    one, _other = both(suite)
    run = supervised(benchmark(answers=[[answer(one, -1, -2)]], error="The server is gone."))

    assert (run.outcome, run.error) == ("failed", "The server is gone.")
    assert BenchmarkAnswer.objects.filter(run=run).count() == 1
    assert not SuiteScore.objects.exists()


def test_an_item_without_an_answer_is_counted_and_not_scored_as_wrong(
    benchmark: Queue, suite: Suite
) -> None:
    one, other = both(suite)
    missing = answer(other, 0, 0, values={}, missing="Longer than 64 tokens.")
    run = supervised(benchmark(answers=[[answer(one, -1, -2), missing]]))

    score = main_score(run)
    assert (score.score, score.n, score.n_missing) == (1.0, 1, 1)


def test_an_item_that_is_asked_again_gets_its_answer(
    benchmark: Queue, suite: Suite, noor: User
) -> None:
    one, other = both(suite)
    missing = answer(other, 0, 0, values={}, missing="The server did not answer.")
    run = supervised(benchmark(answers=[[answer(one, -1, -2), missing]], error="Gone."))
    runs_services.retry_run(run=run, by=noor, now=NOW)
    Run.objects.filter(pk=run.pk).update(attempt=1, state="running")

    scorecards_services.store_answers(
        run_id=run.pk, attempt=1, rows=[answer(one, -9, -1), answer(other, -1, -2)], now=NOW
    )

    stored = BenchmarkAnswer.objects.filter(run=run).order_by("item_id")
    assert [row.missing for row in stored] == ["", ""]
    assert [row.values["log_likelihoods"][0] for row in stored] == [-1, -1]


def test_items_that_a_run_does_not_ask_are_not_missing(benchmark: Queue, suite: Suite) -> None:
    one, _other = both(suite)
    run = benchmark(answers=[[answer(one, -1, -2)]])
    Run.objects.filter(pk=run.pk).update(config=run.config | {"max_items": 1})

    supervised(run)

    assert (main_score(run).n, main_score(run).n_missing) == (1, 0)


def test_a_dry_run_stores_no_answers(benchmark: Queue, suite: Suite) -> None:
    one, _other = both(suite)
    run = supervised(benchmark(is_dry=True, answers=[[answer(one, -1, -2)]]))

    assert run.outcome == "succeeded"
    assert not BenchmarkAnswer.objects.exists()
    assert not SuiteScore.objects.exists()
