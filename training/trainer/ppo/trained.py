"""What a PPO run trains and saves in a checkpoint: policy and value model, optimizer, schedule,
moving average and state.
"""

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from training.configs.ppo import PpoConfig
from training.trainer import parallel, progress
from training.trainer.modeling import sharding
from training.trainer.ppo import collapse
from training.trainer.ppo.roles import Roles

# The optimizer's groups, and the order of the models in a checkpoint.
POLICY, VALUE = 0, 1
_FILES = ("policy.safetensors", "value.safetensors")
_AVERAGE = "ema.pt"
# The whole optimizer of a sharded run, by names. Others are in Accelerate's optimizer.bin.
_WHOLE_OPTIMIZER = "optimizer_by_name.pt"


@dataclass
class State:
    """State that a resume needs, besides weights, optimizer, scheduler and random states."""

    step: int = 0
    beta: float = 0.0
    reward_count: float = 0.0
    reward_mean: float = 0.0
    reward_m2: float = 0.0
    ended: list[float] = field(default_factory=list)
    """The share of each rollout's responses that ended."""
    watchdog: list[float] = field(default_factory=list)
    """The watchdog's mean reward of each rollout."""
    signs: dict[str, list[float]] = field(default_factory=dict)
    """Of each rollout, by metric: what the other checks compare, and how tokens that a server drew
    were weighed.
    """
    warned: list[str] = field(default_factory=list)
    """The checks that have warned."""
    before: dict[str, float] = field(default_factory=dict)
    """The evaluation before the first step."""
    scores_before: list[float] = field(default_factory=list)
    """The rewards of the held-out prompts in that evaluation."""
    best_gain: float = -math.inf
    """The gain that is sure (see best_step), on the held-out prompts that choose."""
    best_step: int = 0

    def state_dict(self) -> dict[str, object]:
        return dataclasses.asdict(self)

    def load_state_dict(self, saved: Mapping[str, object]) -> None:
        for name, value in saved.items():
            setattr(self, name, value)


class Trained:
    """The two trained models, prepared for several processes, with optimizer and scheduler.

    Sharded models are two roots of FSDP2: neither is a part of the other, and the optimizer and
    the checkpoints take both as one.
    """

    def __init__(
        self, roles: Roles, config: PpoConfig, accelerator: Accelerator, state: State
    ) -> None:
        self.config, self.accelerator = config, accelerator
        self.policy: Any = roles.policy
        self.value: Any = roles.value
        # By name. Between forward and backward pass, FSDP has other tensors in these places.
        self.weights = [
            {name: p for name, p in model.named_parameters() if p.requires_grad}
            for model in (roles.policy, roles.value)
        ]
        rates = (config.learning_rate, config.value_learning_rate)
        groups: list[dict[str, object]] = [
            {"params": list(named.values()), "lr": rate}
            for named, rate in zip(self.weights, rates, strict=True)
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True)
        # Not prepared: Accelerate's scheduler takes as many steps at once as there are processes.
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._warmup)
        if not parallel.is_sharded():
            self.policy, self.value, self.optimizer = accelerator.prepare(
                roles.policy, roles.value, self.optimizer
            )
        for model in (self.policy, self.value):
            model.eval()  # dropout would make the ratio noisy: InstructGPT's RL has none
        accelerator.register_for_checkpointing(state, self.scheduler)
        accelerator.register_save_state_pre_hook(self._save_weights)
        accelerator.register_load_state_pre_hook(self._skip_weights)
        self.ema = (
            [p.detach().clone() for p in self.weights[POLICY].values()] if config.ema_decay else []
        )

    def _warmup(self, step: int) -> float:
        """From a tenth of the peak over `warmup_steps` rollouts, then constant (Ouyang 2022, App.
        C.4).
        """
        updates = self.config.warmup_steps * self.config.n_minibatches * self.config.n_inner_epochs
        return 1.0 if step >= updates else 0.1 + 0.9 * step / updates

    def step(self, which: int) -> float:
        """Updates the model that has gradients (policy or value) and returns its gradient norm."""
        params = self.optimizer.param_groups[which]["params"]
        norm = float(
            self.accelerator.clip_grad_norm_(params, self.config.max_grad_norm or math.inf)
        )
        if not math.isfinite(norm):
            raise collapse.Collapse(
                "The gradient became infinite or not a number. Lower the learning rate, or raise β."
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if which == POLICY:
            with torch.no_grad():
                for kept, current in zip(self.ema, params, strict=False):
                    kept.lerp_(current, 1 - self.config.ema_decay)
        return norm

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Inside, the policy has its moving average's weights, if one is kept."""
        params = self.optimizer.param_groups[POLICY]["params"]
        current = [p.detach().clone() for p in params] if self.ema else []
        sharding.reshard(self.policy)
        with torch.no_grad():
            for p, kept in zip(params, self.ema, strict=False):
                p.copy_(kept)
        try:
            yield
        finally:
            sharding.reshard(self.policy)
            with torch.no_grad():
                for p, saved in zip(params, current, strict=False):
                    p.copy_(saved)

    def whole_policy(self) -> dict[str, Tensor]:
        """The policy's trained weights by name, in the first process. A collective call."""
        return self._collected(POLICY)

    def _collected(self, which: int) -> dict[str, Tensor]:
        named = self.weights[which]
        return dict(zip(named, sharding.collected(named.values()), strict=False))

    def give_policy(self, weights: dict[str, Tensor]) -> None:
        """The policy's trained weights become those that the first process has; the others may have
        none. A collective call.
        """
        self._give(POLICY, weights)

    def _give(self, which: int, weights: dict[str, Tensor]) -> None:
        sharding.reshard((self.policy, self.value)[which])
        if weights and weights.keys() != self.weights[which].keys():
            raise ValueError(
                f"{_FILES[which]} has other weights than the trained ones: it is from another run."
            )
        for name, p in self.weights[which].items():
            sharding.fill(p, weights.get(name))

    # -- checkpoints --

    def save(self, folder: Path) -> None:
        """Saves weights, optimizer, scheduler, random states, β and the rest: a resumed run
        continues as if it had never stopped. A collective call.
        """
        self.accelerator.save_state(str(folder))
        average = sharding.collected(self.ema)
        optimizer = self._whole_optimizer() if parallel.is_sharded() else {}
        if average:
            torch.save(average, folder / _AVERAGE)
        if optimizer:
            torch.save(optimizer, folder / _WHOLE_OPTIMIZER)

    def load(self, folder: Path | None) -> None:
        """Weights come from the first process: others may be on machines that have no checkpoint
        (None). A collective call.
        """
        if folder is not None:
            was_sharded = (folder / _WHOLE_OPTIMIZER).exists()
            progress.require_same_sharding(was_sharded=was_sharded)
            self.accelerator.load_state(str(folder))
        if parallel.is_sharded():
            self._load_optimizer(folder)
        for which, name in enumerate(_FILES):
            self._give(which, safetensors.torch.load_file(folder / name) if folder else {})
        average = torch.load(folder / _AVERAGE, map_location="cpu") if folder and self.ema else None
        for number, kept in enumerate(self.ema):
            sharding.fill(kept, average[number] if average else None)

    def _save_weights(
        self, models: list[nn.Module], weights: list[dict[str, Tensor]], folder: str
    ) -> None:
        """The trained weights, each once, instead of full state dicts. Tied and frozen weights come
        with the model.
        """
        for which, name in enumerate(_FILES):
            state = self._collected(which)
            if state:
                safetensors.torch.save_file(state, Path(folder) / name)
        weights.clear()

    def _skip_weights(self, models: list[nn.Module], folder: str) -> None:
        """`load` reads them."""
        models.clear()

    def _both(self) -> nn.Module:
        return nn.ModuleList([self.policy, self.value])

    def _whole_optimizer(self) -> dict[str, Any]:
        """Empty in all but the first process."""
        self._reshard()
        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        return get_optimizer_state_dict(self._both(), self.optimizer, options=options)

    def _load_optimizer(self, folder: Path | None) -> None:
        self._reshard()
        saved = {}
        if folder is not None and parallel.is_first():
            saved = torch.load(folder / _WHOLE_OPTIMIZER, map_location="cpu")
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        set_optimizer_state_dict(self._both(), self.optimizer, saved, options=options)

    def _reshard(self) -> None:
        for model in (self.policy, self.value):
            sharding.reshard(model)
