"""Writes to a run: each names the state or attempt it expects, so late and repeated calls change
nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from config import broker
from jobs.messages import GPU
from labeling.models import ResponseScore
from tests.cast import responses_to, some_prompts
from tests.training.conftest import NOW
from training.models import Run, RunPoint, RunSample, Snapshot, TrainedModel
from training.processes.messages import RUNS
from training.registry import services as registry_services
from training.runs import lost_runs, run_queue
from training.runs import services as runs_services
from training.runs import tasks as runs_tasks
from training.runs.run_queue import UnableToQueue
from training.runs.services import AttemptResult, Point, Sample, UnableToRetry

pytestmark = pytest.mark.django_db


def claimed(run: Run, node: str = "node-1") -> Run:
    found = runs_services.claim_run(run_id=run.pk, node=node, now=NOW)
    assert found is not None
    return found


def point(step: int, attempt: int = 1, **values: float) -> Point:
    return Point(attempt=attempt, step=step, n_steps=10, at=NOW, values=values or {"loss": 1.0})


def record(run: Run, *points: Point, attempt: int = 1, samples: tuple[Sample, ...] = ()) -> bool:
    return runs_services.record_progress(
        run_id=run.pk,
        attempt=attempt,
        points=points,
        samples=samples,
        notes=[],
        log_tail="",
        now=NOW,
    )


def finish(run: Run, attempt: int = 1, model: str | None = None) -> bool:
    return runs_services.finish_run(
        run_id=run.pk,
        attempt=attempt,
        result=AttemptResult(Run.Outcome.SUCCEEDED, model=model),
        now=NOW,
    )


def test_scores_of_a_reward_run_are_kept_under_its_models_name(queue: Callable[..., Run]) -> None:
    run = claimed(queue())
    response = responses_to(some_prompts(1), n=1)[0]
    ending = AttemptResult(
        Run.Outcome.SUCCEEDED, model="/somewhere", scores={response.pk: 0.5, 10**9: 1.0}
    )

    runs_services.finish_run(run_id=run.pk, attempt=1, result=ending, now=NOW)

    (kept,) = ResponseScore.objects.all()
    assert (kept.response, kept.score) == (response, 0.5)
    assert kept.scorer.name == TrainedModel.objects.get(run=run).name


def test_only_the_first_of_two_claims_gets_the_run(queue: Callable[..., Run]) -> None:
    run = queue()

    assert runs_services.claim_run(run_id=run.pk, node="a", now=NOW) is not None
    assert runs_services.claim_run(run_id=run.pk, node="b", now=NOW) is None


def test_each_claim_raises_the_attempt(queue: Callable[..., Run]) -> None:
    run = claimed(queue())
    lost_runs.return_to_queue(run_id=run.pk, attempt=1, now=NOW)

    assert claimed(run).attempt == 2


def test_the_page_of_a_run_that_waits_again_says_that_its_node_left(
    queue: Callable[..., Run], noor: User, signed_in: Callable[..., Client]
) -> None:
    run = claimed(queue())
    lost_runs.return_to_queue(run_id=run.pk, attempt=1, reason="gpu-1 shut down cleanly.", now=NOW)

    page = signed_in(noor).get(f"/runs/{run.pk}/").content.decode()

    assert (
        "gpu-1 shut down cleanly. The run is queued and resumes from its last checkpoint." in page
    )


def test_a_ghost_can_neither_beat_nor_record_nor_finish_nor_return_nor_give_up(
    queue: Callable[..., Run],
) -> None:
    run = claimed(queue())
    lost_runs.return_to_queue(run_id=run.pk, attempt=1, now=NOW)
    claimed(run)

    assert not runs_services.record_heartbeat(run_id=run.pk, attempt=1, now=NOW).is_ours
    assert not record(run, point(1), attempt=1)
    assert not finish(run, attempt=1, model="/somewhere")
    assert not lost_runs.return_to_queue(run_id=run.pk, attempt=1, now=NOW)
    assert not lost_runs.give_up_attempt(run_id=run.pk, attempt=1, reason="x", now=NOW)
    assert registry_services.store_responses(run_id=run.pk, attempt=1, rows=[], now=NOW) is None
    assert not TrainedModel.objects.filter(run=run).exists()
    assert not RunPoint.objects.exists()


def test_a_line_read_twice_is_stored_once(queue: Callable[..., Run]) -> None:
    run = claimed(queue())
    sample = Sample(attempt=1, step=1, line=4, prompt="p", response="r", scores={})

    record(run, point(1), point(2), samples=(sample,))
    record(run, point(1), point(2), samples=(sample,))

    assert (RunPoint.objects.count(), RunSample.objects.count()) == (2, 1)


def test_two_lines_of_one_step_become_one_point(queue: Callable[..., Run]) -> None:
    run = claimed(queue())

    record(run, point(1, loss=2.0))
    record(run, point(1, held_out_loss=3.0))

    assert RunPoint.objects.get().values == {"loss": 2.0, "held_out_loss": 3.0}


def test_a_stop_of_a_waiting_run_ends_it_at_once(queue: Callable[..., Run], noor: User) -> None:
    run = queue()

    assert runs_services.request_stop(run=run, by=noor, now=NOW)

    run.refresh_from_db()
    assert (run.state, run.outcome) == ("finished", "stopped")


def test_a_stop_of_a_running_run_reaches_its_next_beat(
    queue: Callable[..., Run], noor: User
) -> None:
    run = claimed(queue())

    runs_services.request_stop(run=run, by=noor, now=NOW)

    assert runs_services.record_heartbeat(run_id=run.pk, attempt=1, now=NOW).is_stop_requested


def test_a_stopped_run_whose_node_dies_or_leaves_has_stopped_and_waits_no_more(
    queue: Callable[..., Run], noor: User
) -> None:
    dead, left = claimed(queue()), claimed(queue())
    for run in (dead, left):
        runs_services.request_stop(run=run, by=noor, now=NOW)

    lost_runs.return_to_queue(run_id=left.pk, attempt=1, now=NOW)
    lost_runs.reap_runs(now=NOW + timedelta(days=1))

    dead.refresh_from_db()
    left.refresh_from_db()
    assert (dead.state, dead.outcome) == (left.state, left.outcome) == ("finished", "stopped")
    assert "disappeared. It was being stopped" in dead.error
    runs_services.retry_run(run=dead, by=noor, now=NOW)


def test_an_ended_run_cannot_be_stopped(queue: Callable[..., Run], noor: User) -> None:
    run = claimed(queue())
    finish(run)

    assert not runs_services.request_stop(run=run, by=noor, now=NOW)


def test_a_silent_run_is_queued_again_and_lost_after_three_attempts(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue()
    later = NOW + timedelta(seconds=settings.RUN_REAP_AFTER_S + 1)

    states = []
    for _attempt in range(3):
        claimed(run)
        lost_runs.reap_runs(now=later)
        run.refresh_from_db()
        states.append((run.state, run.outcome))

    assert states == [("queued", ""), ("queued", ""), ("finished", "lost")]
    assert "node-1" in run.error


def test_a_run_that_beats_is_not_reaped(queue: Callable[..., Run], settings: LazySettings) -> None:
    run = claimed(queue())

    assert lost_runs.reap_runs(now=NOW + timedelta(seconds=settings.RUN_REAP_AFTER_S - 1)) == 0
    assert (
        lost_runs.give_up_attempt(
            run_id=run.pk, attempt=1, reason="x", now=NOW, only_if_silent=True
        )
        is False
    )


def test_a_run_that_beat_before_the_clock_was_set_back_is_queued_again(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = claimed(queue())

    assert lost_runs.reap_runs(now=NOW - timedelta(seconds=settings.RUN_REAP_AFTER_S - 1)) == 0
    assert lost_runs.reap_runs(now=NOW - timedelta(hours=1)) == 1

    run.refresh_from_db()
    assert run.state == "queued"


def test_leaving_workers_do_not_bring_a_run_nearer_to_lost(queue: Callable[..., Run]) -> None:
    run = queue()

    for attempt in range(1, 6):
        claimed(run)
        lost_runs.return_to_queue(run_id=run.pk, attempt=attempt, now=NOW)

    run.refresh_from_db()
    assert (run.state, run.n_crashes) == ("queued", 0)


def test_a_lost_run_can_be_tried_again(queue: Callable[..., Run], noor: User) -> None:
    run = claimed(queue())
    Run.objects.filter(pk=run.pk).update(
        state="finished", outcome="lost", n_crashes=3, error="gone"
    )

    runs_services.retry_run(run=run, by=noor, now=NOW)

    run.refresh_from_db()
    assert (run.state, run.outcome, run.error, run.n_crashes) == ("queued", "", "", 0)


def test_a_run_that_left_a_model_is_not_tried_again(queue: Callable[..., Run], noor: User) -> None:
    run = claimed(queue())
    finish(run, model="/models/x")

    with pytest.raises(UnableToRetry):
        runs_services.retry_run(run=run, by=noor, now=NOW)


def stopped(run: Run, noor: User) -> TrainedModel:
    """It was asked to stop at step 3 of 10, and left a model and its state."""
    claimed(run)
    record(run, point(3))
    runs_services.request_stop(run=run, by=noor, now=NOW)
    result = AttemptResult(Run.Outcome.STOPPED, model="/models/x", n_steps=3, kept_step=3)
    runs_services.finish_run(run_id=run.pk, attempt=1, result=result, now=NOW)
    run.refresh_from_db()
    return TrainedModel.objects.get(run=run)


def test_a_stopped_run_waits_for_the_node_that_holds_its_state(
    queue: Callable[..., Run], noor: User
) -> None:
    run = queue()
    stopped(run, noor)
    assert (run.step, run.n_steps) == (3, 10)

    runs_services.retry_run(run=run, by=noor, now=NOW)

    run.refresh_from_db()
    assert (run.state, run.wanted_node, run.stop_requested_at) == ("queued", "node-1", None)


def test_a_stopped_run_does_not_go_on_once_its_model_is_in_use(
    queue: Callable[..., Run], noor: User
) -> None:
    run, other = queue(), queue()
    model = stopped(run, noor)
    Run.objects.filter(pk=other.pk).update(base_model=model)

    with pytest.raises(UnableToRetry, match="already in use"):
        runs_services.retry_run(run=run, by=noor, now=NOW)


def test_nothing_starts_from_a_model_that_a_resumed_run_will_replace(
    queue: Callable[..., Run], noor: User
) -> None:
    run = queue()
    model = stopped(run, noor)
    runs_services.retry_run(run=run, by=noor, now=NOW)

    with pytest.raises(UnableToQueue, match="was resumed"):
        run_queue.queue_run(
            kind="sft",
            name="On top",
            config={},
            snapshot=run.snapshot,
            base_model=model,
            by=noor,
            now=NOW,
        )


def test_a_resumed_run_that_fails_can_be_tried_again(queue: Callable[..., Run], noor: User) -> None:
    run = queue()
    stopped(run, noor)
    runs_services.retry_run(run=run, by=noor, now=NOW)
    claimed(run)
    failed = AttemptResult(Run.Outcome.FAILED, error="The disk is full.")
    runs_services.finish_run(run_id=run.pk, attempt=2, result=failed, now=NOW)

    runs_services.retry_run(run=run, by=noor, now=NOW)

    run.refresh_from_db()
    assert run.state == "queued"


def test_a_run_that_stopped_by_itself_does_not_go_on(queue: Callable[..., Run], noor: User) -> None:
    run = queue()
    stopped(run, noor)
    Run.objects.filter(pk=run.pk).update(stop_requested_at=None)

    with pytest.raises(UnableToRetry):
        runs_services.retry_run(run=run, by=noor, now=NOW)


def test_a_run_learns_only_from_its_own_kind_of_snapshot(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], noor: User
) -> None:
    with pytest.raises(UnableToQueue, match="contains no comparisons"):
        run_queue.queue_run(
            kind="reward",
            name="r",
            config={},
            snapshot=make_snapshot("demonstrations"),
            base_model=base_model,
            by=noor,
            now=NOW,
        )


def test_a_config_out_of_range_is_refused_with_every_problem(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], noor: User
) -> None:
    with pytest.raises(UnableToQueue, match=r"Epochs.*Batch"):
        run_queue.queue_run(
            kind="sft",
            name="r",
            config={"n_epochs": 0, "batch_size": "many"},
            snapshot=make_snapshot(),
            base_model=base_model,
            by=noor,
            now=NOW,
        )


def test_tasks_run_twice_have_no_second_effect(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = claimed(queue())
    Run.objects.filter(pk=run.pk).update(heartbeat_at=NOW - timedelta(days=3650))

    runs_tasks.reap_runs()
    runs_tasks.reap_runs()
    RUNS.wake_waiting(now=NOW)
    RUNS.wake_waiting(now=NOW)

    run.refresh_from_db()
    assert (run.state, run.n_crashes, run.attempt) == ("queued", 1, 1)


def test_ppo_wants_a_reward_model(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], noor: User
) -> None:
    asked: dict[str, Any] = {
        "kind": "ppo",
        "name": "p",
        "config": {},
        "snapshot": make_snapshot("prompts"),
        "by": noor,
        "now": NOW,
    }

    with pytest.raises(UnableToQueue, match="Choose one"):
        run_queue.queue_run(base_model=base_model, **asked)

    reward_model = TrainedModel.objects.create(name="r", kind="reward", location="/r")
    run = run_queue.queue_run(base_model=base_model, models={"reward_model": reward_model}, **asked)
    assert run.reward_model == reward_model


def test_a_watchdog_is_another_reward_model_and_only_ppo_has_one(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], noor: User
) -> None:
    judge, watchdog = (
        TrainedModel.objects.create(name=name, kind="reward", location=f"/{name}")
        for name in ("r", "w")
    )
    asked: dict[str, Any] = {
        "name": "p",
        "config": {},
        "base_model": base_model,
        "by": noor,
        "now": NOW,
    }
    ppo = asked | {"kind": "ppo", "snapshot": make_snapshot("prompts")}

    def watched_by(model: TrainedModel) -> dict[str, TrainedModel]:
        return {"reward_model": judge, "watchdog_model": model}

    run = run_queue.queue_run(**ppo, models=watched_by(watchdog))

    assert run.watchdog_model == watchdog
    with pytest.raises(UnableToQueue, match="learns from “r”"):
        run_queue.queue_run(**ppo, models=watched_by(judge))
    with pytest.raises(UnableToQueue, match="is not a reward model"):
        run_queue.queue_run(**ppo, models=watched_by(base_model))
    with pytest.raises(UnableToQueue, match="is not a reward model"):
        run_queue.queue_run(
            **asked,
            kind="sft",
            snapshot=make_snapshot("demonstrations"),
            models={"watchdog_model": watchdog},
        )


def test_a_run_that_gets_further_each_time_is_never_lost(queue: Callable[..., Run]) -> None:
    queued = queue()
    for attempt in range(1, 6):
        runs_services.claim_run(run_id=queued.pk, node="node-1", now=NOW)
        RunPoint.objects.create(run=queued, attempt=attempt, step=attempt, at=NOW, values={})
        lost_runs.give_up_attempt(run_id=queued.pk, attempt=attempt, reason="Killed.", now=NOW)

    queued.refresh_from_db()
    assert (queued.state, queued.n_crashes) == ("queued", 1)


@pytest.mark.django_db(transaction=True)
def test_a_queued_run_is_sent_once_for_itself(queue: Callable[..., Run]) -> None:
    before = broker.n_waiting(GPU)

    queue()

    assert broker.n_waiting(GPU) == before + 1


@pytest.mark.django_db(transaction=True)
def test_the_beat_does_not_pile_up_messages_that_nobody_takes(queue: Callable[..., Run]) -> None:
    run = queue()
    waiting = broker.n_waiting(GPU)

    assert RUNS.waiting(now=run.created_at) == [run.pk]
    assert RUNS.wake_waiting(now=run.created_at) == 0
    assert broker.n_waiting(GPU) == waiting
