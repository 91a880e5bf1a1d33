"""How a supervisor learns that its worker is shutting down, so that it saves the run and requeues
it. The notice is a file: the worker's main process writes it, and its pool processes look for
it.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from django.conf import settings

from training.processes import linux


def post(worker_pid: int) -> None:
    """Call it in a worker's main process when its shutdown begins."""
    path = _path(worker_pid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def remove(worker_pid: int) -> None:
    """Call it in a worker's main process just before it exits."""
    _path(worker_pid).unlink(missing_ok=True)


@contextlib.contextmanager
def watch(*, has_worker: bool) -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether to shut down: after SIGTERM or, with `has_worker`, when
    the parent worker has posted a notice or died.

    A SIGTERM caught meanwhile is sent again at the end of the block, to the handler from before.
    """
    caught: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    worker_pid = os.getppid()
    before = signal.signal(signal.SIGTERM, remember)
    at_death_before = linux.parent_death_signal()
    if has_worker:
        linux.die_with_parent(signal.SIGTERM)
    path = _path(worker_pid)

    def is_leaving() -> bool:
        return bool(caught) or (has_worker and (os.getppid() != worker_pid or path.exists()))

    try:
        yield is_leaving
    finally:
        signal.signal(signal.SIGTERM, before)
        if has_worker and os.getppid() == worker_pid:
            linux.die_with_parent(at_death_before)
        if caught:
            os.kill(os.getpid(), signal.SIGTERM)


def _path(worker_pid: int) -> Path:
    """Includes the worker's start time, so that a later process with the same pid does
    not find it.
    """
    started = linux.start_time(worker_pid) or "0"
    return Path(settings.RUNS_DIR) / f".leaving-{worker_pid}-{started}"
