"""Watches the child until it ends: sends heartbeats, records progress, asks it to stop, and kills
it when it stalls.
"""

import subprocess
import time
from contextlib import suppress

from django.conf import settings
from django.utils import timezone

from training.processes import child_process, run_dir
from training.runs import services as runs_services
from training.runs.supervisor.attempt import Attempt, Superseded

TICK_S = 0.2
PROGRESS_EVERY_S = 1.0


def follow(attempt: Attempt, process: "subprocess.Popen[bytes]") -> int:
    """Returns the exit code once the child has ended."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=TICK_S)
        now = time.monotonic()
        if now - attempt.heartbeat_at >= settings.RUN_HEARTBEAT_S:
            attempt.heartbeat_at = now
            attempt.try_database(attempt.send_heartbeat)
        if now - attempt.read_at >= PROGRESS_EVERY_S:
            attempt.read_at = now
            attempt.try_database(lambda: record_progress(attempt))
        attempt.uploader.send_if_new()
        if attempt.is_leaving() or attempt.leaving_node or attempt.has_lost_database():
            attempt.is_interrupted = True
        if attempt.is_interrupted or attempt.is_stop_requested:
            run_dir.request_stop(attempt.folder)
        if _is_stalled(attempt, now):
            attempt.is_stalled = True
            child_process.kill_group(process.pid)


def record_progress(attempt: Attempt) -> None:
    """Stores what the child has written since the last call. Raises Superseded."""
    new = attempt.reader.read()
    if not new.has_changed:
        return
    accepted = runs_services.record_progress(
        run_id=attempt.run.pk,
        attempt=attempt.run.attempt,
        points=new.points,
        samples=new.samples,
        checks=new.checks,
        notes=new.notes,
        log_tail=new.log_tail,
        n_log_lines=new.n_log_lines,
        auto_dtype=new.auto_dtype,
        now=timezone.now(),
    )
    if not accepted:
        raise Superseded
    attempt.reader.advance(new)


def _is_stalled(attempt: Attempt, now: float) -> bool:
    """Whether the child has written neither progress nor log for RUN_STALL_AFTER_S."""
    size = sum(
        path.stat().st_size
        for name in (run_dir.PROGRESS, run_dir.LOG)
        if (path := attempt.folder / name).exists()
    )
    if size != attempt.size:
        attempt.size, attempt.moved_at = size, now
    return now - attempt.moved_at > settings.RUN_STALL_AFTER_S
