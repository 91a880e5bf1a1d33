"""A run on several machines: how they gather, what one does that has joined, and which of them was
lost.
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
from training.processes.launch import Launch, Meeting
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.supervisor import beginning
from training.runs.supervisor.attempt import (
    Attempt,
    CalledOff,
    Left,
    UnableToStart,
    os_sentence,
    patiently,
)
from training.storage import artifacts


def gathered(attempt: Attempt) -> Meeting | None:
    """Where the machines of the run meet, all being ready; None for a run on one. Raises Left when
    they do not come in time.
    """
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    attempt.fetched(
        attempt.shipper.finish
    )  # the others begin with the checkpoint that this one has
    port = child_process.free_port()
    patiently(
        lambda: multi_node_services.be_ready(
            run=attempt.run, rank=0, address=settings.NODE_ADDRESS, port=port
        )
    )
    return _met(attempt, time.monotonic() + settings.RUN_GATHER_S)


def help_out(attempt: Attempt) -> tuple[Seat.Ending, str]:
    """How the processes on this machine have ended, and a sentence when something is wrong here.

    Raises Left, Superseded and UnableToStart.
    """
    assert attempt.seat is not None
    seat = attempt.seat
    try:
        run_dir.remove(attempt.folder)
        run_dir.write_job(attempt.folder, beginning.job(attempt))
        stored = attempt.fetched(lambda: artifacts.newest_checkpoint(run_id=attempt.run.pk))
        if stored is not None:
            attempt.fetched(lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
        patiently(
            lambda: multi_node_services.be_ready(
                run=attempt.run, rank=seat.rank, address=settings.NODE_ADDRESS
            )
        )
        meeting = replace(_met(attempt, time.monotonic() + settings.RUN_GATHER_S), rank=seat.rank)
        process = beginning.start_child(attempt, meeting)
    except OSError as problem:
        raise UnableToStart(os_sentence(problem)) from problem
    try:
        while process.poll() is None:
            if (
                attempt.is_leaving()
            ):  # what the others have not saved would be lost with these processes
                attempt.tried(lambda: multi_node_services.announce_leaving(seat=seat))
            attempt.tried(attempt.beat)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=settings.RUN_HEARTBEAT_S)
    finally:
        child_process.end_group(process.pid)
    result = run_dir.read_result(attempt.folder)
    if process.returncode == 0:
        return Seat.Ending.DONE, ""
    return (Seat.Ending.FAILED, result.error or "") if result else (Seat.Ending.GONE, "")


def lost_machine(attempt: Attempt) -> multi_node_selectors.Loss | None:
    """The machine whose end made the others end: it may have gone without a word, and is known by
    its silence.
    """
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    deadline = time.monotonic() + 2 * multi_node_selectors.silence().total_seconds()
    while time.monotonic() < deadline:
        lost = patiently(lambda: multi_node_selectors.loss(run=attempt.run, now=timezone.now()))
        if lost is not None:
            return lost
        attempt.tried(attempt.beat)
        time.sleep(1)
    return None


def _met(attempt: Attempt, deadline: float) -> Meeting:
    """Waits until every machine is ready. Raises Left, CalledOff, UnableToStart and Superseded."""
    while (found := patiently(lambda: multi_node_selectors.meeting(run=attempt.run))) is None:
        if attempt.is_stop_requested:
            raise CalledOff
        lost = (
            None
            if attempt.seat
            else patiently(lambda: multi_node_selectors.loss(run=attempt.run, now=timezone.now()))
        )
        if lost and lost.error:
            raise UnableToStart(f"{lost.node}: {lost.error}")
        if attempt.is_leaving():
            raise attempt.left()
        if lost:
            raise Left(_("The worker on %(node)s disappeared.") % {"node": lost.node})
        if time.monotonic() > deadline:
            raise Left(_("Not all machines were ready in time."))
        attempt.tried(attempt.beat)
        time.sleep(1)
    return found
