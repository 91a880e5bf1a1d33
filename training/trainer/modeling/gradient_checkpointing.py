"""Gradient checkpointing: activations are recomputed in the backward pass instead of stored."""

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer


def layers_of(model: nn.Module) -> list[GradientCheckpointingLayer]:
    """The layers that support it; none in a model that was not written for it."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


@contextlib.contextmanager
def recomputing(model: nn.Module) -> Iterator[None]:
    """Inside, forward passes with gradients keep no activations.

    transformers' own switch works only on a model in training mode. PPO's models are not: that
    would switch dropout on.
    """
    layers = layers_of(model) if torch.is_grad_enabled() else []
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's is back
