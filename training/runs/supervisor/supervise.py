"""One attempt at a run: starts the child process, follows it, beats for it, stops it, and collects
what it leaves.

Everything a person later reads about the run is written from here; torch never enters this process.
"""

import errno
import logging
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Run, Seat
from training.processes import child_process, launch, run_dir
from training.processes.launch import Launch
from training.runs import services as runs_services
from training.runs.multi_node import services as multi_node_services
from training.runs.services import Ending
from training.runs.supervisor import (
    beginning,
    ending,
    exit_messages,
    following,
    machines,
    progress_lines,
)
from training.runs.supervisor.attempt import (
    Attempt,
    CalledOff,
    Left,
    Superseded,
    UnableToStart,
    os_sentence,
    patiently,
)
from training.runs.supervisor.exit_messages import LastWords

logger = logging.getLogger(__name__)


def supervise(*, run_id: int, node: str, is_leaving: Callable[[], bool] = lambda: False) -> None:
    """Claims the run if it waits and sees this attempt to its end. Returns at once when there is
    nothing to claim.
    """
    run = patiently(lambda: runs_services.claim_run(run_id=run_id, node=node, now=timezone.now()))
    if run is None:
        logger.info("Run %s is not waiting.", run_id)
        return
    logger.info("Run %s, attempt %s, begins on %s.", run.pk, run.attempt, node)
    attempt = Attempt(run=run, folder=Path(settings.RUNS_DIR) / str(run.pk), is_leaving=is_leaving)
    try:
        ending.conclude(attempt, _go(attempt))
    except UnableToStart as problem:
        ending.finish(attempt, Ending(outcome=Run.Outcome.FAILED, error=str(problem)))
    except CalledOff:
        ending.finish(attempt, Ending(outcome=Run.Outcome.STOPPED))
    except Left as problem:
        reason = str(problem)
        patiently(
            lambda: runs_services.return_to_queue(
                run_id=run.pk, attempt=run.attempt, reason=reason, now=timezone.now()
            )
        )
    except Superseded:
        logger.warning(
            "Run %s, attempt %s, is over: another has taken its place.", run.pk, run.attempt
        )


def assist(*, seat: Seat, is_leaving: Callable[[], bool] = lambda: False) -> None:
    """Sees to one machine's part in a run that another node has claimed: prepares, begins with all
    the others, ends with them.
    """
    run = patiently(lambda: runs_services.run_to_carry_out(run_id=seat.run_id))
    logger.info(
        "Run %s, attempt %s: %s joins as machine %s.", run.pk, run.attempt, seat.node, seat.rank
    )
    folder = Path(settings.RUNS_DIR) / f"{run.pk}-{seat.rank}"
    attempt = Attempt(run=run, folder=folder, is_leaving=is_leaving, seat=seat)
    try:
        how, error = machines.help_out(attempt)
    except UnableToStart as problem:
        how, error = Seat.Ending.FAILED, str(problem)
    except (Left, Superseded):
        how, error = Seat.Ending.GONE, ""
    patiently(lambda: multi_node_services.leave_seat(seat=seat, ending=how, error=error))
    run_dir.remove(folder)


def has_room() -> bool:
    """Whether this node's disk can take a run at all. One that is full would take run after run and
    fail each.
    """
    folder = Path(settings.RUNS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free > run_dir.SPARE_BYTES


def _go(attempt: Attempt) -> LastWords:
    """Prepares the folder, runs the child to its end, and says how it ended."""
    try:
        child_process.end_previous(attempt.folder)
        run_dir.write_job(attempt.folder, beginning.job(attempt))
        run_dir.withdraw_stop(attempt.folder)
        beginning.take_over(attempt)
        process = beginning.start_child(attempt, machines.gathered(attempt))
    except run_dir.StaleAttempt as problem:
        raise Superseded from problem
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            # A full node takes no run before there is room again, so this one is not taken in
            # circles.
            logger.warning("Run %s goes back to the queue: the disk is full.", attempt.run.pk)
            raise Left(_("The disk of %(node)s is full.") % {"node": attempt.run.node}) from problem
        raise UnableToStart(os_sentence(problem)) from problem
    try:
        code = following.follow(attempt, process)
    finally:
        child_process.end_group(process.pid)
    patiently(lambda: following.record(attempt))
    if Launch.from_json(attempt.run.launch).is_parallel:
        code = launch.exit_code(
            code,
            progress_lines.log_tail(attempt.folder).rpartition(exit_messages.ATTEMPT_BEGINS)[2],
        )
    lost = (
        machines.lost_machine(attempt)
        if code > 0 and run_dir.read_result(attempt.folder) is None
        else None
    )
    return LastWords(
        exit_code=code,
        lost_machine=lost.node if lost else "",
        lost_machine_says=lost.error if lost else "",
        result=run_dir.read_result(attempt.folder),
        log=progress_lines.log_tail(attempt.folder),
        is_out_of_memory=code == -signal.SIGKILL
        and child_process.n_oom_kills() > attempt.oom_kills,
        is_stalled=attempt.is_stalled,
    )
