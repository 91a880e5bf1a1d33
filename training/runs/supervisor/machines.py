"""A run on several machines: waiting for all of them, taking part as one that joined, and finding
the one that was lost.
"""

import subprocess
import time
from contextlib import suppress
from dataclasses import replace

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Seat
from training.processes import child_process, run_dir
from training.processes.launch import Launch, Rendezvous
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.supervisor import prepare
from training.runs.supervisor.attempt import (
    Attempt,
    Requeue,
    StoppedWhileWaiting,
    UnableToStart,
    os_sentence,
    retry_database,
)
from training.storage import artifacts


def wait_for_machines(attempt: Attempt) -> Rendezvous | None:
    """Where the run's machines connect, once all are ready; None for a run on one machine. Raises
    Requeue when they are not ready in time.
    """
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    attempt.fetch(attempt.uploader.finish)  # the others begin with the checkpoint that this one has
    port = child_process.free_port()
    retry_database(
        lambda: multi_node_services.mark_seat_ready(
            run=attempt.run, rank=0, address=settings.NODE_ADDRESS, port=port
        )
    )
    return _wait_for_rendezvous(attempt, time.monotonic() + settings.RUN_GATHER_S)


def join_run(attempt: Attempt) -> tuple[Seat.Ending, str]:
    """Runs this machine's part. Returns how its processes ended, and a sentence if something is
    wrong here.

    Raises Requeue, Superseded and UnableToStart.
    """
    assert attempt.seat is not None
    seat = attempt.seat
    try:
        run_dir.remove(attempt.folder)
        run_dir.write_job(attempt.folder, prepare.build_job(attempt))
        stored = attempt.fetch(lambda: artifacts.newest_checkpoint(run_id=attempt.run.pk))
        if stored is not None:
            attempt.fetch(lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
        retry_database(
            lambda: multi_node_services.mark_seat_ready(
                run=attempt.run, rank=seat.rank, address=settings.NODE_ADDRESS
            )
        )
        rendezvous = replace(
            _wait_for_rendezvous(attempt, time.monotonic() + settings.RUN_GATHER_S), rank=seat.rank
        )
        process = prepare.start_child(attempt, rendezvous)
    except OSError as problem:
        raise UnableToStart(os_sentence(problem)) from problem
    try:
        while process.poll() is None:
            if (
                attempt.is_leaving()
            ):  # what the others have not saved would be lost with these processes
                attempt.try_database(lambda: multi_node_services.mark_seat_leaving(seat=seat))
            attempt.try_database(attempt.send_heartbeat)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=settings.RUN_HEARTBEAT_S)
    finally:
        child_process.kill_group(process.pid)
    result = run_dir.read_result(attempt.folder)
    if process.returncode == 0:
        return Seat.Ending.DONE, ""
    return (Seat.Ending.FAILED, result.error or "") if result else (Seat.Ending.GONE, "")


def lost_machine(attempt: Attempt) -> multi_node_selectors.LostMachine | None:
    """The machine whose end stopped the others. It may have died without an error, so this waits
    until its heartbeat is overdue.
    """
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    deadline = time.monotonic() + 2 * multi_node_selectors.silence().total_seconds()
    while time.monotonic() < deadline:
        lost = retry_database(
            lambda: multi_node_selectors.lost_machine(run=attempt.run, now=timezone.now())
        )
        if lost is not None:
            return lost
        attempt.try_database(attempt.send_heartbeat)
        time.sleep(1)
    return None


def _wait_for_rendezvous(attempt: Attempt, deadline: float) -> Rendezvous:
    """Waits until every machine is ready. Raises Requeue, StoppedWhileWaiting, UnableToStart and
    Superseded.
    """
    while (
        rendezvous := retry_database(lambda: multi_node_selectors.rendezvous(run=attempt.run))
    ) is None:
        if attempt.is_stop_requested:
            raise StoppedWhileWaiting
        lost = (
            None
            if attempt.seat
            else retry_database(
                lambda: multi_node_selectors.lost_machine(run=attempt.run, now=timezone.now())
            )
        )
        if lost and lost.error:
            raise UnableToStart(f"{lost.node}: {lost.error}")
        if attempt.is_leaving():
            raise attempt.requeue()
        if lost:
            raise Requeue(_("The worker on %(node)s disappeared.") % {"node": lost.node})
        if time.monotonic() > deadline:
            raise Requeue(_("Not all machines were ready in time."))
        attempt.try_database(attempt.send_heartbeat)
        time.sleep(1)
    return rendezvous
