"""What test_mixed_precision.py runs in two processes: a sharded model in a run in bfloat16."""

from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.distributed.fsdp import FSDPModule

from tests.trainer.ppo import models
from training.processes.run_dir import RunFolder
from training.trainer import parallel
from training.trainer.modeling import sharding

FACTOR = 2.0**-9
"""Beside 1, lost in bfloat16, whose sums have eight bits."""


def spread(*, keeps_precision: bool = False) -> tuple[Any, int]:
    accelerator = Accelerator(mixed_precision="bf16")
    model: Any = sharding.spread(models.causal(), accelerator, keeps_precision=keeps_precision)
    return model, accelerator.process_index


def gradient(model: Any, factor: float) -> Tensor:
    """This process's shard of the mean gradient of all, where its own is multiplied."""
    model.zero_grad()
    (factor * model(torch.tensor([[3, 4, 5, 6]])).logits.float().square().sum()).backward()
    weight: Any = model.model.layers[0].mlp.up_proj.weight
    return weight.grad.to_local()


def computes(folder: Path) -> None:
    parallel.joined(RunFolder(folder, 1))
    model, rank = spread()
    seen: list[torch.dtype] = []
    layer = model.model.layers[0].mlp.up_proj
    layer.register_forward_pre_hook(lambda module, args: seen.append(module.weight.dtype))

    each, unequal = gradient(model, 1.0), gradient(model, 1.0 if rank else FACTOR)

    policies = {
        m._get_fsdp_state()._mp_policy for m in model.modules() if isinstance(m, FSDPModule)
    }
    (policy,) = policies
    assert policy.param_dtype == torch.bfloat16, policy
    assert set(seen) == {torch.bfloat16}, seen
    assert each.dtype == torch.float32
    assert each.abs().max() > 0
    assert torch.equal(unequal, each * (1 + FACTOR) / 2), (unequal / each).flatten()[:8]
    parallel.wait()
    parallel.destroy_process_group()


def keeps(folder: Path) -> None:
    """A judge in float32 beside a policy in bfloat16 gives the scores that it gives alone."""
    parallel.joined(RunFolder(folder, 1))
    model, _rank = spread(keeps_precision=True)
    tokens = torch.tensor([[3, 4, 5, 6]])

    with torch.no_grad():
        logits = model(tokens).logits
        alone = models.causal()(tokens).logits

    assert torch.equal(logits, alone), (logits - alone).abs().max()
    parallel.wait()
    parallel.destroy_process_group()
