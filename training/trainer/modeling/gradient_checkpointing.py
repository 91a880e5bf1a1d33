"""Gradient checkpointing: activations are recomputed in the backward pass instead of stored."""

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer


def layers_of(model: nn.Module) -> list[GradientCheckpointingLayer]:
    """The layers that support it; empty if the model does not."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


@contextlib.contextmanager
def recomputing(model: nn.Module) -> Iterator[None]:
    """Inside, forward passes with gradients store no activations. transformers' own switch only
    works in training mode, which PPO's models don't use: it would turn dropout on.
    """
    layers = layers_of(model) if torch.is_grad_enabled() else []
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's is back
