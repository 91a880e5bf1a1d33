"""Reward models from whole rankings: InstructGPT's loss, one pass a response, and one pass for the
prompt they share.

A ranking of K responses holds up to K(K−1)/2 pairs. Training on the pairs one by one runs K(K−1)
sequences, each with its own copy of the prompt; here the K responses lie behind one prompt in one
packed row, so that a prompt of P and responses of T tokens cost P + K·T tokens in place of
K(K−1)·(P + T). The loss over the pairs is the same to rounding.
"""

import itertools
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import DynamicCache, PreTrainedTokenizerBase, Trainer, TrainingArguments
from transformers.cache_utils import DynamicLayer

from pages import intervals
from training.trainer import packed_attention
from training.trainer.packed_attention import PADDING, PROMPT

logger = logging.getLogger(__name__)


# --- the formulas ---------------------------------------------------------------------------------


def decided_pairs(ranks: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """(winner, loser) for each two responses that a rater told apart; ties and unranked ones drop
    out (Ouyang 2022, App. C.2).
    """
    for a, b in itertools.combinations(range(len(ranks)), 2):
        rank_a, rank_b = ranks[a], ranks[b]
        if rank_a is None or rank_b is None or rank_a == rank_b:
            continue
        yield (a, b) if rank_a < rank_b else (b, a)


def ranking_loss(rewards: Tensor, pairs: "Pairs", *, n_prompts: int, per: str = "prompt") -> Tensor:
    """InstructGPT's reward loss (Ouyang 2022, §3.5): −log σ(r_winner − r_loser − margin) over all
    pairs of a prompt.

    `rewards` is (R,), every response of the batch in a row. With per="prompt" each prompt's pairs
    are averaged, by weight, and the prompts then count alike, so a ranking of nine does not
    outweigh a ranking of two; the divisor is the weight of the pairs that were *kept*, not K(K−1)/2
    (the paper leaves it open once ties drop). With per="pair" every pair counts alike, as in TRL. A
    batch without a decided pair has loss 0 and still a gradient path.
    """
    weight = pairs.weight.to(rewards.dtype)  # (P,)
    differences = rewards[pairs.winner] - rewards[pairs.loser] - pairs.margin  # (P,)
    losses = -functional.logsigmoid(differences) * weight  # (P,)
    if per == "pair":
        return losses.sum() / weight.sum().clamp_min(torch.finfo(losses.dtype).tiny)
    sums = losses.new_zeros(n_prompts).index_add(0, pairs.prompt, losses)  # (N,)
    weights = losses.new_zeros(n_prompts).index_add(0, pairs.prompt, weight)  # (N,)
    decided = weights > 0
    means = torch.where(decided, sums / weights.clamp_min(torch.finfo(losses.dtype).tiny), sums)
    return means.sum() / max(1, int(decided.sum())) + 0.0 * rewards.sum()


def shared_prefix_mask(segments: Tensor) -> Tensor:
    """Who may look at whom in a packed row: (B, L) segment ids (0 prompt, 1…K responses, −1
    padding) → (B, 1, L, L) bool.

    A token sees the prompt and its own response, up to itself. Padding sees only itself, which
    keeps softmax defined.
    """
    length = segments.shape[1]
    query, key = segments[:, :, None], segments[:, None, :]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    allowed = causal & (key != PADDING) & ((key == PROMPT) | (key == query))
    return (allowed | torch.eye(length, dtype=torch.bool, device=segments.device))[:, None]


# --- data -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """Decided pairs of a batch, as indices into its flat list of responses; all (P,)."""

    winner: Tensor
    loser: Tensor
    prompt: Tensor
    weight: Tensor
    margin: Tensor

    def to(self, device: torch.device) -> "Pairs":
        return Pairs(
            *(
                tensor.to(device)
                for tensor in (self.winner, self.loser, self.prompt, self.weight, self.margin)
            )
        )


def ranking_row(
    prompt_ids: list[int], response_ids: list[list[int]], rankings: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """One element of the training set: a prompt, its responses and the pairs of all its rankings.

    `rankings` is [{"ranks": [int | None for each response], "weight": float, "margin": float,
    "margins": [float for each response], "about": {…}}]; all but the ranks may be missing. A pair's
    margin is `margin` and, of `margins`, how far its winner lies above its loser. `about` says of
    each pair who gave it and what it was about, for accuracies group by group.
    """
    pairs = [
        (
            winner,
            loser,
            float(ranking.get("weight", 1.0)),
            _margin(ranking, winner, loser),
            ranking.get("about", {}),
        )
        for ranking in rankings
        for winner, loser in decided_pairs(ranking["ranks"])
    ]
    return {
        "prompt_ids": prompt_ids,
        "response_ids": response_ids,
        "winner": [pair[0] for pair in pairs],
        "loser": [pair[1] for pair in pairs],
        "weight": [pair[2] for pair in pairs],
        "margin": [pair[3] for pair in pairs],
        "about": [pair[4] for pair in pairs],
    }


def _margin(ranking: dict[str, Any], winner: int, loser: int) -> float:
    """A rating against the ranking (or none at all) takes nothing away."""
    base, heights = float(ranking.get("margin", 0.0)), ranking.get("margins")
    if heights is None or heights[winner] is None or heights[loser] is None:
        return base
    return base + max(0.0, float(heights[winner] - heights[loser]))


@dataclass(frozen=True)
class RankingCollator:
    """Rows of `ranking_row` to tensors: packed behind one prompt, or one sequence a response."""

    pad_token_id: int
    share_prefix: bool = True
    padding_side: str = "right"

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        build = self._packed if self.share_prefix else self._separate
        ids, segments, positions, ends = [], [], [], []
        for row in rows:
            for tokens, marks, places, last in build(row["prompt_ids"], row["response_ids"]):
                ids.append(tokens)
                segments.append(marks)
                positions.append(places)
                ends.append(last)
        length = max(len(tokens) for tokens in ids)
        shift = [length - len(tokens) if self.padding_side == "left" else 0 for tokens in ids]
        return {
            "input_ids": self._pad(ids, length, self.pad_token_id),
            "segments": self._pad(segments, length, PADDING),
            "position_ids": self._pad(positions, length, 0),
            "end_row": torch.tensor([row for row, last in enumerate(ends) for _ in last]),
            "end_column": torch.tensor(
                [column + shift[row] for row, last in enumerate(ends) for column in last]
            ),
            "pairs": self._pairs(rows),
            "n_prompts": len(rows),
        }

    @staticmethod
    def _packed(
        prompt: list[int], responses: list[list[int]]
    ) -> Iterator[tuple[list[int], list[int], list[int], list[int]]]:
        tokens, marks, places, ends = (
            list(prompt),
            [PROMPT] * len(prompt),
            list(range(len(prompt))),
            [],
        )
        for number, response in enumerate(responses, start=1):
            tokens += response
            marks += [number] * len(response)
            places += range(len(prompt), len(prompt) + len(response))
            ends.append(len(tokens) - 1)
        yield tokens, marks, places, ends

    @staticmethod
    def _separate(
        prompt: list[int], responses: list[list[int]]
    ) -> Iterator[tuple[list[int], list[int], list[int], list[int]]]:
        for response in responses:
            length = len(prompt) + len(response)
            yield prompt + response, [PROMPT] * length, list(range(length)), [length - 1]

    def _pad(self, rows: list[list[int]], length: int, value: int) -> Tensor:
        filler = ([value] * (length - len(row)) for row in rows)
        return torch.tensor(
            [
                fill + row if self.padding_side == "left" else row + fill
                for row, fill in zip(rows, filler, strict=True)
            ]
        )

    @staticmethod
    def _pairs(rows: Sequence[dict[str, Any]]) -> Pairs:
        starts = [0, *itertools.accumulate(len(row["response_ids"]) for row in rows)]
        whose = [number for number, row in enumerate(rows) for _ in row["winner"]]
        return Pairs(
            winner=torch.tensor(
                [starts[n] + i for n, row in enumerate(rows) for i in row["winner"]],
                dtype=torch.long,
            ),
            loser=torch.tensor(
                [starts[n] + i for n, row in enumerate(rows) for i in row["loser"]],
                dtype=torch.long,
            ),
            prompt=torch.tensor(whose, dtype=torch.long),
            weight=torch.tensor([w for row in rows for w in row["weight"]], dtype=torch.float32),
            margin=torch.tensor([m for row in rows for m in row["margin"]], dtype=torch.float32),
        )


# --- reading rewards ------------------------------------------------------------------------------


@contextmanager
def scores_of_every_token(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collects what the reward head gives for *every* token while `model` runs: its own forward
    keeps one token a row.

    A hook, so that the call still goes through whatever wraps the model (DDP, FSDP, PEFT).
    """
    head = next(
        module for name, module in model.named_modules() if name.rsplit(".", 1)[-1] == "score"
    )
    seen: list[Tensor] = []
    handle = head.register_forward_hook(lambda module, args, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


def rewards_of(model: nn.Module, batch: dict[str, Any]) -> Tensor:
    """(R,) rewards in float32, one for each response of a collated batch, read at its own last
    token.
    """
    segments = batch["segments"]
    packed = bool((segments > PROMPT).any())
    mask = shared_prefix_mask(segments) if packed else (segments != PADDING).long()
    more = packed_attention.arguments(model, segments) if packed else {}
    with scores_of_every_token(model) as seen:
        model(
            input_ids=batch["input_ids"],
            attention_mask=mask,
            position_ids=batch["position_ids"],
            use_cache=False,
            **more,
        )
    return seen[0][batch["end_row"], batch["end_column"], 0].float()


@torch.no_grad()
def can_share_prefix(model: nn.Module, tolerance: float = 1e-3) -> bool:
    """Whether this architecture gives packed responses the rewards it gives them alone; measured,
    not assumed.

    Short rows would not show a sliding window, which a packed row's mask leaves out: such a model
    cannot.
    """
    config = getattr(model, "config", None)
    if config is not None and any(
        type(layer) is not DynamicLayer for layer in DynamicCache(config=config).layers
    ):
        logger.info(
            "This model sees a window or keeps a state: each response runs with its own copy of the"
            " prompt."
        )
        return False
    row = {
        "prompt_ids": [3, 4, 5],
        "response_ids": [[6, 7], [8, 9, 10]],
        "winner": [],
        "loser": [],
        "weight": [],
        "margin": [],
    }
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        both = [
            _to(RankingCollator(0, share_prefix=share)([row]), device) for share in (True, False)
        ]
        packed, alone = (rewards_of(model, batch) for batch in both)
    except (ValueError, RuntimeError, TypeError) as error:
        logger.info(
            "This model cannot share a prompt among its responses (%s); each response runs with its"
            " own copy.",
            error,
        )
        return False
    finally:
        model.train(was_training)
    scale = max(1.0, float(alone.abs().max()))
    return bool(
        (packed - alone).abs().max()
        <= tolerance * scale * (1 if packed.dtype == torch.float32 else 30)
    )


def _to(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        key: value.to(device) if isinstance(value, Tensor | Pairs) else value
        for key, value in batch.items()
    }


# --- training -------------------------------------------------------------------------------------


@dataclass
class RankingArguments(TrainingArguments):
    """transformers' arguments, and how a ranking becomes a loss."""

    share_prefix: bool = field(
        default=True, metadata={"help": "One pass for the prompt that the responses share."}
    )
    loss_per: str = field(
        default="prompt",
        metadata={
            "help": "prompt: every prompt counts alike (InstructGPT); pair: every pair does."
        },
    )
    center_rewards: float = field(
        default=0.0,
        metadata={"help": "Weight of the squared mean reward, which keeps rewards near 0."},
    )
    pad_side: str = field(
        default="right", metadata={"help": "Where a batch is padded; changes nothing but speed."}
    )


class RankingTrainer(Trainer):
    """transformers' Trainer over rows of `ranking_row`. The model is a sequence classifier with one
    label.
    """

    args: RankingArguments

    def __init__(
        self,
        model: nn.Module,
        args: RankingArguments,
        *,
        processing_class: PreTrainedTokenizerBase,
        **kwargs: Any,
    ) -> None:
        if processing_class.pad_token_id is None:
            raise ValueError(
                "The tokenizer has no pad token. Set one that is not its end-of-turn token."
            )
        args.remove_unused_columns = False
        args.label_names = []
        if args.share_prefix:
            packed_attention.use(model)
        self.shares_prefix = args.share_prefix and can_share_prefix(model)
        collator = RankingCollator(processing_class.pad_token_id, self.shares_prefix, args.pad_side)
        super().__init__(
            model=model,
            args=args,
            data_collator=collator,
            processing_class=processing_class,
            **kwargs,
        )
        self.model_accepts_loss_kwargs = (
            False  # the loss is a mean, so the Trainer divides by the accumulation steps
        )
        self._sums: dict[str, float] = {}

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return _to(inputs, self.args.device)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        rewards, pairs = rewards_of(model, inputs), inputs["pairs"]
        loss = ranking_loss(rewards, pairs, n_prompts=inputs["n_prompts"], per=self.args.loss_per)
        if self.args.center_rewards:
            loss = loss + self.args.center_rewards * rewards.mean() ** 2
        self._count(rewards.detach(), pairs, n_tokens=int((inputs["segments"] != PADDING).sum()))
        return (loss, {"rewards": rewards}) if return_outputs else loss

    def _count(self, rewards: Tensor, pairs: Pairs, *, n_tokens: int) -> None:
        margin = rewards[pairs.winner] - rewards[pairs.loser]
        counts = {
            "pairs": len(margin),
            "right": float((margin > 0).sum()),
            "margin": float(margin.sum()),
            "tokens": n_tokens,
        }
        for name, value in counts.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs and self._sums.get("pairs"):
            logs["accuracy"] = self._sums["right"] / self._sums["pairs"]
            logs["margin"] = self._sums["margin"] / self._sums["pairs"]
            logs["tokens"] = self._sums["tokens"]
            self._sums = {}
        super().log(logs, start_time)

    def pair_results(
        self, rows: Sequence[dict[str, Any]], model: nn.Module | None = None
    ) -> "PairResults":
        """Rewards and decided pairs of rows, in their order, under `model` or the one that trains,
        whose state is left alone.
        """
        model = model or self.model
        assert model is not None
        was_training = model.training
        model.eval()
        margins, whose, rewards = [], [], []
        seen = 0
        size = self.args.per_device_eval_batch_size
        for start in range(0, len(rows), size):
            batch = _to(self.data_collator(list(rows[start : start + size])), self.args.device)
            with torch.no_grad(), self.compute_loss_context_manager():
                scores = rewards_of(model, batch)
            pairs = batch["pairs"]
            margins += (scores[pairs.winner] - scores[pairs.loser] - pairs.margin).tolist()
            whose += (pairs.prompt + seen).tolist()
            rewards += scores.tolist()
            seen += batch["n_prompts"]
        model.train(was_training)
        lengths = [len(ids) for row in rows for ids in row["response_ids"]]
        return PairResults(margins, whose, rewards, lengths)


@dataclass(frozen=True)
class PairResults:
    """What a reward model made of held-out pairs. `margins` is r_winner − r_loser for each decided
    pair.
    """

    margins: list[float]
    prompts: list[int]
    rewards: list[float]
    lengths: list[int]

    def summary(self) -> dict[str, float]:
        """Accuracy with Wilson's interval, log-loss, mean margin, and correlation of reward with
        length in tokens.
        """
        n = len(self.margins)
        right = sum(map(rightness, self.margins))
        low, high = intervals.wilson(right, n)
        log_loss = sum(math.log1p(math.exp(-abs(m))) + max(0.0, -m) for m in self.margins)
        return {
            "pairs": n,
            "accuracy": right / n if n else 0.5,
            "accuracy_low": low,
            "accuracy_high": high,
            "log_loss": log_loss / n if n else math.log(2),
            "margin": sum(self.margins) / n if n else 0.0,
            "reward_length_correlation": correlation(
                self.rewards, [float(length) for length in self.lengths]
            ),
        }

    def margin_histogram(self, n_bins: int = 20) -> list[dict[str, float]]:
        """How many pairs have which margin, over bins of one width; below 0 the pair comes out the
        wrong way round.
        """
        if not self.margins:
            return []
        low, high = min(self.margins), max(self.margins)
        width = (high - low) / n_bins or 1.0
        counts = [0] * n_bins
        for margin in self.margins:
            counts[min(n_bins - 1, int((margin - low) / width))] += 1
        return [{"margin": low + (number + 0.5) * width, "n": n} for number, n in enumerate(counts)]

    def calibration(self, n_bins: int = 10) -> list[dict[str, float]]:
        """Of pairs given probability p to come out as they did or the other way round: how often
        the likelier one was right.
        """
        bins: list[list[tuple[float, float]]] = [[] for _ in range(n_bins)]
        for margin in self.margins:
            sure = 1 / (1 + math.exp(-abs(margin)))  # 0.5 … 1
            bins[min(n_bins - 1, int((sure - 0.5) * 2 * n_bins))].append((sure, rightness(margin)))
        return [
            {
                "predicted": sum(p for p, _ in members) / len(members),
                "observed": sum(hit for _, hit in members) / len(members),
                "n": len(members),
            }
            for members in bins
            if members
        ]


def rightness(margin: float) -> float:
    """Of a pair: 1 in the raters' order, 0 the other way round, one half where both responses have
    the same reward.
    """
    return 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Pearson's r; 0 when either side is constant."""
    if len(a) < 2:
        return 0.0
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    x, y = x - x.mean(), y - y.mean()
    size = float(x.norm() * y.norm())
    return float(x @ y) / size if size else 0.0
