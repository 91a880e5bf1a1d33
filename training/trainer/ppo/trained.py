"""What a PPO run trains and saves in a checkpoint: policy and value model, optimizer, schedule,
moving average and state.
"""

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.configs.ppo import PpoConfig
from training.trainer.ppo import collapse
from training.trainer.ppo.roles import Roles

# The optimizer's groups, and the order of the models in a checkpoint.
POLICY, VALUE = 0, 1
_FILES = ("policy.safetensors", "value.safetensors")
_AVERAGE = "ema.pt"


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
    before: dict[str, float] = field(default_factory=dict)
    """The evaluation before the first step."""
    scores_before: list[float] = field(default_factory=list)
    """The rewards of the held-out prompts in that evaluation."""
    best_gain: float = -math.inf
    """The gain that is sure (see best_step), on the held-out prompts that choose."""
    best_step: int = 0

    def state_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        for name, value in saved.items():
            setattr(self, name, value)


class Trained:
    """The two trained models, prepared for several processes, with optimizer and scheduler."""

    def __init__(
        self, roles: Roles, config: PpoConfig, accelerator: Accelerator, state: State
    ) -> None:
        self.config, self.accelerator = config, accelerator
        groups: list[dict[str, Any]] = [
            {
                "params": [p for p in roles.policy.parameters() if p.requires_grad],
                "lr": config.learning_rate,
            },
            {
                "params": [p for p in roles.value.parameters() if p.requires_grad],
                "lr": config.value_learning_rate,
            },
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True)
        # Not prepared: Accelerate's scheduler takes as many steps at once as there are processes.
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._warmup)
        self.policy, self.value, self.optimizer = accelerator.prepare(
            roles.policy, roles.value, optimizer
        )
        for model in (self.policy, self.value):
            model.eval()  # dropout would make the ratio noisy: InstructGPT's RL has none
        accelerator.register_for_checkpointing(state, self.scheduler)
        accelerator.register_save_state_pre_hook(self._save_weights)
        accelerator.register_load_state_pre_hook(self._load_weights)
        self.ema = (
            [p.detach().clone() for p in groups[POLICY]["params"]] if config.ema_decay else []
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

    def weights_of(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The trained parameters by name."""
        return {
            key: p
            for key, p in self.accelerator.unwrap_model(model).named_parameters()
            if p.requires_grad
        }

    def all_weights(self) -> Iterator[Tensor]:
        """Everything that `load` changes and a forward pass reads."""
        for model in (self.policy, self.value):
            yield from (parameter.data for parameter in self.weights_of(model).values())
        yield from self.ema

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Inside, the policy has its moving average's weights, if one is kept."""
        params = self.optimizer.param_groups[POLICY]["params"]
        current = [p.detach().clone() for p in params] if self.ema else []
        with torch.no_grad():
            for p, kept in zip(params, self.ema, strict=False):
                p.copy_(kept)
        try:
            yield
        finally:
            with torch.no_grad():
                for p, saved in zip(params, current, strict=False):
                    p.copy_(saved)

    # -- checkpoints --

    def save(self, folder: Path) -> None:
        """Saves weights, optimizer, scheduler, random states, β and the rest: a resumed run
        continues as if it had never stopped.
        """
        self.accelerator.save_state(str(folder))
        if self.ema and self.accelerator.is_main_process:
            torch.save(self.ema, folder / _AVERAGE)

    def load(self, folder: Path) -> None:
        self.accelerator.load_state(str(folder))
        if self.ema:
            for kept, saved in zip(
                self.ema,
                torch.load(folder / _AVERAGE, map_location=self.accelerator.device),
                strict=True,
            ):
                kept.copy_(saved)

    def _save_weights(
        self, models: list[nn.Module], weights: list[dict[str, Tensor]], folder: str
    ) -> None:
        """The trained weights, each once, instead of full state dicts. Tied and frozen weights come
        with the model.
        """
        if self.accelerator.is_main_process:
            for model, name in zip(models, _FILES, strict=True):
                kept = {key: p.detach().contiguous() for key, p in self.weights_of(model).items()}
                safetensors.torch.save_file(kept, Path(folder) / name)
        weights.clear()

    def _load_weights(self, models: list[nn.Module], folder: str) -> None:
        if not (Path(folder) / _FILES[POLICY]).exists():
            return
        for model, name in zip(models, _FILES, strict=True):
            saved = safetensors.torch.load_file(Path(folder) / name)
            params = self.weights_of(model)
            if params.keys() != saved.keys():
                raise ValueError(
                    f"{name} has other weights than the trained ones: the checkpoint is from"
                    " another run."
                )
            with torch.no_grad():
                for key, p in params.items():
                    p.copy_(saved[key])
        models.clear()
