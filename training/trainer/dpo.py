"""DPO: trains a policy on preferences, without a reward model and without sampling, with TRL's
DPOTrainer.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import datasets
import torch
import transformers
from datasets import Features, List, Value
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference, DPOTrainer

from training.configs.dpo import DpoConfig
from training.processes.run_dir import Job, Result, RunFolder, counted, newest_checkpoint
from training.trainer import data, parallel, progress
from training.trainer.modeling import loading, logprobs, precision, sharding
from training.trainer.reward import rankings, stored_rankings
from training.trainer.reward.pair_results import PairResults
from training.trainer.reward.rankings import RankingRow
from training.trainer.reward.stored_rankings import Reading

WEIGHT = "weight"
_IDS = ("prompt_ids", "chosen_ids", "rejected_ids")
_FEATURES = Features({name: List(Value("int32")) for name in _IDS} | {WEIGHT: Value("float64")})
_NAMES = {
    "rewards/accuracies": "accuracy",
    "rewards/margins": "margin",
    "rewards/chosen": "chosen_reward",
    "rewards/rejected": "rejected_reward",
}


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt as ids; `prompt` is the index of its prompt among the rows."""

    prompt: int
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]
    weight: float = 1.0


@dataclass(frozen=True)
class _PairRows:
    read: rankings.Rankings
    train: datasets.Dataset
    split: str
    held_out: list[Pair]


@dataclass
class WeighingCollator(DataCollatorForPreference):
    """TRL's batch, and the weight of each pair, scaled so that a pair weighs 1 on average."""

    mean_weight: float = 1.0

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        weights = torch.tensor([example[WEIGHT] / self.mean_weight for example in examples])  # (B,)
        return super().torch_call(examples) | {WEIGHT: weights}


class WatchedDpo(progress.Watched, DPOTrainer):
    """TRL's trainer with our progress, checkpoints, stop and weights. Rows hold token ids already,
    so TRL must not prepare them.
    """

    def _prepare_dataset(self, dataset: datasets.Dataset, *args: object) -> datasets.Dataset:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        columns: Any = self._signature_columns  # transformers types it as None
        if WEIGHT not in columns:
            columns.append(WEIGHT)

    def _compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool,
    ) -> torch.Tensor | tuple[torch.Tensor, object]:
        """TRL's loss is a mean over pairs, and a pair's loss depends on its own log-probabilities
        alone. So scaling their gradient by its weight gives the gradient of the weighted mean, and
        the curves get the value of that.
        """
        inputs = dict(inputs)
        weights = inputs.pop(WEIGHT)
        scale = torch.cat([weights, weights])[:, None]  # (2B, 1): chosen, then rejected
        token_logps: list[torch.Tensor] = []

        def weighed(**arguments: object) -> object:
            outputs = model(**arguments)
            token_logps.append(outputs.log_probs.detach())
            if outputs.log_probs.requires_grad:
                outputs.log_probs.register_hook(lambda gradient: gradient * scale)
            return outputs

        reference = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        inputs |= {"ref_chosen_logps": reference[0], "ref_rejected_logps": reference[1]}
        self.precompute_ref_logps = True  # TRL then takes those of the batch
        loss = super()._compute_loss(weighed, inputs, return_outputs)
        if return_outputs:
            return loss
        n_tokens = inputs["completion_mask"][:, 1:].sum(dim=1)  # (2B,)
        logps = token_logps[0][:, 1 - inputs["completion_mask"].size(1) :].sum(dim=1)  # (2B,)
        chosen, rejected = (logps - torch.cat(reference)).chunk(2)
        value = pair_losses(
            chosen,
            rejected,
            n_tokens.chunk(2),
            loss=self.loss_types[0],
            beta=self.beta,
            smoothing=self.label_smoothing,
        )
        mode = "train" if model.training else "eval"
        self._weigh_curves(mode, self.beta * chosen, self.beta * rejected, weights)
        return loss + ((value * weights).mean() - loss).detach()

    def _weigh_curves(
        self, mode: str, chosen: torch.Tensor, rejected: torch.Tensor, weights: torch.Tensor
    ) -> None:
        """Puts means over pairs by weight in place of TRL's plain means; implied rewards (B,)."""
        total = self.accelerator.gather(weights).sum()
        for name, values in {
            "rewards/chosen": chosen,
            "rewards/rejected": rejected,
            "rewards/margins": chosen - rejected,
            "rewards/accuracies": (chosen > rejected).float(),
        }.items():
            weighed = self.accelerator.gather(values * weights).sum() / total
            self._metrics[mode][name][-1] = weighed.item()


def pair_losses(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    n_tokens: Sequence[torch.Tensor],
    *,
    loss: str,
    beta: float,
    smoothing: float,
) -> torch.Tensor:
    """Each pair's loss (B,) from the log-ratios of policy and reference; `n_tokens`: of the chosen
    and the rejected response. Rafailov 2023, eq. 7 and Mitchell 2023, eq. 3 (sigmoid), Azar 2023,
    eq. 17 per token (ipo), Zhao 2023 (hinge).
    """
    margin = beta * (chosen - rejected)
    if loss == "ipo":
        gap = chosen / n_tokens[0].clamp(min=1) - rejected / n_tokens[1].clamp(min=1)
        return (gap - 1 / (2 * beta)) ** 2
    if loss == "hinge":
        return torch.relu(1 - margin)
    return -(1 - smoothing) * functional.logsigmoid(margin) - smoothing * functional.logsigmoid(
        -margin
    )


class DpoFollower(progress.Follower):
    def named(self, logs: dict[str, float]) -> dict[str, float]:
        """Our names for TRL's logs. Log-probabilities of whole responses are left out: people can't
        interpret them.
        """
        kept = {_NAMES.get(name, name): value for name, value in super().named(logs).items()}
        return {
            name: value
            for name, value in kept.items()
            if not name.startswith(("logps/", "logits/"))
        }


def carry_out(job: Job, config: DpoConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model)
    rows = _read(Path(job.snapshot), tokenizer, config, folder, n_processes=job.threads)
    _tell(folder, rows)

    dtype = precision.dtype(config.dtype)
    model = loading.load_policy(
        job.model, tokenizer, progress.starting_dtype(config), may_shard=True
    )
    loading.require_length(model, config.max_tokens)
    with parallel.reading(may_shard=False):  # the reference, which each process reads
        trainer = _trainer(model, config, folder, tokenizer, rows.train)
    sharding.shard(trainer)
    start = log_probabilities(
        sharding.in_training(trainer), rows.held_out, config.batch_size, dtype
    )
    follower = DpoFollower(
        folder,
        config,
        lambda: measures(sharding.in_training(trainer), start, rows.held_out, config, dtype),
    )
    trainer.follow(follower)
    before = summary(rows.held_out, start, start, config.beta)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), before)
    is_stopped = progress.train(trainer)

    trained, whole = sharding.finished(trainer, dtype)
    after = measures(trained, start, rows.held_out, config, dtype)
    follower.finish(after, trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    metrics = {
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "held_out_split": rows.split,
        "n_held_out_pairs": len(rows.held_out),
        "n_train_pairs": len(rows.train),
        "n_ties": rows.read.n_ties,
        "n_responses_left_out": rows.read.n_left_out,
        "n_prompts_cut": rows.read.n_cut,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def pairs(rows: Iterable[RankingRow]) -> list[Pair]:
    """Every decided pair of every ranking, the winner first."""
    return list(_each_pair(rows))


def _each_pair(rows: Iterable[RankingRow]) -> Iterator[Pair]:
    for number, row in enumerate(rows):
        for winner, loser, weight in zip(row["winner"], row["loser"], row["weight"], strict=True):
            yield Pair(
                number,
                row["prompt_ids"],
                row["response_ids"][winner],
                row["response_ids"][loser],
                weight,
            )


def measures(
    model: PreTrainedModel,
    start: list[tuple[float, float]],
    held_out: list[Pair],
    config: DpoConfig,
    dtype: torch.dtype,
) -> dict[str, float]:
    """Compared with `start`: the log-probabilities of these pairs before training."""
    return summary(
        held_out, log_probabilities(model, held_out, config.batch_size, dtype), start, config.beta
    )


def summary(
    held_out: list[Pair],
    now: list[tuple[float, float]],
    start: list[tuple[float, float]],
    beta: float,
) -> dict[str, float]:
    """How often the winner has the higher implied reward, β·log(π/π₀) (Rafailov 2023, eq. 5)."""
    if not held_out:
        return {}
    margins = [
        beta * ((chosen - rejected) - (chosen_at_start - rejected_at_start))
        for (chosen, rejected), (chosen_at_start, rejected_at_start) in zip(now, start, strict=True)
    ]
    results = PairResults(margins, [pair.prompt for pair in held_out], [], []).summary()
    return {
        **{
            f"held_out_{name}": results[name]
            for name in ("accuracy", "accuracy_low", "accuracy_high")
            if name in results
        },
        "held_out_loss": results["log_loss"],
        "held_out_margin": results["margin"],
    }


@torch.no_grad()
def log_probabilities(
    model: PreTrainedModel, held_out: list[Pair], batch_size: int, dtype: torch.dtype
) -> list[tuple[float, float]]:
    """(of the chosen, of the rejected response) for each pair, summed over its tokens."""
    was_training = model.training
    model.eval()
    scored = []
    for batch in data.batches(held_out, batch_size):
        sequences = [(pair.prompt_ids, pair.chosen_ids) for pair in batch] + [
            (pair.prompt_ids, pair.rejected_ids) for pair in batch
        ]
        sums = logprobs.of_responses(model, sequences, dtype)
        scored += list(zip(sums[: len(batch)], sums[len(batch) :], strict=True))
    model.train(was_training)
    return scored


def _trainer(
    model: PreTrainedModel,
    config: DpoConfig,
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    train: datasets.Dataset,
) -> WatchedDpo:
    """With LoRA the reference is the model with its adapters off; with full fine-tuning TRL copies
    the model.
    """
    arguments = DPOConfig(
        max_length=config.max_tokens,
        beta=config.beta,
        label_smoothing=config.label_smoothing,
        **_loss(config),
        **progress.arguments(config, folder),
    )
    return WatchedDpo(
        model=model,
        args=arguments,
        data_collator=WeighingCollator(
            pad_token_id=int(tokenizer.pad_token_id or 0),
            max_length=config.max_tokens,
            mean_weight=fmean(train[WEIGHT]) or 1.0,
        ),
        train_dataset=train,
        processing_class=tokenizer,
        peft_config=loading.lora(config, is_reward=False) if config.method == "lora" else None,
    )


def _loss(config: DpoConfig) -> dict[str, Any]:
    """TRL's arguments. Its sigmoid loss S reads no label smoothing ε. Conservative DPO (Mitchell
    2023, “A note on DPO with noisy preferences”, eq. 3) is (1−ε) S(x) + ε S(−x), and its robust
    loss R (Chowdhury 2024, eq. 12) is ((1−ε) S(x) − ε S(−x)) / (1−2ε). As S(−x) = S(x) + x, the
    first is (2−2ε) S − (1−2ε) R.
    """
    smoothing = config.label_smoothing
    if config.loss != "sigmoid" or not smoothing:
        return {"loss_type": [config.loss]}
    return {
        "loss_type": ["sigmoid", "robust"],
        "loss_weights": [2 - 2 * smoothing, 2 * smoothing - 1],
    }


def _pair_columns(parts: Sequence[int], rows: datasets.Dataset) -> Iterator[dict[str, object]]:
    """What TRL trains on, one row a pair."""
    for row in rows:
        for pair in pairs([row]):
            yield {name: getattr(pair, name) for name in _FEATURES}


def _read(
    snapshot: Path,
    tokenizer: PreTrainedTokenizerBase,
    config: DpoConfig,
    folder: RunFolder,
    *,
    n_processes: int,
) -> _PairRows:
    reading = Reading(tokenizer, config.max_tokens)
    read = stored_rankings.read(snapshot, "train", reading, folder, n_processes=n_processes)
    if not len(read.rows):
        raise data.UnableToRead(
            f"The snapshot has no usable pair: {counted(read.n_ties, 'tie')} and "
            f"{counted(read.n_left_out, 'response')} longer than {config.max_tokens} tokens. "
            "Collect more comparisons or raise the max row length."
        )
    split = data.held_out_split(snapshot)
    held_out: list[Pair] = []
    if split:
        kept = stored_rankings.read(snapshot, split, reading, folder, n_processes=n_processes)
        drawn = set(data.sample_of(range(kept.n_pairs), config.max_held_out_rows, config.seed))
        held_out = [pair for place, pair in enumerate(_each_pair(kept.rows)) if place in drawn]
    train = data.stored(_pair_columns, folder, "pairs", _FEATURES, rows=read.rows)
    return _PairRows(
        read=read,
        train=train.select(data.sample_of(range(len(train)), config.max_rows, config.seed)),
        split=split,
        held_out=held_out,
    )


def _tell(folder: RunFolder, rows: _PairRows) -> None:
    note = (
        f"{len(rows.train)} of {counted(rows.read.n_pairs, 'pair')} for training,"
        f" {len(rows.held_out)} held out ({rows.split or 'no held-out split'})."
        f" {counted(rows.read.n_ties, 'tie')} dropped."
    )
    if rows.read.n_left_out:
        note += (
            f" {counted(rows.read.n_left_out, 'response')} dropped: too long even without the"
            " prompt."
        )
    folder.append_note(note)
