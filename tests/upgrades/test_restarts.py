"""The quick form of benchmarks/operating/restarts.py: 30 raters work through an upgrade, and one
without Redis after it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tooling import databases

ROOT = Path(__file__).resolve().parents[2]
CADDY = os.environ.get("CADDY") or shutil.which("caddy")


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(CADDY is None, reason="caddy is missing")
def test_nobody_notices_an_upgrade() -> None:
    template = databases.PREFIX + databases.fingerprint()
    command = "-m benchmarks.operating.restarts --quick --template"

    done = subprocess.run(
        [sys.executable, *command.split(), template],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert {name: found[name] for name in ("failed", "lost")} == {"failed": 0, "lost": 0}, done
    assert found["judged"] > found["judged_without_redis"] >= 30
    assert found["restarts"] == 2
    assert found["longest_stop_s"] < 30
    assert found["migrate_attempts"] > 1, "the lock of a backup was not in its way"
