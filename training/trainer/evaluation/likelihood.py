"""Log-likelihoods of texts after a prompt."""

import copy
import inspect
from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

from training.trainer import data

MAX_TOKENS_AT_ONCE = 1024
"""Limits the logits that are in memory at once: with 50,000 tokens to choose from, 200 MB."""


@torch.no_grad()
def log_likelihoods(
    model: PreTrainedModel,
    pad_token_id: int,
    prompts: Sequence[list[int]],
    texts: Sequence[Sequence[list[int]]],
) -> list[list[float]]:
    """The sum over the tokens of each text, given the text's prompt and its earlier tokens.
    `texts`: for each prompt, the ids of what may follow it.

    Each prompt is computed once for all of its texts, if the model allows it.
    """
    whose = [number for number, own in enumerate(texts) for _text in own]
    flat = [text for own in texts for text in own]
    likelihoods = [0.0] * len(flat)
    shared = _read_prompts(model, pad_token_id, prompts)
    for group in _groups(prompts, whose, flat, is_shared=shared is not None):
        own = [whose[number] for number in group]
        following = [flat[number] for number in group]
        sums = (
            _of_whole(model, pad_token_id, [prompts[number] for number in own], following)
            if shared is None
            else shared.of_texts(own, following)
        )
        for number, value in zip(group, sums, strict=True):
            likelihoods[number] = value
    values = iter(likelihoods)
    return [[next(values) for _text in own] for own in texts]


class _Prompts:
    """A batch of prompts that the model has read: its keys and values, and the logits of what comes
    next.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        pad_token_id: int,
        mask: torch.Tensor,  # (B, T)
        cache: DynamicCache,
        logits: torch.Tensor,  # (B, V)
    ) -> None:
        self.model, self.pad_token_id, self.mask = model, pad_token_id, mask
        self.cache, self.logits = cache, logits

    def of_texts(self, own: Sequence[int], texts: Sequence[list[int]]) -> list[float]:
        """`own` are the numbers of the texts' prompts."""
        ids, mask = _placed(self.model, *data.padded(texts, self.pad_token_id))  # (N, L)
        rows = torch.tensor(own, device=ids.device)
        logits = self.logits[rows][:, None]  # (N, 1, V)
        if ids.shape[1] > 1:
            before = self.mask[rows]
            positions = before.sum(1, keepdim=True) + torch.arange(
                ids.shape[1] - 1, device=ids.device
            )
            more = self.model(
                input_ids=ids[:, :-1],
                attention_mask=torch.cat([before, mask[:, :-1]], dim=1),
                position_ids=positions,
                use_cache=True,
                **{_cache_name(self.model): _rows_of(self.cache, rows)},
            ).logits
            logits = torch.cat([logits, more], dim=1)  # (N, L, V)
        return _sums(logits, ids, mask)


def _read_prompts(
    model: PreTrainedModel, pad_token_id: int, prompts: Sequence[list[int]]
) -> _Prompts | None:
    """None for a model whose memory of a prompt is not one of keys and values for all its tokens:
    sliding windows, state spaces.
    """
    if "logits_to_keep" not in inspect.signature(model.forward).parameters:
        return None
    ids, mask = _placed(model, *data.padded(prompts, pad_token_id, side="left"))  # (B, T)
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        use_cache=True,
        logits_to_keep=1,
    )
    cache = out[_cache_name(model)]
    if not isinstance(cache, DynamicCache) or any(
        type(layer) is not DynamicLayer for layer in cache.layers
    ):
        return None
    return _Prompts(model, pad_token_id, mask, cache, out.logits[:, -1])


def _cache_name(model: PreTrainedModel) -> str:
    """transformers calls it `cache` from 5.24 on; models of their own keep the older name."""
    parameters = inspect.signature(model.forward).parameters
    return "cache" if "cache" in parameters else "past_key_values"


def _rows_of(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """A cache of these rows; the given one stays as it is."""
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen


def _of_whole(
    model: PreTrainedModel,
    pad_token_id: int,
    prompts: Sequence[list[int]],
    texts: Sequence[list[int]],
) -> list[float]:
    """Each text after its prompt, in one sequence."""
    whole = [prompt + text for prompt, text in zip(prompts, texts, strict=True)]
    ids, mask = _placed(model, *data.padded(whole, pad_token_id))  # (N, T)
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    is_text = mask[:, 1:].clone()
    for row, prompt in enumerate(prompts):
        is_text[row, : len(prompt) - 1] = 0
    return _sums(logits, ids[:, 1:], is_text)


def _sums(logits: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor) -> list[float]:
    """Of the log-probabilities of `ids` where the mask is 1. Logits (N, L, V), the others (N, L).

    A row at a time: in float32, the logits of all would take twice the memory.
    """
    sums = []
    for own, chosen, kept in zip(logits, ids, mask, strict=True):
        scores = own[kept.bool()].float()  # (tokens, V)
        picked = scores.gather(1, chosen[kept.bool()][:, None])[:, 0]
        sums.append(float((picked - scores.logsumexp(1)).double().sum()))
    return sums


def _groups(
    prompts: Sequence[list[int]],
    whose: Sequence[int],
    texts: Sequence[list[int]],
    *,
    is_shared: bool,
) -> Iterator[list[int]]:
    """The numbers of the texts to read together, texts of like length at a time."""

    def length(number: int) -> int:
        return len(texts[number]) + (0 if is_shared else len(prompts[whose[number]]))

    group: list[int] = []
    for number in sorted(range(len(texts)), key=length, reverse=True):
        if group and (len(group) + 1) * length(group[0]) > MAX_TOKENS_AT_ONCE:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _placed(
    model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    return ids.to(model.device), mask.to(model.device)
