"""What test_two_processes.py runs with one process and with two: an update of PPO and of the
ranking trainer, weights to a file.
"""

from pathlib import Path
from typing import Any

import torch
from torch import distributed

from tests.trainer.ppo import models as ppo_models
from tests.trainer.reward.test_trainer import build_model, rule_rows, trainer_for
from training.trainer import parallel

Found = tuple[int, list[torch.Tensor]]
"""How many processes shared the update, and the weights after it."""


def update(out: Path, n: int) -> None:
    metrics: list[dict[str, float]] = []
    found = {"ppo": ppo(metrics), "ranking": ranking(out.parent / "ranking", n)}
    weights = {what: trained for what, (_, trained) in found.items()}
    processes = {what: shared_by for what, (shared_by, _) in found.items()}
    if not distributed.is_initialized() or distributed.get_rank() == 0:
        torch.save(weights | {"processes": processes, "metrics": metrics}, out)
    parallel.wait()
    parallel.destroy_process_group()


def ppo(metrics: list[dict[str, float]]) -> Found:
    """Each process holds its half of the stored episodes."""
    trainer = ppo_models.trainer(ptx=[([3, 4], [5, 2])], ptx_coef=0.5, warmup_steps=5)
    n = trainer.accelerator.num_processes
    share = 8 // n
    first = trainer.accelerator.process_index * share
    for _update in range(2):  # the second at the rate that the warm-up has come to
        experience = ppo_models.stored_experience(trainer, first, first + share)
        metrics.append(trainer.describe(experience) | trainer.updater.update(experience))
    models = (
        trainer.accelerator.unwrap_model(model)
        for model in (trainer.trained.policy, trainer.trained.value)
    )
    return n, [p.detach() for model in models for p in model.parameters()]


def ranking(folder: Path, n: int) -> Found:
    """Eight rankings an optimizer step, however many processes share them."""
    model = build_model()
    # plain SGD: Adam's first steps are lr·sign(g), which turns rounding at g ≈ 0 into whole steps
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 8 // n,
        "max_steps": 2,
        "learning_rate": 0.5,
        "optim": "sgd",
    }
    trainer = trainer_for(model, folder, rule_rows(16, seed=4), **settings)
    shared_by = trainer.accelerator.num_processes
    trainer.train()
    return shared_by, [p.detach() for p in model.parameters()]
