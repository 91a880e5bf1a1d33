"""Rounds merged weights to bfloat16 without losing small updates."""

import hashlib

import torch
from torch import Tensor, nn

_LOW_BITS = 16
"""float32 bits that bfloat16 lacks"""


@torch.no_grad()
def to_bfloat16_values(model: nn.Module) -> None:
    """Rounds float32 weights to values that bfloat16 holds, up or down by chance, so that each is
    right on average. Rounding to the nearest would drop what is smaller than half a step of
    bfloat16: nearly the whole update of a short LoRA run. A weight that bfloat16 holds stays.

    The same weights give the same result.
    """
    for name, weight in model.named_parameters():
        if weight.dtype == torch.float32:
            weight.copy_(rounded(weight, name))


def rounded(weight: Tensor, name: str) -> Tensor:
    """One float32 weight, rounded so. `name` is its name in the model."""
    seed = hashlib.sha256(name.encode()).digest()
    draw = torch.Generator(weight.device).manual_seed(int.from_bytes(seed[:7], "big"))
    bits = weight.contiguous().view(torch.int32)
    chance = torch.randint(
        2**_LOW_BITS, bits.shape, dtype=torch.int32, device=weight.device, generator=draw
    )
    return ((bits + chance) & -(2**_LOW_BITS)).view(torch.float32)
