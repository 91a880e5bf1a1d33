"""Learning from stored responses, what DPO and KTO have in common: a run from its model to its
result, and rows that hold token ids and weights already.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import datasets
import torch
import transformers
from accelerate import Accelerator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.configs.weights import RowTraining
from training.processes.run_dir import Job, Result, RunFolder, newest_checkpoint
from training.trainer import parallel, progress
from training.trainer.modeling import chat_template, loading, precision, sharding

WEIGHT = "weight"
Scored = TypeVar("Scored")


class Lesson(ABC, Generic[Scored]):
    """What a run learns from, and how it is measured."""

    names: ClassVar[Mapping[str, str]]
    """ours for TRL's logs"""

    @property
    @abstractmethod
    def metrics(self) -> dict[str, object]:
        """What was read."""

    @abstractmethod
    def trainer(
        self, model: PreTrainedModel, reference: PreTrainedModel | None = None
    ) -> progress.Watched:
        """With LoRA the reference is the model with its adapters off; with full fine-tuning TRL
        reads the model a second time, if it gets no `reference`.
        """

    @abstractmethod
    def log_probabilities(self, model: PreTrainedModel, dtype: torch.dtype) -> list[Scored]:
        """Of the held-out rows."""

    @abstractmethod
    def summary(self, now: list[Scored], start: list[Scored]) -> dict[str, float]:
        """What the policy has learned since `start`."""


class OfflineFollower(progress.Follower):
    names: Mapping[str, str] = {}

    def named(self, logs: dict[str, float]) -> dict[str, float]:
        """Our names for TRL's logs. Log-probabilities of whole responses are left out: people can't
        interpret them.
        """
        kept = {self.names.get(name, name): value for name, value in super().named(logs).items()}
        return {
            name: value
            for name, value in kept.items()
            if not name.startswith(("logps/", "logits/"))
        }


def learn(
    job: Job,
    config: RowTraining,
    folder: RunFolder,
    read: Callable[[PreTrainedTokenizerBase], Lesson[Scored]],
) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model)
    lesson = read(tokenizer)
    chat_template.tell(folder, tokenizer, Path(job.snapshot))
    dtype = precision.dtype(config.dtype)
    reference = _sharded_reference(job, config, tokenizer)
    model = loading.load_policy(
        job.model, tokenizer, progress.starting_dtype(config), may_shard=True
    )
    loading.require_length(model, config.max_tokens)
    trainer = lesson.trainer(model, reference)
    sharding.shard(trainer)
    start = lesson.log_probabilities(sharding.in_training(trainer), dtype)

    def measured(model: PreTrainedModel) -> dict[str, float]:
        return lesson.summary(lesson.log_probabilities(model, dtype), start)

    follower = OfflineFollower(folder, config, lambda: measured(sharding.in_training(trainer)))
    follower.names = lesson.names
    trainer.follow(follower)
    before = lesson.summary(start, start)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), before)
    is_stopped = progress.train(trainer)

    trained, whole = sharding.finished(trainer, dtype)
    after = measured(trained)
    follower.finish(after, trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    metrics = {
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        **lesson.metrics,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def _sharded_reference(
    job: Job, config: RowTraining, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedModel | None:
    """The model as it starts, read by the first process and sharded like the one that is trained:
    then both compute the same before the first step. TRL would have every process read it, and
    gather all of it at once. None where there is no such model, or nothing is sharded.
    """
    if config.method != "full" or not parallel.is_sharded():
        return None
    is_mixed = precision.dtype(config.dtype) == torch.bfloat16
    accelerator = Accelerator(mixed_precision="bf16" if is_mixed else "no")
    held_in = progress.starting_dtype(config)
    reference = loading.load_policy(job.model, tokenizer, held_in, may_shard=True)
    reference.eval().requires_grad_(False)
    return cast("PreTrainedModel", sharding.spread(reference, accelerator))


class StoredRows(progress.Watched):
    """A mixin before TRL's trainer: rows hold token ids already, so TRL must not prepare them, and
    a weight.
    """

    def _prepare_dataset(self, dataset: datasets.Dataset, *args: object) -> datasets.Dataset:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        columns: Any = self._signature_columns  # transformers types it as None
        if WEIGHT not in columns:
            columns.append(WEIGHT)


class Weighing:
    """Calls a model for a loss of TRL's that is a mean over rows. A row's loss depends on its own
    log-probabilities alone, so scaling their gradient by the row's weight gives the gradient of the
    weighted mean. `weights` (B,), one for each sequence.
    """

    def __init__(self, model: torch.nn.Module, weights: torch.Tensor) -> None:
        self._model = model
        self._scale = weights[:, None]  # (B, 1)
        self._token_logps = torch.empty(0)

    def __call__(self, **arguments: object) -> Any:
        outputs = self._model(**arguments)
        self._token_logps = outputs.log_probs.detach()
        if outputs.log_probs.requires_grad:
            outputs.log_probs.register_hook(lambda gradient: gradient * self._scale)
        return outputs

    def logps(self, completion_mask: torch.Tensor) -> torch.Tensor:
        """(B,) of the sequences of the last call."""
        return self._token_logps[:, 1 - completion_mask.size(1) :].sum(dim=1)
