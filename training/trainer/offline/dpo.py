"""DPO: trains a policy on preferences, without a reward model and without sampling, with TRL's
DPOTrainer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

import datasets
import torch
from datasets import Features, List, Value
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference, DPOTrainer

from training.configs.offline.dpo import DpoConfig
from training.processes.run_dir import Job, Result, RunFolder, counted
from training.trainer import data, progress
from training.trainer.modeling import loading, logprobs
from training.trainer.offline import learning
from training.trainer.offline.learning import WEIGHT, Lesson, StoredRows, Weighing
from training.trainer.reward import rankings, stored_rankings
from training.trainer.reward.pair_results import PairResults
from training.trainer.reward.rankings import RankingRow
from training.trainer.reward.stored_rankings import Reading

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


class WatchedDpo(StoredRows, DPOTrainer):
    """TRL's trainer with our progress, checkpoints, stop and weights."""

    def _compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool,
    ) -> torch.Tensor | tuple[torch.Tensor, object]:
        """TRL's loss with weighted pairs; the curves get the value of the weighted mean."""
        inputs = dict(inputs)
        weights = inputs.pop(WEIGHT)
        reference = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        inputs |= {"ref_chosen_logps": reference[0], "ref_rejected_logps": reference[1]}
        self.precompute_ref_logps = True  # TRL then takes those of the batch
        weighing = Weighing(model, torch.cat([weights, weights]))  # chosen, then rejected
        loss = super()._compute_loss(weighing, inputs, return_outputs)
        if return_outputs:
            return loss
        n_tokens = inputs["completion_mask"][:, 1:].sum(dim=1)  # (2B,)
        logps = weighing.logps(inputs["completion_mask"])  # (2B,)
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


@dataclass(frozen=True)
class Pairs(Lesson[tuple[float, float]]):
    """Pairs to learn from, and those held out, whose two responses are scored."""

    names: ClassVar[Mapping[str, str]] = _NAMES

    config: DpoConfig
    folder: RunFolder
    tokenizer: PreTrainedTokenizerBase
    rows: _PairRows

    @property
    def metrics(self) -> dict[str, object]:
        return {
            "held_out_split": self.rows.split,
            "n_held_out_pairs": len(self.rows.held_out),
            "n_train_pairs": len(self.rows.train),
            "n_ties": self.rows.read.n_ties,
            "n_responses_left_out": self.rows.read.n_left_out,
            "n_prompts_cut": self.rows.read.n_cut,
        }

    def trainer(
        self, model: PreTrainedModel, reference: PreTrainedModel | None = None
    ) -> WatchedDpo:
        return _trainer(model, self.config, self.folder, self.tokenizer, self.rows.train, reference)

    def log_probabilities(
        self, model: PreTrainedModel, dtype: torch.dtype
    ) -> list[tuple[float, float]]:
        return log_probabilities(model, self.rows.held_out, self.config.batch_size, dtype)

    def summary(
        self, now: list[tuple[float, float]], start: list[tuple[float, float]]
    ) -> dict[str, float]:
        return summary(self.rows.held_out, now, start, self.config.beta)


def carry_out(job: Job, config: DpoConfig, folder: RunFolder) -> Result:
    def read(tokenizer: PreTrainedTokenizerBase) -> Pairs:
        rows = _read(Path(job.snapshot), tokenizer, config, folder, n_processes=job.threads)
        _tell(folder, rows)
        return Pairs(config, folder, tokenizer, rows)

    return learning.learn(job, config, folder, read)


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
    reference: PreTrainedModel | None = None,
) -> WatchedDpo:
    arguments = DPOConfig(
        max_length=config.max_tokens,
        beta=config.beta,
        label_smoothing=config.label_smoothing,
        **_loss(config),
        **progress.arguments(config, folder),
    )
    return WatchedDpo(
        model=model,
        ref_model=reference,
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
