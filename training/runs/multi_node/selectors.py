"""Reads of the machines that work on one run: where they meet, which of them is lost, which places
are free.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from training.models import Run, Seat
from training.processes.launch import Meeting


@dataclass(frozen=True)
class Loss:
    """A machine that the others cannot go on without. `error` is its own word, "" when it went
    without one.
    """

    node: str
    error: str


def seats_that_go_on() -> QuerySet[Seat]:
    """Of attempts that run."""
    return Seat.objects.select_related("run").filter(
        run__state=Run.State.RUNNING, attempt=F("run__attempt"), ending=""
    )


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
    """The first of the other machines that has ended badly or fallen silent; one that says why goes
    before.
    """
    others = seats_of(run=run).filter(rank__gt=0).exclude(node="")
    lost = others.filter(
        Q(ending__in=[Seat.Ending.FAILED, Seat.Ending.GONE]) | Q(ending="") & is_silent(now)
    )
    first = min(lost, key=lambda seat: seat.ending != Seat.Ending.FAILED, default=None)
    return Loss(first.node, first.error) if first else None


def leaving_node(*, run: Run) -> str:
    """Of the machines that have joined, the first that wants to go; "" for none."""
    return seats_of(run=run).filter(is_leaving=True).values_list("node", flat=True).first() or ""


def is_silent(now: datetime) -> Q:
    """Of runs and seats. A heartbeat from the future is none either: a clock was set back, and what
    is dead would wait for it.
    """
    return Q(heartbeat_at__lt=now - silence()) | Q(heartbeat_at__gt=now + silence())


def silence() -> timedelta:
    return timedelta(seconds=settings.RUN_REAP_AFTER_S)
