"""Calls services that may be unavailable, and waits with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from benchmarks.faulty.gpu_simulator import GpuSimulator

PATIENCE_S = 240
T = TypeVar("T")


def asked(call: Callable[[], T]) -> T:
    """Retries while the database is unavailable."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def until(claim: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.1)


def comes_back(rack: GpuSimulator, name: str) -> bool:
    """Whether the process runs, or will after its keeper's next check."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if rack.processes[name].poll() is None:
            return True
        time.sleep(0.2)
    return False
