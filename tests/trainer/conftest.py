"""Tiny models for every test of the child process. `training.trainer` is imported first: it
switches telemetry off.
"""

import training.trainer  # noqa: F401, I001  # before transformers reads the environment

import fcntl
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.trainer import runs
from tests.trainer.smollm2 import smollm2_folder  # noqa: F401  # a fixture
from tests.trainer.tiny import build_tiny_model
from training.configs.reward import RewardConfig
from training.configs.sft import SftConfig
from training.processes.run_dir import RunFolder

# Two test processes on two cores, each with two threads over tiny matrices, slow each other down
# several times over. Processes that a test starts learn it as from training.trainer.__main__.
torch.set_num_threads(1)
os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def finished_once(
    factory: pytest.TempPathFactory, name: str, carry_out: Callable[[Path], RunFolder]
) -> RunFolder:
    """One run for all test processes: the first carries it out, the others wait. Nobody may write
    to it.
    """
    path = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        path = path.parent
    with (path / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / f"{name}.done").exists():
            carry_out(path / name)
            (path / f"{name}.done").touch()
    return RunFolder(path / name / "run", attempt=1)


@pytest.fixture(scope="session")
def taught_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunFolder:
    """A finished run that taught the tiny model one answer, and to end its turn."""
    return finished_once(tmp_path_factory, "taught", partial(_teach, tiny_model))


def _teach(model: Path, path: Path) -> RunFolder:
    snapshot = runs.demonstrations(path / "snapshot", n_train=32, n_held_out=8)
    config = SftConfig(
        method="full",
        learning_rate=1e-2,
        n_epochs=6,
        batch_size=4,
        accumulation=1,
        max_tokens=64,
        dtype="float32",
        checkpoint_every=0,
    )
    return runs.finished(path / "run", "sft", config, model, snapshot)


@pytest.fixture(scope="session")
def judging_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunFolder:
    """A finished run that taught the tiny model what raters prefer: a reward model."""
    return finished_once(tmp_path_factory, "judging", partial(_teach_to_judge, tiny_model))


def _teach_to_judge(model: Path, path: Path) -> RunFolder:
    snapshot = runs.rankings(path / "snapshot")
    config = RewardConfig(
        method="full",
        learning_rate=5e-3,
        n_epochs=4,
        batch_size=4,
        accumulation=1,
        max_tokens=64,
        dtype="float32",
        checkpoint_every=0,
        keeps_state="never",
    )
    return runs.finished(path / "run", "reward", config, model, snapshot)
