"""Runs on several machines: the node that claims the run opens a seat for each machine, other nodes
take the seats, and all start together.
"""

from datetime import datetime

from django.db import transaction

from jobs import guard
from training.models import Node, Run, Seat
from training.processes.launch import Launch
from training.processes.messages import RUNS
from training.runs.multi_node.selectors import active_seats
from training.runs.placement import has_room


def open_seats(*, run: Run, now: datetime) -> None:
    """Opens one seat per machine for this attempt; the claiming node gets rank 0. Rings for the
    other machines on commit. Does nothing for a run on one machine.
    """
    n_machines = Launch.from_json(run.launch).n_machines
    if n_machines == 1:
        return
    seats = [Seat(run=run, attempt=run.attempt, rank=rank) for rank in range(n_machines)]
    seats[0].node, seats[0].heartbeat_at = run.node, now
    Seat.objects.bulk_create(seats)
    for _rank in range(1, n_machines):
        RUNS.wake_on_commit(run.pk)


def take_seat(*, node: str, now: datetime) -> Seat | None:
    """Takes a free seat of a run waiting for machines, if the node is large enough. None if there
    is no such seat, or the node is draining.
    """
    with transaction.atomic():
        row = Node.objects.select_for_update().filter(name=node).first()
        if row is not None and (row.draining_since is not None or _has_run(node)):
            return None
        free = active_seats().filter(node="").exclude(run__node=node).order_by("run_id", "rank")
        for seat in free.select_for_update(skip_locked=True, of=("self",)):
            if row is None or has_room(run=seat.run, node=row):
                seat.node, seat.heartbeat_at = node, now
                seat.save(update_fields=["node", "heartbeat_at"])
                return seat
    return None


def _has_run(node: str) -> bool:
    """A machine of a run on several has no other run."""
    return (
        Run.objects.filter(node=node, state=Run.State.RUNNING).exists()
        or active_seats().filter(node=node).exists()
    )


def mark_seat_ready(*, run: Run, rank: int, address: str, port: int = 0) -> None:
    """This machine has fetched everything it needs. Rank 0 also gives the port where the others
    connect.
    """
    Seat.objects.filter(run=run, attempt=run.attempt, rank=rank).update(address=address, port=port)


def record_seat_heartbeat(*, seat: Seat, now: datetime) -> bool:
    """False when the attempt is over."""
    return guard.update_one(active_seats().filter(pk=seat.pk), heartbeat_at=now)


def mark_seat_leaving(*, seat: Seat) -> None:
    """This machine's node is shutting down. Rank 0 sees it at its next heartbeat, saves the run and
    stops all machines.
    """
    Seat.objects.filter(pk=seat.pk).update(is_leaving=True)


def close_seat(*, seat: Seat, ending: Seat.Ending, error: str = "") -> None:
    """Records how a machine's processes ended, or why they could not start."""
    Seat.objects.filter(pk=seat.pk).update(ending=ending, error=error)
