"""The quick forms of benchmarks/faults.py: one fault of each kind, and nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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
OF_JUDGE = (
    "hung",
    "verdicts_lost",
    "pairs_judged_wrongly_or_twice",
    "money_uncounted",
    "money_summed_wrongly",
)
N_KINDS, N_OF_JUDGE = 20 + 6, 6


@pytest.mark.slow
def test_nothing_is_lost_when_everything_breaks_once() -> None:
    found, output = faults("--quick")

    assert {name: found[name] for name in LOST} == dict.fromkeys(LOST, 0), output
    assert found["max_redone_steps_over_interval"] <= 1, output
    assert found["faults"] == N_KINDS, output
    assert found["judgments"] > 0, output
    assert found["turns"] > 0, output


@pytest.mark.slow
def test_a_judge_loses_nothing_and_counts_all_its_money_when_everything_breaks_once() -> None:
    found, output = faults("--quick", "--only", "judge")

    assert {name: found[name] for name in OF_JUDGE} == dict.fromkeys(OF_JUDGE, 0), output
    assert found["faults"] == N_OF_JUDGE, output
    assert found["verdicts"] > 0, output


def faults(*options: str) -> tuple[dict[str, Any], str]:
    """The figures, and everything that was printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(
        [sys.executable, "benchmarks/faults.py", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stdout
