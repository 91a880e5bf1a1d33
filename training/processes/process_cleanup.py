"""How a supervisor learns that its worker is shutting down, so that it saves the run and returns it
to the queue instead of losing it.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from django.conf import settings

from training.processes import linux


def announce(worker_pid: int) -> None:
    """Called in a worker's main process when it begins to end; its pool processes look for the
    mark.
    """
    mark = _mark(worker_pid)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def withdraw(worker_pid: int) -> None:
    """The worker is about to be gone, and its mark with it."""
    _mark(worker_pid).unlink(missing_ok=True)


@contextlib.contextmanager
def noticed(*, has_worker: bool) -> Iterator[Callable[[], bool]]:
    """Yields whether this process should leave: SIGTERM came or, where its parent is a worker, that
    one ends or has died.

    The signal is delivered again at the end of the block, to whoever handled it before.
    """
    caught: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    worker_pid = os.getppid()
    before = signal.signal(signal.SIGTERM, remember)
    at_death_before = linux.signal_at_parents_death()
    if has_worker:
        linux.die_with_parent(signal.SIGTERM)
    mark = _mark(worker_pid)

    def is_leaving() -> bool:
        return bool(caught) or (has_worker and (os.getppid() != worker_pid or mark.exists()))

    try:
        yield is_leaving
    finally:
        signal.signal(signal.SIGTERM, before)
        if has_worker and os.getppid() == worker_pid:
            linux.die_with_parent(at_death_before)
        if caught:
            os.kill(os.getpid(), signal.SIGTERM)


def _mark(worker_pid: int) -> Path:
    """Named with the moment the worker started, so that a later process with the same number is not
    meant.
    """
    started = linux.started(worker_pid) or "0"
    return Path(settings.RUNS_DIR) / f".leaving-{worker_pid}-{started}"
