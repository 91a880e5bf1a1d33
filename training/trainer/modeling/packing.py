"""Packed rows: sequences of a prompt and a response, concatenated in rows of batch size one, so
that there is no padding.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.trainer.modeling import packed_attention
from training.trainer.modeling.packed_attention import PROMPT, Block, shared_prefix_mask


@dataclass(frozen=True)
class PackedRow:
    """Concatenated sequences, (1, L) each. The output at each index in `predict` predicts the
    response token in `targets`.
    """

    input_ids: Tensor
    segments: Tensor
    position_ids: Tensor
    predict: Tensor  # (n,)
    targets: Tensor  # (n,)
    ends: Tensor  # (sequences,) place of each sequence's last token
    members: list[int]
    """Which sequences, as indices into what was packed."""
    blocks: list[Block]
    """The same as `segments`, without a read of the device."""

    def to(self, device: torch.device) -> "PackedRow":
        moved = {
            f.name: getattr(self, f.name).to(device)
            for f in dataclasses.fields(self)
            if f.name not in ("members", "blocks")
        }
        return dataclasses.replace(self, **moved)

    def inputs(self, model: nn.Module) -> dict[str, object]:
        """The arguments to call `model` with on this row. A sequence alone needs no mask, so that
        the layers of any model see of it what they see of a plain text.
        """
        if len(self.members) <= 1:
            return {"input_ids": self.input_ids, "use_cache": False}
        return {
            "input_ids": self.input_ids,
            "attention_mask": shared_prefix_mask(self.segments),
            "position_ids": self.position_ids,
            "use_cache": False,
            **({"blocks": [self.blocks]} if packed_attention.is_prepared(model) else {}),
        }


def pack(sequences: Sequence[tuple[list[int], list[int]]], row_tokens: int) -> list[PackedRow]:
    """Packs (prompt ids, response ids) into rows of at most `row_tokens`, at least one sequence
    each, in order.
    """
    rows: list[PackedRow] = []
    members: list[int] = []
    size = 0
    for index, (prompt, response) in enumerate(sequences):
        length = len(prompt) + len(response)
        if members and size + length > row_tokens:
            rows.append(_row(sequences, members))
            members, size = [], 0
        members.append(index)
        size += length
    if members:
        rows.append(_row(sequences, members))
    return rows


def without_response() -> PackedRow:
    """A short row that nothing is read from: it has no response, no end and no member."""
    row = _row([([0], [0])], [0])
    none = torch.empty(0, dtype=torch.long)
    return dataclasses.replace(row, predict=none, targets=none, ends=none, members=[])


def _row(sequences: Sequence[tuple[list[int], list[int]]], members: list[int]) -> PackedRow:
    ids: list[int] = []
    marks: list[int] = []
    places: list[int] = []
    predict: list[int] = []
    targets: list[int] = []
    ends: list[int] = []
    for number, index in enumerate(members, start=PROMPT + 1):
        prompt, response = sequences[index]
        start = len(ids)
        ids += [*prompt, *response]
        marks += [number] * (len(prompt) + len(response))
        places += range(len(prompt) + len(response))
        first = start + len(prompt) - 1
        predict += range(first, first + len(response))
        targets += response
        ends.append(len(ids) - 1)
    return PackedRow(
        input_ids=torch.tensor([ids]),
        segments=torch.tensor([marks]),
        position_ids=torch.tensor([places]),
        predict=torch.tensor(predict),
        targets=torch.tensor(targets),
        ends=torch.tensor(ends),
        members=members,
        blocks=[Block(sum(map(len, sequences[index]))) for index in members],
    )
