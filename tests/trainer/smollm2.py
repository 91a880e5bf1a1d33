"""SmolLM2, converted once for all processes of a run of the tests: it takes 18 s of a core."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_INSTALLED = 3


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody may write into it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "SmolLM2"
    with (shared / "SmolLM2.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            command = [sys.executable, "-m", "training.trainer.demo_model", str(folder)]
            made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if made.returncode == NOT_INSTALLED:
                pytest.skip(made.stderr)
            assert made.returncode == 0, made.stderr
    return folder
