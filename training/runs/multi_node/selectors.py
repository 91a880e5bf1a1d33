"""Queries about a run on several machines: where they connect, which machine is lost, which seats
are free. A seat is one machine's place (rank) in one attempt at a run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from jobs.protocol import recent
from training.models import Run, Seat
from training.processes.launch import Rendezvous


@dataclass(frozen=True)
class LostMachine:
    """A machine the others cannot continue without. `error` is what it reported, or ""."""

    node: str
    error: str


def active_seats() -> QuerySet[Seat]:
    """Seats of attempts that are running."""
    return Seat.objects.select_related("run").filter(
        run__state=Run.State.RUNNING, attempt=F("run__attempt"), ending=""
    )


def gathering_run_ids() -> list[int]:
    """Runs waiting for machines to join."""
    return list(active_seats().filter(node="").values_list("run_id", flat=True).distinct())


def seats_of(*, run: Run) -> QuerySet[Seat]:
    """Seats of the run's current attempt, by rank."""
    return Seat.objects.filter(run=run, attempt=run.attempt).order_by("rank")


def rendezvous(*, run: Run) -> Rendezvous | None:
    """Where the machines connect; None until all of them are ready."""
    seats = list(seats_of(run=run))
    if not seats or not all(seat.address for seat in seats):
        return None
    return Rendezvous(seats[0].address, seats[0].port)


def lost_machine(*, run: Run, now: datetime) -> LostMachine | None:
    """The first machine other than rank 0 that failed, disappeared or stopped sending heartbeats.
    One that reported an error comes first.
    """
    others = seats_of(run=run).filter(rank__gt=0).exclude(node="")
    lost = others.filter(
        Q(ending__in=[Seat.Ending.FAILED, Seat.Ending.GONE]) | Q(ending="") & is_silent(now)
    )
    first = min(lost, key=lambda seat: seat.ending != Seat.Ending.FAILED, default=None)
    return LostMachine(first.node, first.error) if first else None


def leaving_node(*, run: Run) -> str:
    """The first node that is shutting down among the run's machines; "" if none."""
    return seats_of(run=run).filter(is_leaving=True).values_list("node", flat=True).first() or ""


def is_silent(now: datetime) -> Q:
    """A condition for runs and seats that had a heartbeat, but no recent one."""
    is_recent = recent("heartbeat_at", now=now, within=silence())
    return Q(heartbeat_at__isnull=False) & ~is_recent


def silence() -> timedelta:
    return timedelta(seconds=settings.RUN_REAP_AFTER_S)
