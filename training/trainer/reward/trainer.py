"""Reward models from whole rankings: InstructGPT's loss with one pass per response and one for the
prompt they share.

A ranking of K responses has up to K(K−1)/2 pairs. Training on single pairs runs K(K−1) sequences,
each with its own copy of the prompt. Here the K responses follow one prompt in one packed row, so
that a prompt of P and responses of T tokens cost P + K·T tokens instead of K(K−1)·(P + T). The loss
over the pairs is the same up to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Trainer, TrainingArguments

from training.trainer import parallel
from training.trainer.modeling import packed_attention
from training.trainer.modeling.packed_attention import PADDING
from training.trainer.reward.batches import (
    Batch,
    RankingCollator,
    can_share_prefix,
    on_device,
    rewards_of,
)
from training.trainer.reward.formulas import Pairs, ranking_loss
from training.trainer.reward.pair_results import PairResults
from training.trainer.reward.rankings import RankingRow


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
    """transformers' Trainer over rows of `rankings.ranking_row`. The model is a sequence classifier
    with one label.
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
        # Only the first process has the weights of a model that will be sharded.
        self.shares_prefix = args.share_prefix and parallel.decided_by_first(
            lambda: can_share_prefix(model)
        )
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

    def _prepare_inputs(self, inputs: Batch) -> Batch:
        return on_device(inputs, self.args.device)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: object = None,
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
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
        self, rows: Sequence[RankingRow], model: nn.Module | None = None
    ) -> PairResults:
        """Rewards and decided pairs of rows, in order, by `model` or the model in training, whose
        state does not change.
        """
        model = model or self.model
        assert model is not None
        assert isinstance(self.data_collator, RankingCollator)
        was_training = model.training
        model.eval()
        margins, whose, rewards = [], [], []
        seen = 0
        size = self.args.per_device_eval_batch_size
        for start in range(0, len(rows), size):
            batch = on_device(
                self.data_collator(list(rows[start : start + size])), self.args.device
            )
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
