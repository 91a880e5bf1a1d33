"""The trainers with two processes on CPU (gloo): the same update as with one."""

from typing import Any

import pytest
import torch
from services import free_port

from tests.trainer import warm
from tests.trainer.parallel.launched import LIMIT_S, ranks
from tests.trainer.parallel.two_process_update import update

# One test process makes the updates.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two processes")]
# Without it each Accelerator believes that it is alone, and shares nothing.
ON_CPU = {"ACCELERATE_USE_CPU": "true"}


@pytest.fixture(scope="module")
def updates(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    root = tmp_path_factory.mktemp("updates")
    places: dict[int, list[dict[str, str]]] = {1: [{}], 2: ranks(2, free_port())}
    found = {}
    for n, environments in places.items():
        out = root / f"{n}.pt"
        done = warm.together(
            update,
            out,
            n,
            environments=[ON_CPU | environment for environment in environments],
            log=root / f"{n}.log",
            limit_s=LIMIT_S,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found[n] = torch.load(out)
    return found


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


def test_two_processes_tell_of_the_same_rollout_and_losses_as_one(
    updates: dict[int, dict[str, Any]],
) -> None:
    assert {"kl", "entropy", "explained_variance", "value", "policy_loss"} <= updates[1]["metrics"][
        0
    ].keys()
    for one, two in zip(updates[1]["metrics"], updates[2]["metrics"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
