"""The quick form of benchmarks/faults.py: one fault of each kind, and nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "PREFERABLY_",
    "DJANGO_SETTINGS_MODULE",
    "FAULTS_HOME",
    "PYTEST_",
    "PYTHONPATH",
)
LOST = ("runs_lost", "runs_twice", "judgments_lost", "turns_lost", "turns_twice", "hung")
N_KINDS = 20 + 6


@pytest.mark.slow
def test_nothing_is_lost_when_everything_breaks_once() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}

    command = [sys.executable, "benchmarks/faults.py", "--quick"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    lost = {
        name: found[name]
        for name in (
            "runs_lost",
            "runs_twice",
            "judgments_lost",
            "turns_lost",
            "turns_twice",
            "hung",
        )
    }
    assert lost == dict.fromkeys(lost, 0), done.stdout
    assert found["max_redone_steps_over_interval"] <= 1, done.stdout
    assert found["faults"] == N_KINDS, done.stdout
    assert found["judgments"] > 0, done.stdout
    assert found["turns"] > 0, done.stdout
