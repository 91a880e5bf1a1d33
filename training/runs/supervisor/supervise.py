"""Supervises one attempt at a run: starts the child process, follows it, sends heartbeats, and
collects what it leaves.

Everything people later read about the run is written here. The child imports torch; this process
never does.
"""

import errno
import logging
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Run, Seat
from training.processes import child_process, launch, run_dir
from training.processes.launch import Launch
from training.runs import lost_runs
from training.runs import services as runs_services
from training.runs.multi_node import services as multi_node_services
from training.runs.services import AttemptResult
from training.runs.supervisor import (
    collect,
    exit_messages,
    follow,
    machines,
    prepare,
    progress_lines,
)
from training.runs.supervisor.attempt import (
    Attempt,
    Requeue,
    StoppedWhileWaiting,
    Superseded,
    UnableToStart,
    os_sentence,
    retry_database,
)
from training.runs.supervisor.exit_messages import ChildExit

logger = logging.getLogger(__name__)


def supervise(*, run_id: int, node: str, is_leaving: Callable[[], bool] = lambda: False) -> bool:
    """Claims the run if it is queued, and returns True when this attempt is over. Returns False at
    once if there is nothing to claim: another node was faster, or somebody stopped it.
    """
    run = retry_database(
        lambda: runs_services.claim_run(run_id=run_id, node=node, now=timezone.now())
    )
    if run is None:
        logger.info("Run %s is not waiting.", run_id)
        return False
    logger.info("Run %s, attempt %s, begins on %s.", run.pk, run.attempt, node)
    attempt = Attempt(run=run, folder=Path(settings.RUNS_DIR) / str(run.pk), is_leaving=is_leaving)
    try:
        collect.conclude(attempt, _run_child(attempt))
    except UnableToStart as problem:
        collect.finish(attempt, AttemptResult(outcome=Run.Outcome.FAILED, error=str(problem)))
    except StoppedWhileWaiting:
        collect.finish(attempt, AttemptResult(outcome=Run.Outcome.STOPPED))
    except Requeue as problem:
        reason = str(problem)
        retry_database(
            lambda: lost_runs.return_to_queue(
                run_id=run.pk, attempt=run.attempt, reason=reason, now=timezone.now()
            )
        )
    except Superseded:
        logger.warning(
            "Run %s, attempt %s, is over: another has taken its place.", run.pk, run.attempt
        )
    except (OperationalError, InterfaceError):
        raise  # without a database nothing can be said: the reaper requeues the run
    except Exception as problem:  # the edge of the process: another attempt would fail again
        logger.exception("Run %s, attempt %s, met an unexpected error.", run.pk, run.attempt)
        with suppress(Superseded):
            collect.finish(
                attempt,
                AttemptResult(outcome=Run.Outcome.FAILED, error=_unexpected(attempt, problem)),
            )
    return True


def supervise_joined_machine(*, seat: Seat, is_leaving: Callable[[], bool] = lambda: False) -> None:
    """Runs one machine's part in a run that another node has claimed: prepares, starts with all
    others, and ends with them.
    """
    run = retry_database(lambda: runs_services.run_with_inputs(run_id=seat.run_id))
    logger.info(
        "Run %s, attempt %s: %s joins as machine %s.", run.pk, run.attempt, seat.node, seat.rank
    )
    folder = Path(settings.RUNS_DIR) / f"{run.pk}-{seat.rank}"
    attempt = Attempt(run=run, folder=folder, is_leaving=is_leaving, seat=seat)
    try:
        ending, error = machines.join_run(attempt)
    except UnableToStart as problem:
        ending, error = Seat.Ending.FAILED, str(problem)
    except (Requeue, Superseded):
        ending, error = Seat.Ending.GONE, ""
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:  # the edge of the process, as in `supervise`
        logger.exception("Run %s: %s met an unexpected error.", run.pk, seat.node)
        ending, error = Seat.Ending.FAILED, _unexpected(attempt, problem)
    retry_database(lambda: multi_node_services.close_seat(seat=seat, ending=ending, error=error))
    run_dir.remove(folder)


def has_room() -> bool:
    """Whether this node's disk has room for a run. A full node would take run after run and fail
    each.
    """
    folder = Path(settings.RUNS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free > run_dir.SPARE_BYTES


def _unexpected(attempt: Attempt, problem: Exception) -> str:
    lines = str(problem).splitlines() or [""]
    error = f"{type(problem).__name__}: {lines[0]}".rstrip(": .")
    sentence = _(
        "The worker on %(node)s met an unexpected error: %(error)s. The full trace is in its log."
    )
    node = attempt.seat.node if attempt.seat else attempt.run.node
    return sentence % {"node": node, "error": error}


def _run_child(attempt: Attempt) -> ChildExit:
    """Prepares the folder and runs the child to its end."""
    try:
        child_process.kill_previous(attempt.folder)
        run_dir.write_job(attempt.folder, prepare.build_job(attempt))
        run_dir.clear_stop(attempt.folder)
        prepare.restore_state(attempt)
        process = prepare.start_child(attempt, machines.wait_for_machines(attempt))
    except run_dir.StaleAttempt as problem:
        raise Superseded from problem
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            # A full node takes no run until there is room again, so this cannot loop.
            logger.warning("Run %s goes back to the queue: the disk is full.", attempt.run.pk)
            raise Requeue(
                _("The disk of %(node)s is full.") % {"node": attempt.run.node}
            ) from problem
        raise UnableToStart(os_sentence(problem)) from problem
    try:
        code = follow.follow(attempt, process)
    finally:
        child_process.kill_group(process.pid)
    retry_database(lambda: follow.record_progress(attempt))
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
    return ChildExit(
        exit_code=code,
        lost_machine=lost.node if lost else "",
        lost_machine_error=lost.error if lost else "",
        result=run_dir.read_result(attempt.folder),
        log=progress_lines.log_tail(attempt.folder),
        is_out_of_memory=code == -signal.SIGKILL
        and child_process.n_oom_kills() > attempt.oom_kills,
        is_stalled=attempt.is_stalled,
    )
