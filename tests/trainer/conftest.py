"""Tiny models for every test of the child process. `training.trainer` is imported first: it
switches telemetry off.
"""

import training.trainer  # noqa: F401, I001  # before transformers reads the environment

from pathlib import Path

import pytest
import torch

from tests.trainer import runs
from tests.trainer.tiny import build_tiny_model
from training.configs.reward import RewardConfig
from training.configs.sft import SftConfig
from training.processes.run_dir import RunFolder

# Two test processes on two cores, each with two threads over tiny matrices, slow each other down
# several times over.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture(scope="session")
def taught_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunFolder:
    """A finished run that taught the tiny model one answer, and to end its turn."""
    path = tmp_path_factory.mktemp("taught")
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
    return runs.finished(path / "run", "sft", config, tiny_model, snapshot)


@pytest.fixture(scope="session")
def judging_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunFolder:
    """A finished run that taught the tiny model what raters prefer: a reward model."""
    path = tmp_path_factory.mktemp("judging")
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
    return runs.finished(path / "run", "reward", config, tiny_model, snapshot)
