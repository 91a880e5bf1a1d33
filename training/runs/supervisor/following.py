"""Follows the child to its end: beats, tells what it reports, asks it to stop, and ends one that
stands still.
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
    """Until the child has ended: its exit code."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=TICK_S)
        now = time.monotonic()
        if now - attempt.beat_at >= settings.RUN_HEARTBEAT_S:
            attempt.beat_at = now
            attempt.tried(attempt.beat)
        if now - attempt.read_at >= PROGRESS_EVERY_S:
            attempt.read_at = now
            attempt.tried(lambda: record(attempt))
        attempt.shipper.look()
        if attempt.is_leaving() or attempt.leaver or attempt.is_out_of_patience():
            attempt.has_left = True
        if attempt.has_left or attempt.is_stop_requested:
            run_dir.request_stop(attempt.folder)
        if _stands_still(attempt, now):
            attempt.is_stalled = True
            child_process.end_group(process.pid)


def record(attempt: Attempt) -> None:
    news = attempt.reader.read()
    if not news.is_news:
        return
    accepted = runs_services.record_progress(
        run_id=attempt.run.pk,
        attempt=attempt.run.attempt,
        points=news.points,
        samples=news.samples,
        notes=news.notes,
        log_tail=news.log_tail,
        n_log_lines=news.n_log_lines,
        now=timezone.now(),
    )
    if not accepted:
        raise Superseded
    attempt.reader.keep(news)


def _stands_still(attempt: Attempt, now: float) -> bool:
    size = sum(
        path.stat().st_size
        for name in (run_dir.PROGRESS, run_dir.LOG)
        if (path := attempt.folder / name).exists()
    )
    if size != attempt.size:
        attempt.size, attempt.moved_at = size, now
    return now - attempt.moved_at > settings.RUN_STALL_AFTER_S
