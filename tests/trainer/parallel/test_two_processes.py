"""The trainers with two processes on CPU (gloo): the same update as with one.

Started by torch.distributed.run, which is what `accelerate launch --multi_gpu` calls; with --cpu
its launcher starts one process.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from services import free_port

SCRIPT = "tests/trainer/parallel/two_process_update.py"


@pytest.fixture(scope="module")
def updates(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    root = tmp_path_factory.mktemp("updates")
    found = {}
    for n in (1, 2):
        launcher = [
            "-m",
            "torch.distributed.run",
            "--nproc_per_node",
            "2",
            "--master_port",
            str(free_port()),
        ]
        command = [
            sys.executable,
            *(launcher if n == 2 else []),
            SCRIPT,
            str(root / f"{n}.pt"),
            str(n),
        ]
        # Without ACCELERATE_USE_CPU each Accelerator believes that it is alone, and shares nothing.
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path.cwd()),
            "ACCELERATE_USE_CPU": "true",
        }
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
        found[n] = torch.load(root / f"{n}.pt")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("what", ["ppo", "ranking"])
def test_two_processes_make_the_same_update_as_one(
    what: str, updates: dict[int, dict[str, Any]]
) -> None:
    assert [updates[n]["processes"] for n in (1, 2)] == [
        {"ppo": 1, "ranking": 1},
        {"ppo": 2, "ranking": 2},
    ]
    assert all(
        torch.allclose(one, two, atol=1e-5)
        for one, two in zip(updates[1][what], updates[2][what], strict=True)
    )


@pytest.mark.slow
def test_two_processes_tell_of_the_same_rollout_and_losses_as_one(
    updates: dict[int, dict[str, Any]],
) -> None:
    assert {"kl", "entropy", "explained_variance", "value", "policy_loss"} <= updates[1]["metrics"][
        0
    ].keys()
    for one, two in zip(updates[1]["metrics"], updates[2]["metrics"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
