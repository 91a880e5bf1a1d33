"""Supervised fine-tuning on demonstrations with TRL's SFTTrainer. Only the completion is trained
on.
"""

import math
import sys
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from arithmetic import intervals
from training.configs.sft import SftConfig
from training.processes.run_dir import Job, Result, RunFolder, counted, newest_checkpoint
from training.trainer import data, parallel, progress
from training.trainer.data import Demonstrations, Example
from training.trainer.modeling import (
    chat_template,
    loading,
    packed_attention,
    precision,
    separation,
    sharding,
)
from training.trainer.modeling.best_weights import BestWeights

_LARGEST_LOSS = math.log(sys.float_info.max)
"""about 709 nats"""


class WatchedSft(progress.Watched, SFTTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""


class LengthSortedSteps(torch.utils.data.Sampler[int]):
    """A random order in which the rows of each optimizer step are sorted by length, so that its
    batches have little padding. A step has the same rows as without sorting, so it is the same
    step but for rounding.
    """

    def __init__(self, lengths: list[int], *, rows_a_step: int, seed: int) -> None:
        self.lengths, self.rows_a_step, self.seed, self.epoch = lengths, rows_a_step, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=draw).tolist()
        for rows in data.batches(order, self.rows_a_step):
            yield from sorted(rows, key=lambda row: -self.lengths[row])

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


class _OurSft(WatchedSft):
    def compute_loss(
        self, model: Any, inputs: dict[str, Any], *args: object, **kwargs: object
    ) -> Any:
        settings: Any = self.args  # SFTConfig, which the stubs of Trainer do not know
        if settings.packing:
            # TRL lays all rows of a batch in one; a demonstration starts where positions do.
            sequences = (inputs["position_ids"] == 0).cumsum(-1)  # (1, L): 1, 2, …
            inputs = inputs | packed_attention.arguments(model, sequences)
        return super().compute_loss(model, inputs, *args, **kwargs)

    def _get_train_sampler(
        self, train_dataset: datasets.Dataset | None = None
    ) -> torch.utils.data.Sampler[int] | None:
        batches_a_step = self.args.gradient_accumulation_steps * self.args.world_size
        args: Any = self.args  # SFTConfig, which the stubs of Trainer do not know
        if args.packing or batches_a_step == 1:
            return super()._get_train_sampler(train_dataset)
        rows: Any = self.train_dataset
        return LengthSortedSteps(
            [len(ids) for ids in rows["input_ids"]],
            rows_a_step=self.args.per_device_train_batch_size * batches_a_step,
            seed=self.args.seed,
        )


def carry_out(job: Job, config: SftConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model)
    train, split, held_out = _read(Path(job.snapshot), tokenizer, config)
    _tell(folder, train, split, held_out)
    chat_template.tell(folder, tokenizer, Path(job.snapshot))

    model = loading.load_policy(
        job.model, tokenizer, progress.starting_dtype(config), may_shard=True
    )
    loading.require_length(model, config.max_tokens)
    if config.packs:
        require_packing(model, config.max_tokens)
    dtype = precision.dtype(config.dtype)
    trainer = _OurSft(
        model=model,
        args=SFTConfig(
            max_length=config.max_tokens,
            packing=config.packs,
            **progress.arguments(config, folder),
        ),
        train_dataset=datasets.Dataset.from_list(
            [{"input_ids": row.input_ids, "labels": row.labels} for row in train.examples]
        ),
        processing_class=tokenizer,
        peft_config=loading.lora(config, is_reward=False) if config.method == "lora" else None,
    )
    sharding.shard(trainer)

    def measured(model: PreTrainedModel) -> float | None:
        return mean_loss(row_losses(model, held_out, config.batch_size, dtype))

    at_start = row_losses(sharding.in_training(trainer), held_out, config.batch_size, dtype)
    before = mean_loss(at_start)
    best = _best(config, folder, split)

    def measured_on_the_way() -> dict[str, float]:
        loss = measured(sharding.in_training(trainer))
        if best is not None and loss is not None:
            best.offer(trainer.model, step=trainer.state.global_step, loss=loss)
        return _named(loss)

    follower = progress.Follower(folder, config, measured_on_the_way)
    trainer.follow(follower)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), _named(before))
    is_stopped = progress.train(trainer)

    kept_step = trainer.state.global_step
    if best is not None and best.step:
        last = measured(sharding.in_training(trainer))
        kept_step = best.restore(trainer.model, step=kept_step, loss=last)
    trained, whole = sharding.finished(trainer, dtype)
    at_end = row_losses(trained, held_out, config.batch_size, dtype)
    after = mean_loss(at_end)
    follower.finish(_named(after), trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    if best is not None:
        best.remove()
    n_steps_tried = trainer.state.global_step // config.evaluate_every + 1 if best else 1
    metrics = {
        "held_out_loss_before": before,
        "held_out_loss_after": after,
        **change_of_loss(at_start, at_end, [_prompt(row) for row in held_out], n_steps_tried),
        "held_out_split": split,
        "n_held_out": len(held_out),
        "n_train": len(train.examples),
        "n_cut": train.n_cut,
        "n_left_out": train.n_left_out,
        "kept_step": kept_step,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def _best(config: SftConfig, folder: RunFolder, split: str) -> BestWeights | None:
    """None where the last weights are kept. Only validation rows may choose: a choice on test rows
    would flatter what is measured there. Sharded weights are not on one machine.
    """
    is_chosen = config.keeps_best and config.evaluate_every and split == "validation"
    return BestWeights(folder) if is_chosen and not parallel.is_sharded() else None


def require_packing(model: PreTrainedModel, longest: int | None = None) -> None:
    """Prepares `model` for packed rows: with our attention where that is faster and its layers see
    all of a row, else with the mask that transformers makes of the positions. Raises UnableToLoad
    if rows would see one another. This is measured, on rows of `longest` tokens too.
    """

    def is_exact() -> bool:
        return separation.keeps_apart(model, separation.by_positions, longest=longest)

    if packed_attention.use(model):
        if parallel.decided_by_first(is_exact):
            return
        packed_attention.leave(model)
    if not parallel.decided_by_first(is_exact):
        raise loading.UnableToLoad(
            "This model can't keep packed rows apart: each would see the ones before it. Turn"
            " “Pack rows” off and start again."
        )


@dataclass(frozen=True)
class RowLoss:
    """The negative log-likelihood of a row's completion, and its number of tokens."""

    total: float
    n: int


def held_out_loss(
    model: PreTrainedModel,
    examples: list[Example],
    batch_size: int,
    dtype: torch.dtype,
    *,
    is_shared: bool = False,
) -> float | None:
    """Mean negative log-likelihood per completion token; None without examples. `is_shared`: the
    processes share the batches; a collective call.
    """
    return mean_loss(row_losses(model, examples, batch_size, dtype, is_shared=is_shared))


def mean_loss(rows: Sequence[RowLoss]) -> float | None:
    """Per token."""
    return sum(row.total for row in rows) / sum(row.n for row in rows) if rows else None


def change_of_loss(
    before: Sequence[RowLoss],
    after: Sequence[RowLoss],
    prompts: Sequence[Hashable],
    n_steps_tried: int = 1,
) -> dict[str, float]:
    """The change of the mean loss with its interval, compared row by row; empty from too few
    prompts. The interval of the best of several steps is widened for them all: the step that does
    best on some rows was also lucky on them.
    """
    weights = [row.n for row in before]
    changes = [(now.total - then.total) / now.n for now, then in zip(after, before, strict=True)]
    ends = intervals.of_mean(changes, prompts, weights)
    if ends is None:
        return {}
    change = sum(now.total - then.total for now, then in zip(after, before, strict=True))
    change /= sum(weights)
    low, high = intervals.among(change, ends, n_steps_tried)
    return {
        "held_out_loss_change": change,
        "held_out_loss_change_low": low,
        "held_out_loss_change_high": high,
    }


def _prompt(row: Example) -> tuple[int, ...]:
    """What stands before the completion: rows with the same belong together."""
    labelled = zip(row.input_ids, row.labels, strict=True)
    return tuple(token for token, label in labelled if label == data.IGNORED)


@torch.no_grad()
def row_losses(
    model: PreTrainedModel,
    examples: list[Example],
    batch_size: int,
    dtype: torch.dtype,
    *,
    is_shared: bool = False,
) -> list[RowLoss]:
    """One for each example. `is_shared`: the processes share the batches; a collective call."""
    was_training = model.training
    model.eval()
    order = sorted(range(len(examples)), key=lambda place: len(examples[place].input_ids))
    batches = data.batches(order, batch_size)
    losses_of = {}
    for number, places in parallel.own_part(batches) if is_shared else enumerate(batches):
        batch = [examples[place] for place in places]
        n_tokens = [sum(label != data.IGNORED for label in row.labels[1:]) for row in batch]
        of_rows = _token_losses(model, batch, dtype).double().split(n_tokens)
        losses_of[number] = [
            RowLoss(losses.sum().item(), n) for losses, n in zip(of_rows, n_tokens, strict=True)
        ]
    batched = parallel.gathered(losses_of) if is_shared else list(losses_of.values())
    model.train(was_training)
    measured = [row for rows in batched for row in rows]
    return [row for _place, row in sorted(zip(order, measured, strict=True), key=itemgetter(0))]


def _token_losses(model: PreTrainedModel, batch: list[Example], dtype: torch.dtype) -> torch.Tensor:
    ids, mask = data.padded([row.input_ids for row in batch], 0)  # (B, T)
    labels, _ = data.padded([row.labels for row in batch], data.IGNORED)
    ids, mask, labels = ids.to(model.device), mask.to(model.device), labels.to(model.device)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[
            :, :-1
        ]  # (B, T-1, V)
    targets = labels[:, 1:]
    is_learned = targets != data.IGNORED
    return torch.nn.functional.cross_entropy(
        logits[is_learned].float(), targets[is_learned], reduction="none"
    )


def _read(
    snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: SftConfig
) -> tuple[Demonstrations, str, list[Example]]:
    read = data.demonstrations(
        tokenizer, data.training_rows(snapshot, "completion"), config.max_tokens
    )
    if not read.examples:
        raise data.UnableToRead(
            f"No demonstration fits: every prompt alone fills {config.max_tokens} tokens. Raise the"
            " max row length."
        )
    train = data.Demonstrations(
        data.sample_of(read.examples, config.max_rows, config.seed), read.n_left_out
    )
    split, rows = data.held_out_rows(snapshot)
    held_out = data.demonstrations(tokenizer, rows, config.max_tokens).examples
    return train, split, data.sample_of(held_out, config.max_held_out_rows, config.seed)


def _tell(folder: RunFolder, train: Demonstrations, split: str, held_out: list[Example]) -> None:
    note = (
        f"{counted(len(train.examples), 'demonstration')} for training, {len(held_out)} held out "
        f"({split or 'no held-out split'})."
    )
    if train.n_cut:
        note += f" {train.n_cut} truncated."
    if train.n_left_out:
        note += f" {train.n_left_out} dropped: the prompt alone is too long."
    folder.append_note(note)


def perplexity(loss: float) -> float | None:
    """exp(loss). None above what a float holds: such a model says nothing of the text."""
    return math.exp(loss) if loss <= _LARGEST_LOSS else None


def _named(loss: float | None) -> dict[str, float]:
    return {} if loss is None else {"held_out_loss": loss}
