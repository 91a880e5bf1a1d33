"""Samples responses with a fixed-size cache: the part of transformers' `generate` that a rollout
needs.

Prompts are read in packed rows, so nothing is computed on padding, and only their last positions go
through the language-model head. Their keys and values are right-aligned in a cache that is
allocated once, as wide as the longest prompt plus the longest response, so that a step writes one
column instead of copying all. Rows that have ended leave the batch. Tokens stay on the device until
all are written: each read of a GPU waits until it has done all that it was given.

Models that don't support this (a sliding window, a state instead of keys and values) use
`generate`: see `can_sample`.
"""

import functools
import inspect
import itertools
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from training.trainer.modeling.packing import pack

logger = logging.getLogger(__name__)

# Below this share of active rows, the cache of ended ones is dropped. Dropping it at every end
# would copy too often.
_STILL_WRITING = 0.75
# Devices that Python reads without waiting. There, ended rows are looked for at every step.
_READ_FREELY = frozenset({"cpu"})
# On others not more often than after this many steps, nor more often in all.
_STEPS_BETWEEN_LOOKS, _MOST_LOOKS = 16, 16
# So many probabilities are summed before they are cumulated.
_SUMMED_TOGETHER = 256


def responses(
    model: nn.Module,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    ends: frozenset[int],
    temperature: float = 1.0,
    top_p: float = 1.0,
    row_tokens: int = 2048,
) -> list[list[int]]:
    """The response to each prompt, including its end of turn, if any. Temperature 0: the most
    likely token. Each prompt has its own random numbers, drawn at the start, so the rest of the
    batch only affects rounding.
    """
    device = next(model.parameters()).device
    uniform = torch.rand(len(prompts), max_new_tokens, dtype=torch.float64, device=device)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    cache, logits = _read(model, prompts, max_new_tokens, row_tokens)
    columns = torch.arange(cache.capacity, device=device)
    seen = (columns >= cache.width - lengths[:, None])[
        :, None, None
    ]  # (B, 1, 1, S) hides what is before each row's prompt
    here = torch.arange(len(prompts), device=device)  # which prompt each row of the batch answers
    written = torch.zeros(len(prompts), max_new_tokens, dtype=torch.long, device=device)
    last = torch.tensor(sorted(ends), device=device)
    is_writing = torch.ones_like(here, dtype=torch.bool)
    looks_every = steps_between_looks(device, max_new_tokens)
    for step in range(max_new_tokens):
        tokens = choose(logits, uniform[here, step], temperature=temperature, top_p=top_p)  # (B,)
        written[here, step] = tokens
        if step == max_new_tokens - 1:
            break
        is_writing = is_writing & ~torch.isin(tokens, last)
        if (step + 1) % looks_every == 0:
            rows = [row for row, writes in enumerate(is_writing.tolist()) if writes]
            if not rows:
                break
            if len(rows) <= _STILL_WRITING * len(here):
                kept = torch.tensor(rows, device=device)
                cache.keep(kept)
                here, seen, tokens, is_writing = (t[kept] for t in (here, seen, tokens, is_writing))
        logits = _logits(
            model,
            cache,
            input_ids=tokens[:, None],
            attention_mask=seen[..., : cache.width + step + 1],
            position_ids=(lengths[here] + step)[:, None],
            logits_to_keep=1,
        )[:, -1]
    return [_until_end(tokens, ends) for tokens in written.tolist()]


def steps_between_looks(device: torch.device, max_new_tokens: int) -> int:
    if device.type in _READ_FREELY:
        return 1
    return max(_STEPS_BETWEEN_LOOKS, math.ceil(max_new_tokens / _MOST_LOOKS))


def _until_end(tokens: list[int], ends: frozenset[int]) -> list[int]:
    """Up to the first end of turn, with it: rows go on until they leave the batch."""
    end = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: end + 1]


def choose(logits: Tensor, uniform: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """One token per row: (B, V), (B,) uniform in [0, 1) → (B,). The first token whose cumulative
    probability exceeds the row's number. Summed in double precision: in single, the rare ones of
    50,000 tokens would be lost to rounding. First the group of tokens is searched for, then the
    token in it, so that not all of them are cumulated.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    probabilities = (logits.float() / temperature).softmax(dim=-1)
    if top_p < 1:
        probabilities = _nucleus(probabilities, top_p)
    n_tokens, size = logits.shape[-1], _SUMMED_TOGETHER
    groups = functional.pad(probabilities, (0, -n_tokens % size)).unflatten(-1, (-1, size))
    cumulated = groups.sum(dim=-1, dtype=torch.float64).cumsum(dim=-1)  # (B, groups)
    aim = uniform[:, None] * cumulated[:, -1:]
    group = _first_above(cumulated, aim)  # (B, 1)
    before = functional.pad(cumulated, (1, 0)).gather(-1, group)
    inside = groups.gather(1, group[..., None].expand(-1, 1, size))[:, 0].double().cumsum(dim=-1)
    return (group * size + _first_above(inside, aim - before))[:, 0].clamp_max(n_tokens - 1)


def _first_above(cumulated: Tensor, aim: Tensor) -> Tensor:
    """The index of the first sum above the aim: (B, N), (B, 1) → (B, 1). Of the last one that adds
    something, if rounding puts the aim above all.
    """
    total = cumulated[:, -1:]
    below = torch.minimum(aim, total.nextafter(torch.zeros_like(total)))
    return torch.searchsorted(cumulated, below, right=True).clamp_max(cumulated.shape[-1] - 1)


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """0 for all but the smallest set of most likely tokens with a total of `top_p`."""
    ordered, tokens = probabilities.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    return torch.zeros_like(probabilities).scatter(
        -1, tokens, ordered.masked_fill(before >= top_p, 0.0)
    )


# --- the cache ------------------------------------------------------------------------------------


class _FixedLayer(DynamicLayer):
    """Keys and values of one layer, (B, G, S, D), of which the first `n` columns are written."""

    keys: Tensor
    values: Tensor

    def __init__(self, keys: Tensor, values: Tensor, n: int) -> None:
        super().__init__()
        self.keys, self.values, self.n = keys, values, n
        self.device, self.dtype = keys.device, keys.dtype
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        end = self.n + key_states.shape[-2]
        self.keys[:, :, self.n : end] = key_states
        self.values[:, :, self.n : end] = value_states
        self.n = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        return self.n


class FixedCache(Cache):
    """Prompts right-aligned in the first `width` columns, with space for responses after them."""

    def __init__(self, layers: list[_FixedLayer], width: int) -> None:
        super().__init__(layers=list(layers))
        self.fixed = layers
        self.width = width
        self.capacity = layers[0].keys.shape[-2]

    def keep(self, rows: Tensor) -> None:
        """Keeps only these rows of the batch, by their numbers."""
        for layer in self.fixed:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]


def _read(
    model: nn.Module, prompts: Sequence[list[int]], n_more: int, row_tokens: int
) -> tuple[FixedCache, Tensor]:
    """Reads all prompts in packed rows. Returns their cache and the logits after each, (B, V)."""
    device = next(model.parameters()).device
    width = max(map(len, prompts))
    stores: list[tuple[Tensor, Tensor]] = []
    logits = []
    for row in pack([(prompt, []) for prompt in prompts], row_tokens):
        row = row.to(device)
        read = DynamicCache(config=_bare(model).config)
        inputs = row.inputs(model) | {"use_cache": True}
        logits.append(_logits(model, read, logits_to_keep=row.ends, **inputs)[0])  # (sequences, V)
        ends = list(itertools.accumulate(len(prompts[member]) for member in row.members))
        for number, layer in enumerate(read.layers):
            if type(layer) is not DynamicLayer or layer.keys is None or layer.values is None:
                raise TypeError(
                    f"{type(layer).__name__} keeps more or less than the keys and values of every"
                    " token."
                )
            if number == len(stores):
                shape = (len(prompts), layer.keys.shape[1], width + n_more)
                stores.append(
                    (
                        layer.keys.new_zeros(*shape, layer.keys.shape[-1]),
                        layer.values.new_zeros(*shape, layer.values.shape[-1]),
                    )
                )
            for member, end in zip(row.members, ends, strict=True):
                n = len(prompts[member])
                for store, kind in zip(stores[number], (layer.keys, layer.values), strict=True):
                    store[member, :, width - n : width] = kind[0, :, end - n : end]
    return FixedCache(
        [_FixedLayer(keys, values, width) for keys, values in stores], width
    ), torch.cat(logits)


def _logits(model: nn.Module, cache: Cache, **inputs: object) -> Tensor:
    name = _cache_argument(type(_bare(model)).forward)
    logits: Tensor = model(**{"use_cache": True, name: cache} | inputs).logits
    return logits


@functools.cache
def _cache_argument(forward: Callable[..., object]) -> str:
    """transformers renamed the parameter in 5.24."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"


def _bare(model: nn.Module) -> Any:
    """Unwraps PEFT, whose forward has no named parameters."""
    unwrap: Any = getattr(model, "get_base_model", None)
    return unwrap() if unwrap else model


# --- whether a model can --------------------------------------------------------------------------


@torch.no_grad()
def can_sample(model: nn.Module, tolerance: float = 1e-3) -> bool:
    """Whether this architecture gives the same logits with a fixed cache as with the full text.
    This is measured.
    """
    prompts, more = [[3, 4, 5, 6, 7], [8, 9]], torch.tensor([[10], [11]])
    device = next(model.parameters()).device
    try:
        cache, first = _read(model, prompts, 1, 64)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        seen = torch.arange(cache.capacity, device=device) >= cache.width - lengths[:, None]
        following = {
            "input_ids": more.to(device),
            "attention_mask": seen[:, None, None],
            "position_ids": lengths[:, None],
        }
        second = _logits(model, cache, logits_to_keep=1, **following)[:, -1]
        for number, prompt in enumerate(prompts):
            whole = model(
                input_ids=torch.tensor([[*prompt, int(more[number])]], device=device),
                use_cache=False,
            ).logits[0]
            scale = max(1.0, float(whole.abs().max())) * (1 if whole.dtype == torch.float32 else 30)
            for ours, theirs in ((first[number], whole[-2]), (second[number], whole[-1])):
                if float((ours - theirs).abs().max()) > tolerance * scale:
                    logger.info(
                        "This model's responses come from transformers' generate: over a fixed"
                        " cache it differs."
                    )
                    return False
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        logger.info("This model's responses come from transformers' generate (%s).", error)
        return False
    return True
