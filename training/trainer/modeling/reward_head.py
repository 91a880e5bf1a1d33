"""Reads rewards: from the reward head at each row's last token or at every token, minus the reward
model's bias.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def scores_of_every_token(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collects the reward head's output for *every* token while `model` runs; its own forward
    returns one token per row. It is a hook, so the call still goes through the model's wrappers
    (DDP, FSDP, PEFT).
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


def last_token_rewards(
    model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor
) -> torch.Tensor:
    """The reward of each row, read at its last real token whatever the padding side. (B, T), (B, T)
    → (B,)

    Position ids are counted from the mask, so that left padding changes nothing.
    """
    positions = (attention_mask.cumsum(dim=1) - 1).clamp(min=0)  # (B, T)
    hidden = model.base_model(
        input_ids=input_ids, attention_mask=attention_mask, position_ids=positions, use_cache=False
    )[0]
    steps = torch.arange(input_ids.shape[1], device=input_ids.device)
    last = (attention_mask * steps).argmax(dim=1)  # (B,)
    ends = hidden[torch.arange(len(last), device=last.device), last]  # (B, H)
    return model.score(ends).squeeze(-1).float()


def bias_of(model: nn.Module) -> float:
    """The mean reward of demonstrations, subtracted from every reward. A value model that started
    as a reward model has it in its values too.
    """
    return float(getattr(model.config, "reward_bias", 0.0))


def reads_thinking(model: nn.Module) -> bool:
    """Whether it was trained on what models think before they answer."""
    return bool(getattr(model.config, "reads_thinking", False))
