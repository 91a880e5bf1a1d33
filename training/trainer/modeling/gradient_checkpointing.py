"""Gradient checkpointing: activations are computed anew on the way back, in place of being held."""

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer


def layers_of(model: nn.Module) -> list[GradientCheckpointingLayer]:
    """The layers that can; none in a model that was not written for it."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


@contextlib.contextmanager
def recomputing(model: nn.Module) -> Iterator[None]:
    """Inside, for a pass forwards that is learned from.

    transformers' own waits for a model that is `training`, and PPO's are not: dropout would come on
    with it.
    """
    layers = layers_of(model) if torch.is_grad_enabled() else []
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's is back
