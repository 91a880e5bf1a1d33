"""Run by test_two_processes.py with one process and with two: an update of PPO and of the ranking
trainer, weights to a file.
"""

import sys
from pathlib import Path
from typing import Any

import torch

from tests.trainer.ppo import models as ppo_models
from tests.trainer.reward.test_trainer import build_model, rule_rows, trainer_for

OUT = Path(sys.argv[1])


def ppo() -> list[torch.Tensor]:
    """Each process holds its half of the stored episodes."""
    trainer = ppo_models.trainer(ptx=[([3, 4], [5, 2])], ptx_coef=0.5, warmup_steps=5)
    processes["ppo"] = trainer.accelerator.num_processes
    share = 8 // trainer.accelerator.num_processes
    first = trainer.accelerator.process_index * share
    for _update in range(2):  # the second at the rate that the warm-up has come to
        experience = ppo_models.stored_experience(trainer, first, first + share)
        metrics.append(trainer.describe(experience) | trainer.updater.update(experience))
    models = (
        trainer.accelerator.unwrap_model(model)
        for model in (trainer.trained.policy, trainer.trained.value)
    )
    return [p.detach() for model in models for p in model.parameters()]


def ranking() -> list[torch.Tensor]:
    """Eight rankings an optimizer step, however many processes share them."""
    model = build_model()
    n = int(sys.argv[2])
    # plain SGD: Adam's first steps are lr·sign(g), which turns rounding at g ≈ 0 into whole steps
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 8 // n,
        "max_steps": 2,
        "learning_rate": 0.5,
        "optim": "sgd",
    }
    trainer = trainer_for(model, OUT.parent / "ranking", rule_rows(16, seed=4), **settings)
    processes["ranking"] = trainer.accelerator.num_processes
    trainer.train()
    return [p.detach() for p in model.parameters()]


processes: dict[str, int] = {}
metrics: list[dict[str, float]] = []
weights = {"ppo": ppo(), "ranking": ranking(), "processes": processes, "metrics": metrics}
if torch.distributed.is_initialized():
    if torch.distributed.get_rank() == 0:
        torch.save(weights, OUT)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
else:
    torch.save(weights, OUT)
