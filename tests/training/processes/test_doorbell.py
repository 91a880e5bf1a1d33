"""The doorbell: a lost message does no harm, because the row is the queue."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import services as servers

from training.models import Run
from training.processes import doorbell
from training.runs import tasks as runs_tasks

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_queued_run_rings_once_for_itself(queue: Callable[..., Run]) -> None:
    before = doorbell.n_waiting()

    queue()

    assert doorbell.n_waiting() == before + 1


def test_the_beat_does_not_pile_up_rings_that_nobody_answers(queue: Callable[..., Run]) -> None:
    queue()
    waiting = doorbell.n_waiting()

    runs_tasks.ring_queued_runs()

    assert doorbell.n_waiting() == waiting


@pytest.mark.slow
def test_without_a_broker_ringing_says_so_within_seconds_and_raises_nothing() -> None:
    address = f"redis://127.0.0.1:{servers.free_port()}/0"
    code = (
        "import time, django; django.setup(); from training.processes import doorbell;"
        " started = time.monotonic(); print(doorbell.ring(1), doorbell.n_waiting(),"
        " time.monotonic() - started < 4)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ | {"REDIS_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.strip() == "False 0 True"
    assert "The beat sends it again" in done.stderr
