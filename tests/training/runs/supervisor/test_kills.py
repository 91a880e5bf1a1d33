"""kill -9 of everything a run depends on: real workers, a real broker, and a stand-in for the
trainer.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent, User
from tests.training.runs.processes import (
    Processes,
    descendants,
    is_alive,
    kill,
    processes,
    run_folder,
    until,
)
from training.models import Run
from training.runs import lost_runs
from training.runs import services as runs_services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as running:
        yield running


def now_of(run: Run) -> Run:
    run.refresh_from_db()
    return run


def has_reached(run: Run, step: int) -> Callable[[], bool]:
    return lambda: now_of(run).step >= step and run.state == Run.State.RUNNING


def is_finished(run: Run) -> Callable[[], bool]:
    return lambda: now_of(run).state == Run.State.FINISHED


def child_pid(run: Run) -> int:
    return int(json.loads((run_folder(run.pk) / "child.json").read_text())["pid"])


def resumed_at(run: Run, attempt: int) -> int:
    """The step from which this attempt went on."""
    (mark,) = run_folder(run.pk).glob(f"resumed-{attempt}-at-*")
    return int(mark.name.rsplit("-", 1)[1])


def let_go(run: Run) -> None:
    """A stand-in that waits in its script continues."""
    (run_folder(run.pk) / "go").touch()


def reap_silent(run: Run) -> None:
    """What the beat does once the heartbeat is older than the limit."""
    lost_runs.reap_runs(now=timezone.now() + timedelta(days=1))


def test_a_run_goes_on_when_its_broker_is_killed_and_the_worker_takes_the_next_when_it_is_back(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run, following = queue(n_steps=5, waits_after=3), queue(n_steps=2)
    broker = site.start_broker()
    site.start_worker()
    site.ring(run.pk)
    until(has_reached(run, 3), "step 3")

    broker.kill()
    broker.wait()
    let_go(run)
    until(is_finished(run), "the end without a broker")
    site.start_broker()
    site.ring(following.pk)
    until(is_finished(following), "the end of the next run")

    assert (run.outcome, run.attempt, following.outcome) == ("succeeded", 1, "succeeded")


def test_a_killed_child_is_queued_again_at_once_and_resumes(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=12, checkpoint_every=3, waits_after=4, only_attempt=1)
    site.start_broker()
    site.start_worker()
    site.ring(run.pk)
    until(has_reached(run, 4), "step 4")

    kill(child_pid(run))
    until(is_finished(run), "the end after a killed child")

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert resumed_at(run, attempt=2) == 3


def test_a_child_dies_with_its_killed_worker_and_another_worker_resumes(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=20, checkpoint_every=2, waits_after=5, only_attempt=1)
    site.start_broker()
    worker = site.start_worker("first")
    site.ring(run.pk)
    until(has_reached(run, 5), "step 5")
    child = child_pid(run)

    for pid in [worker.pid, *(pid for pid in descendants(worker.pid) if pid != child)]:
        kill(pid)
    until(lambda: not is_alive(child), "the end of the child")
    reap_silent(run)
    assert now_of(run).state == Run.State.QUEUED
    site.start_worker("second")
    site.ring(run.pk)
    until(is_finished(run), "the end on another worker")

    assert (run.outcome, run.attempt, run.n_crashes) == ("succeeded", 2, 1)
    assert resumed_at(run, attempt=2) == 4


def test_a_run_is_saved_when_only_the_workers_main_process_is_killed(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=50, waits_after=3)
    site.start_broker()
    worker = site.start_worker()
    site.ring(run.pk)
    until(has_reached(run, 3), "step 3")

    worker.kill()
    worker.wait()
    until(lambda: now_of(run).state == Run.State.QUEUED, "back in the queue")

    assert run.n_crashes == 0
    assert (run_folder(run.pk) / "checkpoints").exists()


def test_idle_pool_processes_die_with_their_killed_worker(site: Processes) -> None:
    site.start_broker()
    workers = [site.start_worker(), site.start_short_worker(n_processes=3)]
    with Celery(broker=site.broker_url) as app:
        until(lambda: len(app.control.ping(timeout=1)) == len(workers), "both workers answer")
    pool = [pid for worker in workers for pid in descendants(worker.pid)]

    for worker in workers:
        worker.kill()
        worker.wait()

    until(lambda: not any(is_alive(pid) for pid in pool), "the end of every pool process")


def test_a_worker_that_is_asked_to_end_saves_its_run_and_gives_it_back(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=50, waits_after=3)
    site.start_broker()
    worker = site.start_worker()
    site.ring(run.pk)
    until(has_reached(run, 3), "step 3")

    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)

    assert (now_of(run).state, run.n_crashes) == (Run.State.QUEUED, 0)
    assert run.error.endswith("shut down cleanly.")
    assert (run_folder(run.pk) / "checkpoints").exists()
    assert list(run_folder(run.pk).parent.glob(".leaving-*")) == []


def test_a_supervisor_in_the_foreground_saves_its_run_on_sigterm(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=50, waits_after=2)
    supervisor = site.start_supervisor(run.pk)
    until(has_reached(run, 2), "step 2")

    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(timeout=60)

    assert (now_of(run).state, run.n_crashes) == (Run.State.QUEUED, 0)


def test_a_supervisor_that_wakes_up_after_its_run_was_given_away_ends_its_child_and_writes_nothing(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=30, checkpoint_every=2, waits_after=3)
    ghost = site.start_supervisor(run.pk, "ghost")
    until(has_reached(run, 3), "step 3")
    ghosts_child = child_pid(run)

    os.kill(ghost.pid, signal.SIGSTOP)
    reap_silent(run)
    site.start_supervisor(run.pk, "heir")
    until(lambda: now_of(run).attempt == 2 and has_reached(run, 3)(), "the second attempt")
    assert not is_alive(ghosts_child)
    os.kill(ghost.pid, signal.SIGCONT)
    ghost.wait(timeout=60)
    let_go(run)
    until(is_finished(run), "the end of the second attempt")

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert "another has taken its place" in site.log(f"ghost-{run.pk}")


def test_a_child_killed_while_it_saves_resumes_from_the_checkpoint_before(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=6, checkpoint_every=2, waits_in_save=4, only_attempt=1)
    site.start_supervisor(run.pk, "first")
    until(
        lambda: (run_folder(run.pk) / "checkpoints" / ".tmp-1-step-4").exists(),
        "the second checkpoint in the making",
    )

    kill(child_pid(run))
    until(lambda: now_of(run).state == Run.State.QUEUED, "back in the queue")
    site.start_supervisor(run.pk, "second")
    until(is_finished(run), "the end after a torn checkpoint")

    assert (run.outcome, resumed_at(run, attempt=2)) == ("succeeded", 2)


def test_a_run_outlives_a_database_that_drops_its_connections(
    site: Processes, queue: Callable[..., Run]
) -> None:
    run = queue(n_steps=30, waits_after=3)
    site.start_supervisor(run.pk)
    until(has_reached(run, 3), "step 3")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    let_go(run)
    until(is_finished(run), "the end after a dropped connection")

    assert (run.outcome, run.attempt, run.points.count()) == ("succeeded", 1, 30)


def test_a_run_that_hangs_is_killed_by_a_person_and_its_child_ends(
    site: Processes, queue: Callable[..., Run], noor: User
) -> None:
    run = queue(n_steps=4, hang_at=3, checkpoint_every=1, only_attempt=1)
    supervisor = site.start_supervisor(run.pk)
    until(has_reached(run, 2), "step 2")
    child = child_pid(run)

    assert runs_services.kill_run(run=run, by=noor, now=timezone.now())
    supervisor.wait(timeout=60)

    assert not is_alive(child)
    assert (now_of(run).state, run.outcome) == (Run.State.FINISHED, Run.Outcome.STOPPED)
    assert AuditEvent.objects.filter(action="kill", by=noor, target_id=run.pk).exists()
    assert not runs_services.kill_run(run=run, by=noor, now=timezone.now())
    runs_services.retry_run(run=run, by=noor, now=timezone.now())
    site.start_supervisor(run.pk, "again")
    until(is_finished(run), "the end of the new try")
    assert (run.outcome, resumed_at(run, attempt=2)) == ("succeeded", 2)


def test_a_child_that_only_writes_to_its_log_does_not_stand_still(
    site: Processes, queue: Callable[..., Run]
) -> None:
    """As one does that tokenises a million rankings before its first step."""
    run = queue(n_steps=2, says_at={"1": 70})
    site.stall_after_s = 4
    site.start_supervisor(run.pk)

    until(is_finished(run), "the end of the run")

    assert (run.outcome, run.attempt, run.n_crashes) == ("succeeded", 1, 0)


def test_a_child_that_stands_still_is_ended_and_tried_again(
    site: Processes, queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue(n_steps=4, hang_at=3, only_attempt=1, checkpoint_every=1)
    site.stall_after_s = 2
    site.start_supervisor(run.pk, "first")

    until(lambda: now_of(run).state == Run.State.QUEUED and run.attempt == 1, "back in the queue")
    site.start_supervisor(run.pk, "second")
    until(is_finished(run), "the end of the second attempt")

    assert (run.outcome, resumed_at(run, attempt=2)) == ("succeeded", 2)
