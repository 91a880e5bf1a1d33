"""Whether a model computes each sequence of a packed row as if it were alone. This is measured: not
every architecture reads a row's mask, or positions that start again.

Layers with a window or a state can't be trusted to a measurement of a few tokens, so what their
cache would hold decides first.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DummyLayer, DynamicLayer, DynamicSlidingWindowLayer

from training.trainer.modeling import loading, packed_attention
from training.trainer.modeling.packing import pack

logger = logging.getLogger(__name__)

# All start with the same three tokens, which a row may hold once.
_SHORT = [[3, 4, 5, 6, 7], [3, 4, 5, 8, 9, 10]]
# What architectures raise that do not know a row's mask or positions.
_REFUSALS = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Row:
    """A packed row as a model takes it, and the columns where each sequence's tokens lie."""

    inputs: dict[str, object]
    columns: list[list[int]]

    @property
    def passes_windows_by(self) -> bool:
        """transformers adds a layer's window to a mask that it makes itself, and to no other."""
        mask = self.inputs.get("attention_mask")
        return "blocks" in self.inputs or (isinstance(mask, Tensor) and mask.ndim == 4)


Packing = Callable[[nn.Module, list[list[int]]], Row]
"""How a trainer lays sequences of token ids in one row of a model."""


def end_to_end(model: nn.Module, sequences: list[list[int]]) -> Row:
    """With a block mask, as PPO packs them."""
    row = pack([(ids[:1], ids[1:]) for ids in sequences], sum(map(len, sequences)))[0]
    return Row(row.to(_device(model)).inputs(model), _in_turn(sequences))


def by_positions(model: nn.Module, sequences: list[list[int]]) -> Row:
    """Without a mask: a sequence starts where positions do, as in TRL's packing."""
    places = [torch.arange(len(ids)) for ids in sequences]
    segments = torch.cat([torch.full_like(p, n) for n, p in enumerate(places, start=1)])[None]
    inputs = {
        "input_ids": torch.tensor([[token for ids in sequences for token in ids]]),
        "position_ids": torch.cat(places)[None],
    }
    moved = {name: tensor.to(_device(model)) for name, tensor in inputs.items()}
    more = packed_attention.arguments(model, segments)
    return Row(moved | {"use_cache": False} | more, _in_turn(sequences))


@torch.no_grad()
def keeps_apart(
    model: nn.Module,
    packing: Packing,
    *,
    longest: int | None = None,
    tolerance: float = 1e-3,
) -> bool:
    """Whether packed sequences of at most `longest` tokens have the same hidden states as alone,
    and depend on nothing but themselves. Without `longest` they may be of any length.
    """
    was_training = model.training
    model.eval()
    try:
        row = packing(model, _SHORT)
        if row.passes_windows_by and not _sees_everything(model, longest):
            logger.info("This model sees a window or keeps a state, which a packed row ignores.")
            return False
        return not _leaks(model, row) and all(
            _agrees(model, packing, sequences, tolerance) for sequences in _measured(longest)
        )
    except _REFUSALS as error:
        logger.info("This model does not take packed rows (%s).", error)
        return False
    finally:
        model.train(was_training)


def _measured(longest: int | None) -> list[list[list[int]]]:
    if longest is None:
        return [_SHORT]
    long = [3, 4, 5] + [6 + place % 7 for place in range(longest - 3)]
    return [_SHORT, [_SHORT[0], long]]


def _sees_everything(model: nn.Module, longest: int | None) -> bool:
    """Whether each layer sees all of a sequence and keeps nothing else, going by the cache that
    generation would have.
    """
    config = getattr(model, "config", None)
    if not isinstance(config, PreTrainedConfig):
        return True
    return all(_layer_sees_all(layer, longest) for layer in DynamicCache(config=config).layers)


def _layer_sees_all(layer: object, longest: int | None) -> bool:
    if type(layer) is DynamicSlidingWindowLayer:
        return longest is not None and longest <= layer.sliding_window
    return type(layer) in (DynamicLayer, DummyLayer)  # a dummy shares another layer's keys


def _agrees(
    model: nn.Module, packing: Packing, sequences: list[list[int]], tolerance: float
) -> bool:
    row = packing(model, sequences)
    packed = _hidden_states(model, row.inputs)
    for ids, columns in zip(sequences, row.columns, strict=True):
        plain = {"input_ids": torch.tensor([ids], device=packed.device), "use_cache": False}
        alone = _hidden_states(model, plain)
        scale = max(1.0, float(alone.abs().max())) * (1 if alone.dtype == torch.float32 else 30)
        if not bool((packed[columns] - alone).abs().max() <= tolerance * scale):
            return False
    return True


def _leaks(model: nn.Module, row: Row) -> bool:
    """Whether a sequence of the row has a gradient at another's tokens. Where nothing leaks, it is
    exactly 0 in any precision, so a small leak is not taken for rounding.
    """
    for columns in row.columns:
        with torch.enable_grad(), _embeddings_of(model) as embedded:
            hidden = _hidden_states(model, row.inputs)[columns].float()  # (n, H)
            weight = torch.arange(hidden.numel(), device=hidden.device).cos().view_as(hidden)
            gradient = torch.autograd.grad((hidden * weight).sum(), embedded[0])[0][0]  # (L, H)
        others = [place for place in range(len(gradient)) if place not in columns]
        if not bool((gradient[others] == 0).all()):
            return True
    return False


def _hidden_states(model: nn.Module, inputs: dict[str, object]) -> Tensor:
    """(L, H), what the head of a model reads of a row. The call goes through the whole model."""
    bare = loading.bare(model)
    if bare.base_model is not bare and "logits_to_keep" in signature(bare.forward).parameters:
        inputs = inputs | {"logits_to_keep": 1}  # those of a long row would take gigabytes
    seen: list[Tensor] = []
    handle = bare.base_model.register_forward_hook(
        lambda module, args, output: seen.append(output[0])
    )
    try:
        model(**inputs)
    finally:
        handle.remove()
    return seen[0][0]


@contextmanager
def _embeddings_of(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collects the embedded tokens, as leaves of a graph, while `model` runs."""
    seen: list[Tensor] = []

    def leaf(module: nn.Module, args: object, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    handle = loading.bare(model).get_input_embeddings().register_forward_hook(leaf)
    try:
        yield seen
    finally:
        handle.remove()


def _in_turn(sequences: list[list[int]]) -> list[list[int]]:
    columns: list[list[int]] = []
    for ids in sequences:
        first = columns[-1][-1] + 1 if columns else 0
        columns.append(list(range(first, first + len(ids))))
    return columns


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
