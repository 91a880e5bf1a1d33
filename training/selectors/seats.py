"""Reads of the machines that work on one run: where they meet, which of them is lost, which places are free."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet

from training.launching import Meeting
from training.models import Run, Seat


@dataclass(frozen=True)
class Loss:
    """A machine that the others cannot go on without. `error` is its own word, "" when it went without one."""

    node: str
    error: str


def seats_that_go_on() -> QuerySet[Seat]:
    """Of attempts that run."""
    return Seat.objects.select_related("run").filter(run__state=Run.State.RUNNING, attempt=F("run__attempt"), ending="")


def gathering_run_ids() -> list[int]:
    """Runs that wait for machines."""
    return list(seats_that_go_on().filter(node="").values_list("run_id", flat=True).distinct())


def seats_of(*, run: Run) -> QuerySet[Seat]:
    """Of this attempt."""
    return Seat.objects.filter(run=run, attempt=run.attempt).order_by("rank")


def meeting(*, run: Run) -> Meeting | None:
    """Where the machines meet, once all of them are ready."""
    seats = list(seats_of(run=run))
    if not seats or not all(seat.address for seat in seats):
        return None
    return Meeting(seats[0].address, seats[0].port)


def loss(*, run: Run, now: datetime) -> Loss | None:
    """The first of the other machines that has ended badly or fallen silent; one that says why goes before."""
    others = [seat for seat in seats_of(run=run) if seat.rank and seat.node]
    lost = [seat for seat in others if seat.ending in {Seat.Ending.FAILED, Seat.Ending.GONE} or _is_silent(seat, now)]
    first = min(lost, key=lambda seat: seat.ending != Seat.Ending.FAILED, default=None)
    return Loss(first.node, first.error) if first else None


def silence() -> timedelta:
    """Three beats are missing: the others stand still until somebody sees it."""
    return timedelta(seconds=3 * settings.RUN_HEARTBEAT_S)


def _is_silent(seat: Seat, now: datetime) -> bool:
    return not seat.ending and seat.heartbeat_at is not None and now - seat.heartbeat_at > silence()
