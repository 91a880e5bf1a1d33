"""Rankings as tensors: a batch of rows of `rankings.ranking_row`, and a model's rewards for its
responses.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.trainer.modeling import packed_attention, separation
from training.trainer.modeling.packed_attention import PADDING, PROMPT, shared_prefix_mask
from training.trainer.modeling.reward_head import scores_of_every_token
from training.trainer.modeling.separation import Row
from training.trainer.reward.formulas import Pairs
from training.trainer.reward.rankings import RankingRow

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
    with scores_of_every_token(model) as seen:
        model(**inputs_of(model, batch))
    return seen[0][batch["end_row"], batch["end_column"], 0].float()


def inputs_of(model: nn.Module, batch: Batch) -> dict[str, object]:
    """The arguments to call `model` with on a collated batch."""
    segments = batch["segments"]
    packed = bool((segments > PROMPT).any())
    return {
        "input_ids": batch["input_ids"],
        "attention_mask": shared_prefix_mask(segments) if packed else (segments != PADDING).long(),
        "position_ids": batch["position_ids"],
        "use_cache": False,
        **(packed_attention.arguments(model, segments) if packed else {}),
    }


def can_share_prefix(model: nn.Module) -> bool:
    """Whether this architecture computes responses packed after one prompt as it does single ones.
    This is measured. Rows may be of any length, so a model with a window can't.
    """
    return separation.keeps_apart(model, _after_one_prompt)


def _after_one_prompt(model: nn.Module, sequences: list[list[int]]) -> Row:
    """Sequences that start with the same tokens, as `RankingCollator` packs them and `rewards_of`
    reads them.
    """
    n_prompt = next(
        place for place, tokens in enumerate(zip(*sequences, strict=False)) if len({*tokens}) > 1
    )
    row: RankingRow = {
        "prompt_ids": sequences[0][:n_prompt],
        "response_ids": [ids[n_prompt:] for ids in sequences],
        "winner": [],
        "loser": [],
        "weight": [],
        "margin": [],
        "about": [],
    }
    batch = on_device(RankingCollator(0)([row]), next(model.parameters()).device)
    marks = batch["segments"][0].tolist()
    return Row(
        inputs_of(model, batch),
        [
            [place for place, mark in enumerate(marks) if mark in (PROMPT, number)]
            for number in range(1, len(sequences) + 1)
        ],
    )


def on_device(batch: Batch, device: torch.device) -> Batch:
    return {
        key: value.to(device) if isinstance(value, Tensor | Pairs) else value
        for key, value in batch.items()
    }
