"""Several machines for one run: the node that claims it opens a seat for each, others take them,
all begin together.
"""

from datetime import datetime
from functools import partial

from django.db import transaction

from training.models import Node, Run, Seat
from training.processes import doorbell
from training.processes.launch import Launch
from training.runs.multi_node.selectors import seats_that_go_on
from training.runs.placement import has_room


def open_seats(*, run: Run, now: datetime) -> None:
    """One for each machine of this attempt, the first for the node that has claimed it; rings for
    the others on commit.
    """
    n_machines = Launch.from_json(run.launch).n_machines
    if n_machines == 1:
        return
    seats = [Seat(run=run, attempt=run.attempt, rank=rank) for rank in range(n_machines)]
    seats[0].node, seats[0].heartbeat_at = run.node, now
    Seat.objects.bulk_create(seats)
    for _rank in range(1, n_machines):
        transaction.on_commit(partial(doorbell.ring, run.pk))


def take_seat(*, node: str, now: datetime) -> Seat | None:
    """A free seat of a run whose machines gather, for a node that is large enough."""
    row = Node.objects.filter(name=node).first()
    if row is not None and row.draining_since is not None:
        return None
    with transaction.atomic():
        free = seats_that_go_on().filter(node="").exclude(run__node=node).order_by("run_id", "rank")
        for seat in free.select_for_update(skip_locked=True, of=("self",)):
            if row is None or has_room(run=seat.run, node=row):
                seat.node, seat.heartbeat_at = node, now
                seat.save(update_fields=["node", "heartbeat_at"])
                return seat
    return None


def be_ready(*, run: Run, rank: int, address: str, port: int = 0) -> None:
    """This machine has all that the run needs; the first says at which port it waits for the
    others.
    """
    Seat.objects.filter(run=run, attempt=run.attempt, rank=rank).update(address=address, port=port)


def beat_seat(*, seat: Seat, now: datetime) -> bool:
    """The machine lives. False when the attempt is over."""
    return seats_that_go_on().filter(pk=seat.pk).update(heartbeat_at=now) == 1


def announce_leaving(*, seat: Seat) -> None:
    """The machine's node wants to go. The first learns it with its next beat, saves the run and
    ends it on all.
    """
    Seat.objects.filter(pk=seat.pk).update(is_leaving=True)


def leave_seat(*, seat: Seat, ending: Seat.Ending, error: str = "") -> None:
    """A machine whose processes have ended, or that cannot begin."""
    Seat.objects.filter(pk=seat.pk).update(ending=ending, error=error)
