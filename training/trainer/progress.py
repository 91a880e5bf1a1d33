"""Connects a transformers Trainer to the run folder: progress, checkpoints, stopping, and failing
at NaN.
"""

import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from accelerate.utils.constants import FSDP_MODEL_NAME
from transformers import TrainerCallback, TrainerControl, TrainerState

from training.configs.weights import Training
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, RunFolder
from training.trainer import parallel
from training.trainer.modeling import loading, precision

_SCHEDULES: dict[str, tuple[str, dict[str, float]]] = {
    "cosine": ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    "linear": ("linear", {}),
    "constant": ("constant_with_warmup", {}),
}
_HIDDEN = {"epoch", "num_tokens", "min_reward", "max_reward"}
_GIB = 1024**3
# AdamW stores two float32 numbers per trained weight.
_CHECKPOINT_FACTOR = 3


class UnableToTrain(AnticipatedFailure):
    """Training can't continue."""


class Follower(TrainerCallback):
    """Writes progress and stops when asked. The last point waits for `finish`, which adds what is
    measured after training.
    """

    def __init__(
        self, folder: RunFolder, config: Training, measure: Callable[[], dict[str, float]]
    ) -> None:
        self.folder = folder
        self.config = config
        self.measure = measure
        self.is_stopped = False
        self._measured: dict[str, float] = {}
        self._last: tuple[int, int, dict[str, float]] = (0, 0, {})
        self._started_at = time.monotonic()
        self._n_tokens = 0.0

    def on_step_end(
        self, args: object, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Saves, measures and stops at the steps where this is due."""
        step, is_last = state.global_step, state.global_step >= state.max_steps
        if self.folder.is_stop_requested() and not is_last:
            self.is_stopped = control.should_training_stop = control.should_save = (
                control.should_log
            ) = True
        if (is_due(step, self.config.checkpoint_every) and not is_last) or (
            is_last and self.config.keeps_last_state
        ):
            control.should_save = True
        if is_due(step, self.config.evaluate_every) and not is_last:
            self._measured = self.measure()
            control.should_log = True

    def on_log(
        self,
        args: object,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Adds a point. The last one waits for `finish`."""
        if logs is None or "loss" not in logs:
            return
        self._flush()
        seconds, self._started_at = time.monotonic() - self._started_at, time.monotonic()
        kept = {name: value for name, value in self.named(logs).items() if name not in _HIDDEN}
        kept |= self._speed(logs, seconds) | self._memory()
        self._last = (
            state.global_step,
            state.max_steps,
            kept | self._measured | {"seconds": seconds},
        )
        self._measured = {}
        if state.global_step < state.max_steps and not self.is_stopped:
            self._flush()

    def named(self, logs: dict[str, float]) -> dict[str, float]:
        """The trainer's logs, under the names that all kinds use."""
        return {name: value for name, value in logs.items() if value is not None}

    def add_to_checkpoint(self, folder: Path) -> None:
        """What a kind saves besides. A collective call."""

    def finish(self, values: dict[str, float], state: TrainerState | None = None) -> None:
        """With `state`, a run that was killed after its last step finds the point that `values`
        belong to.
        """
        step, n_steps, last = self._last
        if state is not None and not step:
            step, n_steps = state.global_step, state.max_steps
        self._last = (step, n_steps, last | values)
        self._flush()

    def _speed(self, logs: dict[str, float], seconds: float) -> dict[str, float]:
        """Computed from TRL's token count since the start of the run; a resumed run starts from the
        restored count.
        """
        seen, self._n_tokens = self._n_tokens, logs.get("num_tokens") or 0.0
        return (
            {"tokens_per_s": (self._n_tokens - seen) / max(seconds, 1e-9)}
            if seen and self._n_tokens > seen
            else {}
        )

    @staticmethod
    def _memory() -> dict[str, float]:
        return (
            {"gpu_memory_gb": torch.cuda.max_memory_allocated() / _GIB}
            if torch.cuda.is_available()
            else {}
        )

    def _flush(self) -> None:
        step, n_steps, values = self._last
        if values:
            self.folder.append_point(step, n_steps, values)
        self._last = (step, n_steps, {})


class Watched(transformers.Trainer):
    """A mixin for TRL trainers, first among the bases: fails at the first NaN and saves through the
    run folder.
    """

    follower: Follower

    def follow(self, follower: Follower) -> None:
        """Call once, before `train`."""
        self.follower = follower
        self.add_callback(follower)

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, object],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        if not torch.isfinite(loss):
            raise UnableToTrain(
                f"The loss became {loss.item()} at step {self.state.global_step + 1}, so the run"
                " was stopped. Lower the learning rate or compute in float32, then start again."
            )
        return loss

    def _save_checkpoint(self, model: Any, trial: object) -> None:
        """transformers' own checkpoint (weights, optimizer, scheduler, random states, step),
        written to a temporary folder and then renamed. Skips TRL's override, which adds a model
        card for the hub.
        """
        folder, step = self.follower.folder, self.state.global_step
        run_dir.ensure_free_space(folder.path, checkpoint_bytes(self.model), "a checkpoint")
        scratch = self.args.output_dir
        with folder.checkpoint(step, keep=self.follower.config.keep_checkpoints) as aside:
            self.args.output_dir = str(aside)
            transformers.Trainer._save_checkpoint(self, model, trial)
            self.args.output_dir = scratch
            folder.wait()  # each process has written its random numbers there
            if folder.is_first_here:
                inner = aside / f"checkpoint-{step}"
                for path in inner.iterdir():
                    path.rename(aside / path.name)
                inner.rmdir()
            self.follower.add_to_checkpoint(aside)


def train(trainer: Watched) -> bool:
    """Trains from the newest complete checkpoint, or from the start. True when the run was stopped
    early.
    """
    folder = trainer.follower.folder
    checkpoint = run_dir.newest_checkpoint(folder.path)
    if checkpoint is not None:
        require_same_sharding(was_sharded=any(checkpoint.glob(f"{FSDP_MODEL_NAME}*")))
        folder.append_note(
            f"Resumed from the checkpoint at step {run_dir.checkpoint_step(checkpoint)}."
        )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer.follower.is_stopped


def require_same_sharding(*, was_sharded: bool) -> None:
    """Raises UnableToTrain if the checkpoint's weights are sharded and this run's are not, or the
    other way round, as where a run extends another one.
    """
    if was_sharded != parallel.is_sharded():
        raise UnableToTrain(
            "The state to continue from was saved with another kind of parallelism. Choose the"
            " same one (FSDP, or DDP and one process), or start from the model."
        )


def arguments(config: Training, folder: RunFolder) -> dict[str, Any]:
    """What the TRL configs of all kinds share. `Follower` logs and saves."""
    schedule, schedule_settings = _SCHEDULES[config.schedule]
    return {
        "output_dir": str(scratch(folder)),
        "num_train_epochs": config.n_epochs,
        "max_steps": config.max_steps or -1,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": schedule,
        "lr_scheduler_kwargs": schedule_settings,
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "per_device_train_batch_size": config.batch_size,
        "gradient_accumulation_steps": accumulation(config),
        "gradient_checkpointing": config.saves_memory,
        "bf16": precision.dtype(config.dtype) == torch.bfloat16,
        "seed": config.seed,
        "logging_steps": config.log_every,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "accelerator_config": {"use_configured_state": parallel.is_sharded()},
        "use_cpu": loading.device().type == "cpu",
        "dataloader_pin_memory": loading.device().type == "cuda",
    }


def accumulation(config: Training) -> int:
    """Batches that each process accumulates, so that several processes make a step about as large
    as one process does.
    """
    return max(1, round(config.accumulation / parallel.n_processes()))


def scratch(folder: RunFolder) -> Path:
    """A scratch folder for transformers. The next attempt deletes it."""
    return folder.path / f"{run_dir.TEMPORARY}{folder.attempt}-trainer"


def n_steps(trainer: transformers.Trainer) -> int:
    """The number of weight updates. The trainer itself only knows it once it runs."""
    if trainer.args.max_steps > 0:
        return int(trainer.args.max_steps)
    rows_at_once = trainer.args.per_device_train_batch_size * trainer.args.world_size
    rows_per_step = rows_at_once * trainer.args.gradient_accumulation_steps
    n_rows = len(cast("Sized", trainer.train_dataset))
    return int(-(-n_rows // rows_per_step) * trainer.args.num_train_epochs)


def starting_dtype(config: Training) -> torch.dtype:
    """The dtype of the weights while training. Trained weights are float32: bfloat16 would round
    small steps away.
    """
    return torch.float32 if config.method == "full" else precision.dtype(config.dtype)


def checkpoint_bytes(model: Any) -> int:
    trained = sum(
        weight.numel() * weight.element_size()
        for weight in model.parameters()
        if weight.requires_grad
    )
    return _CHECKPOINT_FACTOR * trained


def is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
