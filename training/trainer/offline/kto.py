"""KTO: trains a policy on responses that people call good or bad, one by one, with TRL's
KTOTrainer.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

import datasets
import numpy as np
import torch
from datasets import Features, List, Value
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference, KTOTrainer

from training.configs.offline.kto import KtoConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, counted
from training.trainer import data, progress
from training.trainer.modeling import loading, logprobs
from training.trainer.offline import learning, two_groups
from training.trainer.offline.learning import WEIGHT, Lesson, StoredRows, Weighing
from training.trainer.reward import rankings
from training.trainer.reward.answer_ids import AnswerTokenizer, Conversation
from training.trainer.reward.stored_rankings import AT_ONCE, cluster_of

_IDS = List(Value("int32"))
FEATURES = Features(
    {
        "prompt": Value("int64"),
        "prompt_ids": _IDS,
        "completion_ids": _IDS,
        "label": Value("bool"),
        WEIGHT: Value("float64"),
        "is_cut": Value("bool"),
        "fits": Value("bool"),
    }
)
"""`prompt`: the same number for near-duplicates. A response that does not fit even without its
prompt is not learned from."""


@dataclass(frozen=True)
class Verdict:
    """A response that somebody called good or bad, as ids."""

    prompt: int
    prompt_ids: list[int]
    response_ids: list[int]
    is_good: bool


@dataclass(frozen=True)
class Scores:
    """Log-probabilities of a response, to its own prompt and to another row's."""

    own: float
    other: float


@dataclass
class NeighbourCollator(DataCollatorForUnpairedPreference):
    """TRL's batch with the weight of each row, scaled so that a row weighs 1 on average. Each
    prompt also gets the response of the row before it, and the first that of the last: TRL stores
    these with the rows, turned in the same way within each batch.
    """

    mean_weight: float = 1.0

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        turned = [
            example | {"KL_completion_ids": examples[place - 1]["completion_ids"]}
            for place, example in enumerate(examples)
        ]
        weights = torch.tensor([example[WEIGHT] / self.mean_weight for example in examples])  # (B,)
        return super().torch_call(turned) | {WEIGHT: weights}


class WatchedKto(StoredRows, KTOTrainer):
    """TRL's trainer with our progress, checkpoints, stop and weights."""

    def _compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool,
    ) -> torch.Tensor | tuple[torch.Tensor, object]:
        """TRL's loss with weighted rows; the curves get the value of the weighted mean. The
        reference point comes from all rows alike.
        """
        inputs = dict(inputs)
        weights = inputs.pop(WEIGHT)
        reference = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        inputs |= {"ref_logps": reference[0], "ref_KL_logps": reference[1]}
        self.precompute_ref_logps = True  # TRL then takes those of the batch
        weighing = Weighing(model, weights)
        loss = super()._compute_loss(weighing, inputs, return_outputs)
        if return_outputs:
            return loss
        mode = "train" if model.training else "eval"
        is_good = inputs["label"].bool()
        log_ratios = weighing.logps(inputs["completion_mask"]) - reference[0]
        value = kto_losses(
            log_ratios,
            is_good,
            reference_point=self._metrics[mode]["kl"][-1],
            beta=self.beta,
            weights=(self.desirable_weight, self.undesirable_weight),
        )
        self._weigh_curves(self._metrics[mode], self.beta * log_ratios, is_good, weights)
        return loss + ((value * weights).mean() - loss).detach()

    def _weigh_curves(
        self,
        curves: dict[str, list[float]],
        rewards: torch.Tensor,
        is_good: torch.Tensor,
        weights: torch.Tensor,
    ) -> None:
        """Puts means over rows by weight in place of TRL's plain means; all (B,)."""
        means = {}
        for name, chosen in {"chosen": is_good, "rejected": ~is_good}.items():
            weight = weights * chosen
            total = self.accelerator.gather(weight).sum()
            if total > 0:
                means[name] = (self.accelerator.gather(rewards * weight).sum() / total).item()
                curves[f"rewards/{name}"][-1] = means[name]
        if len(means) == 2:
            curves["rewards/margins"][-1] = means["chosen"] - means["rejected"]


def kto_losses(
    log_ratios: torch.Tensor,
    is_good: torch.Tensor,
    *,
    reference_point: float,
    beta: float,
    weights: tuple[float, float],
) -> torch.Tensor:
    """Each response's loss (B,) from the log-ratio of policy and reference, all (B,): λ − v
    (Ethayarajh 2024, eq. 7 and 8). `reference_point`: z₀; `weights`: λ of the good and the bad.
    """
    gain = torch.where(is_good, log_ratios - reference_point, reference_point - log_ratios)
    good, bad = (torch.full_like(log_ratios, weight) for weight in weights)
    return torch.where(is_good, good, bad) * (1 - torch.sigmoid(beta * gain))


def balanced(
    labels: Sequence[bool], weights: Sequence[float], config: KtoConfig
) -> tuple[float, float]:
    """(λ of a good response, of a bad one). Balanced, all good ones together weigh as much as all
    bad ones, and a row weighs 1 on average (Ethayarajh 2024, eq. 9, at its lower end).
    """
    if not config.balances:
        return config.good_weight, config.bad_weight
    good = sum(weight for label, weight in zip(labels, weights, strict=True) if label)
    total = sum(weights)
    return (
        config.good_weight * total / (2 * good),
        config.bad_weight * total / (2 * (total - good)),
    )


@dataclass(frozen=True)
class GoodAndBad(Lesson[Scores]):
    """Verdicts to learn from, and those held out."""

    names: ClassVar[Mapping[str, str]] = {
        "rewards/chosen": "good_reward",
        "rewards/rejected": "bad_reward",
        "rewards/margins": "margin",
    }

    config: KtoConfig
    folder: RunFolder
    tokenizer: PreTrainedTokenizerBase
    train: datasets.Dataset
    weights: tuple[float, float]
    split: str
    held_out: list[Verdict]
    counts: dict[str, int]

    @property
    def metrics(self) -> dict[str, object]:
        return {
            "held_out_split": self.split,
            "n_held_out": len(self.held_out),
            "good_weight": self.weights[0],
            "bad_weight": self.weights[1],
            **self.counts,
        }

    def trainer(
        self, model: PreTrainedModel, reference: PreTrainedModel | None = None
    ) -> WatchedKto:
        config = self.config
        return WatchedKto(
            model=model,
            ref_model=reference,
            args=KTOConfig(
                max_length=config.max_tokens,
                beta=config.beta,
                desirable_weight=self.weights[0],
                undesirable_weight=self.weights[1],
                **progress.arguments(config, self.folder),
            ),
            data_collator=NeighbourCollator(
                pad_token_id=int(self.tokenizer.pad_token_id or 0),
                max_length=config.max_tokens,
                mean_weight=fmean(self.train[WEIGHT]),
            ),
            train_dataset=self.train,
            processing_class=self.tokenizer,
            peft_config=loading.lora(config, is_reward=False) if config.method == "lora" else None,
        )

    def log_probabilities(self, model: PreTrainedModel, dtype: torch.dtype) -> list[Scores]:
        was_training = model.training
        model.eval()
        scores = []
        neighbours = [*self.held_out[-1:], *self.held_out[:-1]]
        turned = list(zip(self.held_out, neighbours, strict=True))
        for batch in data.batches(turned, self.config.batch_size):
            own = [(row.prompt_ids, row.response_ids) for row, _other in batch]
            other = [
                (row.prompt_ids, other.response_ids[: self.config.max_tokens - len(row.prompt_ids)])
                for row, other in batch
            ]
            sums = logprobs.of_responses(model, own + other, dtype)
            scores += list(map(Scores, sums[: len(batch)], sums[len(batch) :]))
        model.train(was_training)
        return scores

    def summary(self, now: list[Scores], start: list[Scores]) -> dict[str, float]:
        return summary(self.held_out, now, start, self.config.beta)


def summary(
    held_out: list[Verdict], now: list[Scores], start: list[Scores], beta: float
) -> dict[str, float]:
    """How often a good response has a higher implied reward, β·log(π/π₀), than a bad one, by how
    much on average, and the mean loss of the good and of the bad.
    """
    if not held_out:
        return {}
    log_ratios = torch.tensor([n.own - s.own for n, s in zip(now, start, strict=True)])
    drift = fmean(n.other - s.other for n, s in zip(now, start, strict=True))
    is_good = [row.is_good for row in held_out]
    point = max(0.0, drift)
    losses = kto_losses(
        log_ratios, torch.tensor(is_good), reference_point=point, beta=beta, weights=(1.0, 1.0)
    ).tolist()
    of_label = [
        fmean(loss for loss, good in zip(losses, is_good, strict=True) if good is label)
        for label in set(is_good)
    ]
    found = {"held_out_loss": fmean(of_label), "held_out_kl": point}
    rewards = (beta * log_ratios).tolist()
    groups = two_groups.compare(rewards, is_good, [row.prompt for row in held_out])
    if groups is None:
        return found
    found |= {"held_out_accuracy": groups.share_above, "held_out_margin": groups.difference}
    for name, ends in (("accuracy", groups.share_ends), ("margin", groups.difference_ends)):
        if ends is not None:
            found |= {f"held_out_{name}_low": ends[0], f"held_out_{name}_high": ends[1]}
    return found


def carry_out(job: Job, config: KtoConfig, folder: RunFolder) -> Result:
    return learning.learn(
        job, config, folder, lambda tokenizer: read(Path(job.snapshot), tokenizer, config, folder)
    )


def read(
    snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: KtoConfig, folder: RunFolder
) -> GoodAndBad:
    """TRL takes the rows in their order, in every epoch, so that each batch keeps its neighbours:
    the order is drawn here. Raises UnableToRead.
    """
    data.require_folder(snapshot)
    data.require(list(islice(data.streamed(snapshot, "train"), 1)), "label")
    stored = _stored(snapshot, "train", tokenizer, config, folder)
    train = _drawn(stored, config.max_rows, config.seed)
    alone = len(train) % config.batch_size == 1
    if alone and len(train) > config.batch_size:
        train = train.select(range(len(train) - 1))
    labels = train["label"]
    _require_both(labels, config)
    weights = balanced(labels, train[WEIGHT], config)
    split = data.held_out_split(snapshot)
    held_out: list[Verdict] = []
    if split:
        kept = _stored(snapshot, split, tokenizer, config, folder)
        for row in _drawn(kept, config.max_held_out_rows, config.seed):
            verdict = (row["prompt"], row["prompt_ids"], row["completion_ids"], row["label"])
            held_out.append(Verdict(*verdict))
    n_good = sum(labels)
    counts = {
        "n_good": n_good,
        "n_bad": len(labels) - n_good,
        "n_responses_left_out": len(stored) - sum(stored["fits"]),
        "n_prompts_cut": sum(stored["is_cut"]),
    }
    lesson = GoodAndBad(config, folder, tokenizer, train, weights, split, held_out, counts)
    _tell(lesson)
    return lesson


def _stored(
    snapshot: Path,
    split: str,
    tokenizer: PreTrainedTokenizerBase,
    config: KtoConfig,
    folder: RunFolder,
) -> datasets.Dataset:
    return data.stored(
        _rows,
        folder,
        split,
        FEATURES,
        path=snapshot / f"{split}.jsonl",
        tokenizer=tokenizer,
        max_tokens=config.max_tokens,
    )


def _rows(
    parts: Sequence[int], path: Path, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> Iterator[dict[str, object]]:
    """A prompt is cut from the left to fit."""
    answers = AnswerTokenizer(tokenizer)
    lines = run_dir.read_lines(path)
    while chunk := list(islice(lines, AT_ONCE)):
        for row, its in zip(chunk, answers.read(list(map(_conversation, chunk))), strict=True):
            (response,) = its.responses
            room = max_tokens - len(response)
            yield {
                "prompt": cluster_of(row) >> 1,  # as a signed number
                "prompt_ids": its.prompt[-room:] if room > 0 else [],
                "completion_ids": response,
                "label": row["label"],
                WEIGHT: float(row.get("weight", 1.0)),
                "is_cut": 0 < room < len(its.prompt),
                "fits": room > 0,
            }


def _conversation(row: data.Row) -> Conversation:
    turn = row["completion"][0]
    key = rankings.key_of(turn | {"text": turn["content"]})
    cut_off = frozenset() if row.get("is_ended", True) else frozenset([key])
    return Conversation(row["prompt"], [key], cut_off, row.get("tools", ()), {key: turn})


def _drawn(stored: datasets.Dataset, at_most: int | None, seed: int) -> datasets.Dataset:
    """Those that fit, in an order drawn with the seed; at most so many."""
    fitting = np.flatnonzero(stored.data.column("fits").to_numpy()).tolist()
    random.Random(seed).shuffle(fitting)  # noqa: S311 a draw, not a secret
    return stored.select(fitting[:at_most])


def _require_both(labels: Sequence[bool], config: KtoConfig) -> None:
    n, n_good = len(labels), sum(labels)
    if n < config.batch_size:
        raise data.UnableToRead(
            f"The snapshot has {counted(n, 'usable response')}, fewer than one batch of"
            f" {config.batch_size}. Collect more, raise the max row length, or lower the batch"
            " size (at least 2)."
        )
    if n_good in (0, n):
        only, missing = ("good", "bad") if n_good else ("bad", "good")
        raise data.UnableToRead(
            f"All {n} responses are {only}, and KTO needs {missing} ones too. Collect rankings,"
            " ratings or thumbs on more responses"
            + (", or train on these as demonstrations (SFT)." if n_good else ".")
        )


def _tell(lesson: GoodAndBad) -> None:
    counts, (good, bad) = lesson.counts, lesson.weights
    note = (
        f"{counted(len(lesson.train), 'response')} for training, {counts['n_good']} good and"
        f" {counts['n_bad']} bad, {len(lesson.held_out)} held out"
        f" ({lesson.split or 'no held-out split'})."
    )
    note += f" A good one counts {good:.3g}, a bad one {bad:.3g}"
    note += ", which balances them." if lesson.config.balances else "."
    if n := counts["n_responses_left_out"]:
        note += f" {n} dropped: too long even without the prompt."
    lesson.folder.append_note(note)
