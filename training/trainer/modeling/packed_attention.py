"""Attention over packed rows that skips what their block mask forbids.

A packed row has several sequences that may not attend to one another, so most of a dense (L, L)
attention is wasted. Here each block attends only to its own past and to the prompt it shares with
others.

A model prepared by `use` takes the blocks in addition to the mask; without them, as in generation,
it attends as before.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "packed"
PADDING = -1
PROMPT = 0


@dataclass(frozen=True)
class Block:
    """A part of a row. A response sees itself up to each token and, before that, its prompt: block
    number `prompt`.
    """

    length: int
    prompt: int | None = None
    is_padding: bool = False


Blocks = list[list[Block]]
"""For each row of a batch, its blocks from left to right; together they cover it."""


def blocks_of(segments: Tensor) -> Blocks:
    """(B, L) segment ids (0 a shared prompt, 1… sequences or responses, −1 padding), each id one
    stretch of a row.
    """
    blocks = []
    for row in segments:
        marks, counts = (
            tensor.tolist() for tensor in torch.unique_consecutive(row, return_counts=True)
        )
        prompt = marks.index(PROMPT) if PROMPT in marks else None
        blocks.append(
            [
                Block(length, prompt if mark > PROMPT else None, is_padding=mark == PADDING)
                for mark, length in zip(marks, counts, strict=True)
            ]
        )
    return blocks


def shared_prefix_mask(segments: Tensor) -> Tensor:
    """Which tokens see which in a packed row: (B, L) segment ids (0 prompt, 1…K responses, −1
    padding) → (B, 1, L, L) bool.

    A token sees the prompt and its own response, up to itself. Padding sees only itself, which
    keeps softmax defined.
    """
    length = segments.shape[1]
    query, key = segments[:, :, None], segments[:, None, :]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    allowed = causal & (key != PADDING) & ((key == PROMPT) | (key == query))
    return (allowed | torch.eye(length, dtype=torch.bool, device=segments.device))[:, None]


def use(model: nn.Module) -> bool:
    """Lets `model` take `blocks` where that is faster: on a CPU, whose kernels have no block mask.
    Returns whether it does.
    """
    config = getattr(model, "config", None)
    if config is not None and getattr(config, "_attn_implementation", None) == NAME:
        return True
    can = (
        config is not None
        and getattr(config, "_attn_implementation", None) == "sdpa"
        and getattr(model, "_supports_attention_backend", False)
        and next(model.parameters()).device.type in ("cpu", "meta")  # meta: not read here
        and not torch.cuda.is_available()
    )
    if can:
        model.set_attn_implementation(NAME)  # type: ignore[operator]
    return bool(can)


def leave(model: nn.Module) -> None:
    """Undoes `use`."""
    config = getattr(model, "config", None)
    if getattr(config, "_attn_implementation", None) == NAME:
        model.set_attn_implementation("sdpa")  # type: ignore[operator]


def is_prepared(model: nn.Module) -> bool:
    inner: object = getattr(model, "module", model)  # DDP hides the config
    return getattr(getattr(inner, "config", None), "_attn_implementation", None) == NAME


def arguments(model: nn.Module, segments: Tensor) -> dict[str, object]:
    """The arguments of a prepared model in addition to its mask; empty for any other model."""
    return {"blocks": blocks_of(segments)} if is_prepared(model) else {}


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    blocks: Blocks | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """(B, H, L, D) queries, (B, G, L, D) keys and values → (B, L, H, D)."""
    if blocks is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **kwargs
        )
    n_groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, n_groups), repeat_kv(value, n_groups)
    rows = []
    for number, row in enumerate(blocks):
        here = slice(number, number + 1)
        rows.append(_row(query[here], key[here], value[here], row, scaling, dropout))
    return (rows[0] if len(rows) == 1 else torch.cat(rows)).transpose(1, 2).contiguous(), None


def _row(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    row: list[Block],
    scaling: float | None,
    dropout: float,
) -> Tensor:
    """(1, H, L, D) of one row. It is split once: slicing each block would allocate a whole gradient
    for each.
    """
    lengths = [block.length for block in row]
    queries, keys, values = (tensor.split(lengths, dim=2) for tensor in (query, key, value))
    rows = []
    for block, own, k, v in zip(row, queries, keys, values, strict=True):
        mask = None
        if block.is_padding:
            rows.append(own * 0)
            continue
        if block.prompt is not None:
            k, v = (
                torch.cat([keys[block.prompt], k], dim=2),
                torch.cat([values[block.prompt], v], dim=2),
            )
            n_prompt = row[block.prompt].length
            mask = torch.ones(
                block.length, n_prompt + block.length, dtype=torch.bool, device=own.device
            ).tril(n_prompt)
        rows.append(
            functional.scaled_dot_product_attention(
                own, k, v, attn_mask=mask, dropout_p=dropout, is_causal=mask is None, scale=scaling
            )
        )
    return torch.cat(rows, dim=2)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
