"""Messages to the workers: if the broker is away, nobody waits for it."""

import os
import subprocess
import sys
from pathlib import Path

import services as servers


def test_without_a_broker_a_person_waits_less_than_two_seconds_and_no_error_is_raised() -> None:
    address = f"redis://127.0.0.1:{servers.free_port()}/0"
    code = (
        "import time, django; django.setup(); from labeling.data.imports import doorbell; started ="
        " time.monotonic(); print(doorbell.ring_import(1), time.monotonic() - started < 2)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ | {"REDIS_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.strip() == "False True"
    assert "The beat sends it again" in done.stderr
