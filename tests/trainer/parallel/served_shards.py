"""What test_sharded_ppo.py runs in two processes: a sharded policy with adapters that is given to a
rollout server, and prompts of both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from tests.trainer.ppo import models
from training.processes.run_dir import RunFolder
from training.trainer import parallel
from training.trainer.modeling import loading, sharding
from training.trainer.sample.rollout_server import RolloutServer


class Client:
    """TRL's client as far as the first process calls it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, list[int]]] = []
        self.sent: dict[str, Tensor] = {}

    def update_named_params(
        self, told: list[tuple[str, str, list[int]]], weights: Iterator[tuple[str, Tensor]]
    ) -> None:
        self.told, self.sent = told, dict(weights)

    def reset_prefix_cache(self) -> None:
        pass

    def generate(self, prompts: list[list[int]], **_settings: Any) -> dict[str, list[list[int]]]:
        return {"completion_ids": [[*prompt, 2] for prompt in prompts]}


def policy() -> Any:
    model: Any = models.lora_models().policy
    torch.manual_seed(7)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_()
    return model


def hand_over(folder: Path) -> None:
    parallel.joined(RunFolder(folder, 1))
    accelerator = Accelerator()
    rank = accelerator.process_index
    client: Any = Client() if rank == 0 else None
    server = RolloutServer(client, rank, torch.float32)
    model = sharding.spread(policy(), accelerator)

    server.take(model)
    written = server.drawn([[rank + 3]], max_new_tokens=4, ends={2}, temperature=1.0, top_p=1.0)

    assert [ids for ids, _logprobs in written] == [[rank + 3, 2]], written
    if client is not None:
        expected = dict(loading.merged(policy(), torch.float32).named_parameters())
        assert {name: shape for name, _dtype, shape in client.told} == {
            name: list(weight.shape) for name, weight in expected.items()
        }
        for name, weight in expected.items():
            assert torch.equal(client.sent[name], weight), name
    parallel.wait()
    parallel.destroy_process_group()
