"""Rankings as tensors: a batch of rows of `rankings.ranking_row`, and a model's rewards for its
responses.
"""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from training.trainer.modeling import packed_attention
from training.trainer.modeling.packed_attention import PADDING, PROMPT, shared_prefix_mask
from training.trainer.modeling.reward_head import scores_of_every_token
from training.trainer.reward.formulas import Pairs
from training.trainer.reward.rankings import RankingRow

logger = logging.getLogger(__name__)

Batch = dict[str, Any]
"""What transformers calls inputs: tensors by name, the pairs, and the number of prompts."""


@dataclass(frozen=True)
class RankingCollator:
    """Rows to tensors: responses packed after one prompt, or one sequence
    per response.
    """

    pad_token_id: int
    share_prefix: bool = True
    padding_side: str = "right"

    def __call__(self, rows: Sequence[RankingRow]) -> Batch:
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
    def _pairs(rows: Sequence[RankingRow]) -> Pairs:
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


def rewards_of(model: nn.Module, batch: Batch) -> Tensor:
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
    """Whether this architecture gives packed responses the same rewards as single ones. This is
    measured. A model with a sliding window can't, because a packed row's mask ignores it, and short
    rows would not show the difference.
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
    row: RankingRow = {
        "prompt_ids": [3, 4, 5],
        "response_ids": [[6, 7], [8, 9, 10]],
        "winner": [],
        "loser": [],
        "weight": [],
        "margin": [],
        "about": [],
    }
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        both = [
            on_device(RankingCollator(0, share_prefix=share)([row]), device)
            for share in (True, False)
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


def on_device(batch: Batch, device: torch.device) -> Batch:
    return {
        key: value.to(device) if isinstance(value, Tensor | Pairs) else value
        for key, value in batch.items()
    }
