"""Log-probabilities of responses."""

from collections.abc import Sequence

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from training.trainer import data


@torch.no_grad()
def of_responses(
    model: PreTrainedModel,
    sequences: Sequence[tuple[list[int], list[int]]],
    dtype: torch.dtype,
    *,
    temperature: float = 1.0,
) -> list[float]:
    """Summed over the tokens of each response, in one pass. `sequences`: (prompt, response)."""
    ids, mask = data.padded([prompt + response for prompt, response in sequences], 0)  # (B, T)
    labels, _ = data.padded(
        [[data.IGNORED] * len(prompt) + response for prompt, response in sequences], data.IGNORED
    )
    ids, mask, labels = ids.to(model.device), mask.to(model.device), labels.to(model.device)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[
            :, :-1
        ]  # (B, T-1, V)
    losses = functional.cross_entropy(
        logits.transpose(1, 2).float() / temperature,
        labels[:, 1:],
        ignore_index=data.IGNORED,
        reduction="none",
    )
    sums: list[float] = (-losses.sum(dim=1)).tolist()
    return sums
