"""The protocol of jobs, for every kind there is: nothing is lost, nothing is done twice, and no job
is tried for ever, whatever dies, comes twice or is set back.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, models
from django.utils import translation

from accounts.models import User
from config import broker
from config.celery import app
from jobs.messages import DECLARED
from jobs.models import QUEUED, RUNNING, Job, Superseded
from jobs.protocol import Kind
from tests.cast import NOON
from tests.config.jobs.factories import FACTORIES
from tests.config.own_redis import Redis

app.loader.import_default_modules()
KINDS: list[Kind[Any]] = [kind for kind in DECLARED.values() if isinstance(kind, Kind)]
ALONE = [
    kind
    for kind in KINDS
    if any(
        isinstance(constraint, models.UniqueConstraint) and constraint.fields == ("state",)
        for constraint in kind.model._meta.constraints
    )
]
SECOND = timedelta(seconds=1)
of_every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model.__name__)
pytestmark = pytest.mark.django_db
Make = Callable[[Kind[Any]], Job]


@pytest.fixture
def make(noor: User, settings: LazySettings, tmp_path: Path) -> Make:
    """A row that waits."""
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.EXPORTS_DIR = tmp_path / "exports"
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"
    settings.HUB_IS_OFFLINE = True
    settings.HUB_CACHE = settings.DATASETS_CACHE = tmp_path / "none"
    settings.HUB_TOKEN = ""
    return lambda kind: FACTORIES[kind.model](noor)


def stored(job: Job) -> Any:
    return type(job)._default_manager.get(pk=job.pk)


def set_state(job: Job, **columns: Any) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(**columns)


class Killed(BaseException):
    """The worker's process is gone: nothing of it runs any more."""


def killing_at(look: int, now: datetime) -> Callable[[], datetime]:
    """A clock at whose `look`-th look the worker dies."""
    looks: list[None] = []

    def clock() -> datetime:
        looks.append(None)
        if len(looks) == look:
            raise Killed
        return now

    return clock


def test_there_is_a_row_of_every_kind_to_test_with() -> None:
    assert {kind.model for kind in KINDS} == FACTORIES.keys()
    assert {kind.model for kind in ALONE} != set()


@of_every_kind
def test_a_message_that_comes_twice_does_the_work_once(kind: Kind[Any], make: Make) -> None:
    job = make(kind)

    first = kind.run(job.pk, clock=lambda: NOON)
    second = kind.run(job.pk, clock=lambda: NOON)

    assert first is not None
    assert first.state not in (QUEUED, RUNNING)
    assert (second, stored(job).attempt) == (None, 1)
    assert kind.waiting(now=NOON + timedelta(days=1)) == []


@of_every_kind
def test_its_task_takes_the_message_that_wakes_it(kind: Kind[Any], make: Make) -> None:
    job = make(kind)

    app.tasks[kind.task].run(**{kind.argument: job.pk})

    assert stored(job).state not in (QUEUED, RUNNING)


@of_every_kind
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_gets_it(kind: Kind[Any], make: Make) -> None:
    job, claims, at_once = make(kind), [], threading.Barrier(2)

    def claim() -> None:
        at_once.wait()
        claims.append(kind.claim(job.pk, now=NOON))
        connection.close()

    workers = [threading.Thread(target=claim) for _worker in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(claimed is not None for claimed in claims) == [False, True]
    assert stored(job).attempt == 1


@of_every_kind
def test_a_worker_that_beats_keeps_it_and_a_silent_one_is_replaced(
    kind: Kind[Any], make: Make
) -> None:
    job = make(kind)
    lost = kind.claim(job.pk, now=NOON)
    assert lost is not None
    lost.beat(now=NOON + kind.silent_after)

    now = NOON + 2 * kind.silent_after
    assert (kind.waiting(now=now), kind.claim(job.pk, now=now)) == ([], None)
    now += SECOND
    assert kind.waiting(now=now) == [job.pk]
    successor = kind.claim(job.pk, now=now)

    assert successor is not None
    assert (lost.attempt, successor.attempt) == (1, 2)


@of_every_kind
def test_a_replaced_worker_writes_nothing_more(kind: Kind[Any], make: Make) -> None:
    job = make(kind)
    lost = kind.claim(job.pk, now=NOON)
    assert lost is not None
    now = NOON + kind.silent_after + SECOND
    kind.claim(job.pk, now=now)
    before = models.Model.__getstate__(stored(job))

    with pytest.raises(Superseded):
        lost.beat(now=now)
    with pytest.raises(Superseded):
        lost.end(kind.failed, now=now, error="Late.")

    after = models.Model.__getstate__(stored(job))
    assert {**after, "_state": None} == {**before, "_state": None}


@of_every_kind
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_finds_its_row_ended_stops(kind: Kind[Any], make: Make) -> None:
    job = make(kind)

    def end() -> None:
        set_state(job, state=kind.failed, error="A person has ended it.")
        connection.close()

    def clock() -> datetime:
        if stored(job).state == RUNNING:
            person = threading.Thread(target=end)
            person.start()
            person.join()
        return NOON

    assert kind.run(job.pk, clock=clock) is None
    assert (stored(job).state, stored(job).error) == (kind.failed, "A person has ended it.")


@of_every_kind
def test_a_clock_that_was_set_back_keeps_nobody_waiting(kind: Kind[Any], make: Make) -> None:
    job = make(kind)
    kind.claim(job.pk, now=NOON)

    a_little = NOON - kind.silent_after
    assert kind.waiting(now=a_little) == []
    set_back = a_little - SECOND
    assert kind.waiting(now=set_back) == [job.pk]

    taken = kind.run(job.pk, clock=lambda: set_back)
    assert taken is not None
    assert (taken.attempt, taken.state in (QUEUED, RUNNING)) == (2, False)


@pytest.mark.parametrize("kind", ALONE, ids=lambda kind: kind.model.__name__)
def test_where_one_runs_alone_the_next_waits_and_a_lost_one_blocks_nobody(
    kind: Kind[Any], make: Make
) -> None:
    first, second = make(kind), make(kind)
    kind.claim(first.pk, now=NOON)
    assert kind.claim(second.pk, now=NOON) is None
    assert kind.waiting(now=NOON) == [second.pk]

    # Far ahead: its worker is gone, or the clock was set back. Either way the lost one comes first.
    set_state(first, heartbeat_at=NOON + timedelta(days=2))
    assert kind.waiting(now=NOON) == [first.pk, second.pk]
    for pk in kind.waiting(now=NOON):
        assert kind.run(pk, clock=lambda: NOON) is not None


@of_every_kind
def test_a_job_that_kills_every_worker_is_given_up(kind: Kind[Any], make: Make) -> None:
    job, now, n_workers = make(kind), NOON, 0
    while kind.claim(job.pk, now=now) is not None:
        n_workers += 1
        assert n_workers < 5
        now += kind.silent_after + SECOND

    given_up = stored(job)
    assert (n_workers, given_up.attempt, given_up.state) == (3, 3, kind.failed)
    assert given_up.error in ("The worker was lost.", *CRASHED)
    assert getattr(given_up, kind.model.ENDED_AT) == now
    assert kind.waiting(now=now + timedelta(days=1)) == []


CRASHED = [
    f"The worker crashed three times on {what}."
    for what in ("this file", "this export", "this dataset", "these documents")
]


@of_every_kind
@pytest.mark.parametrize("look", [2, 3, 4])
def test_a_worker_killed_at_any_point_is_made_good_by_the_next(
    kind: Kind[Any], make: Make, look: int
) -> None:
    """Without its death, the job ends in the same state."""
    undisturbed = kind.run(make(kind).pk, clock=lambda: NOON)
    assert undisturbed is not None
    job = make(kind)

    is_killed = False
    try:
        kind.run(job.pk, clock=killing_at(look, NOON))
    except Killed:
        is_killed = True
        assert stored(job).state == RUNNING
        assert kind.waiting(now=NOON) == []
    assert is_killed or look > 2, "the second look is the worker's first"
    later = NOON + kind.silent_after + SECOND
    for pk in kind.waiting(now=later):
        kind.run(pk, clock=lambda: later)

    assert (stored(job).state, stored(job).error) == (undisturbed.state, undisturbed.error)
    assert kind.waiting(now=later + timedelta(days=1)) == []


@of_every_kind
def test_what_it_says_is_in_the_language_of_the_person_who_started_it(
    kind: Kind[Any], make: Make, noor: User
) -> None:
    job = make(kind)
    User.objects.filter(pk=noor.pk).update(language="de")
    spoken: set[str | None] = set()

    def clock() -> datetime:
        if stored(job).state == RUNNING:
            spoken.add(translation.get_language())
        return NOON

    kind.run(job.pk, clock=clock)

    assert spoken == {"de"}


@of_every_kind
def test_a_job_requested_while_the_broker_is_away_is_sent_when_it_is_back(
    kind: Kind[Any], make: Make, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "AWAY_S", 0.0)
    job = make(kind)
    own_redis.stop()
    assert not kind.wake(job.pk)
    kind.wake_waiting(now=NOON)

    own_redis.start()
    assert broker.n_waiting(kind.queue) == 0
    assert kind.wake_waiting(now=NOON) == 1

    assert broker.n_waiting(kind.queue) == 1
