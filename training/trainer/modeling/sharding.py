"""Weights sharded by FSDP2: read once, sharded before they are first used, gathered to be saved."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, cast

import peft
import torch
import transformers
from accelerate import Accelerator
from accelerate.utils import fsdp2_prepare_model
from torch import Tensor, nn
from torch.distributed.fsdp import (
    FSDPModule,
    MixedPrecisionPolicy,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel

from training.trainer import parallel
from training.trainer.modeling import gradient_checkpointing, loading


def shard(trainer: transformers.Trainer) -> None:
    """Shards the trainer's model now, so that it can be measured before training. Does nothing in
    a run that shards nothing.
    """
    if parallel.is_sharded():
        model = spread(trainer.model, trainer.accelerator)
        if hasattr(model, "generate"):  # a reward model writes nothing
            register_fsdp_forward_method(model, "generate")
        # transformers then generates until every process is done: each token takes all of them.
        loading.bare(model)._is_fsdp_managed_module = True  # type: ignore[assignment]
        trainer.model = trainer.model_wrapped = model


def spread(model: Any, accelerator: Accelerator, *, keeps_precision: bool = False) -> Any:
    """Shards a model in place, with the weights that the first process has read. In a run in
    bfloat16, weights travel and compute in bfloat16, unless the model `keeps_precision`.

    Accelerate's own choice would add up gradients in bfloat16 as well, which has eight bits for
    each sum, and round what a model returns: losses, values and scores.
    """
    plugin = accelerator.state.fsdp_plugin
    is_mixed = accelerator.mixed_precision == "bf16" and not keeps_precision
    plugin.mixed_precision_policy = (
        MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
        if is_mixed
        else None
    )
    plugin.cpu_ram_efficient_loading = True
    plugin.transformer_cls_names_to_wrap = None  # or the layers of the first model are looked for
    return fsdp2_prepare_model(accelerator, model)


def reshard(model: nn.Module) -> None:
    """Leaves each process only its shards. After a forward pass without a backward pass, some
    weights are still whole, and would stay as they are when the shards change.
    """
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


@contextlib.contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Inside, each process holds the whole model, and may run it as often as it likes without the
    others. Costs the memory of the weights on each card, and saves gathering them for each token.
    """
    shards = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for module in shards:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
    try:
        yield
    finally:
        for layer in gradient_checkpointing.layers_of(model):
            if isinstance(layer, FSDPModule):
                layer.set_reshard_after_forward(True, recurse=False)
        reshard(model)


def gathered(weight: Tensor) -> Tensor:
    """The whole of a weight in each process. A collective call."""
    if not isinstance(weight, DTensor):
        return weight.detach().contiguous()
    # Weights that are offloaded to the machine's memory travel between the GPUs too.
    shard: Any = weight.detach().to(weight.device_mesh.device_type)
    return cast("Tensor", shard.full_tensor())


def collected(weights: Iterable[Tensor]) -> list[Tensor]:
    """All of these weights, whole, in the memory of the first process's machine; empty in the
    others. A collective call.
    """
    whole = (gathered(weight) for weight in weights)  # one after the other on the GPU
    return [weight.cpu() for weight in whole if parallel.is_first()]


@torch.no_grad()
def fill(weight: Tensor, stored: Tensor | None) -> None:
    """Gives a weight the values that the first process has found. A collective call: the others may
    have found nothing.
    """
    if not isinstance(weight, DTensor):
        if stored is not None:
            weight.copy_(stored)
        parallel.broadcast([weight.data])
        return
    device = weight.device_mesh.device_type
    source = torch.empty(weight.shape) if stored is None else stored
    parts = distribute_tensor(
        source.to(device, weight.dtype), weight.device_mesh, weight.placements
    )
    weight.to_local().copy_(parts.to_local())


def in_training(trainer: transformers.Trainer) -> PreTrainedModel:
    """The model to measure between two steps. Sharded weights are only gathered by a call from
    the outermost module, so peft's wrapper stays on.
    """
    model: object = trainer.model
    return cast("PreTrainedModel", model) if parallel.is_sharded() else loading.bare(model)


def finished(
    trainer: transformers.Trainer, dtype: torch.dtype
) -> tuple[PreTrainedModel, PreTrainedModel]:
    """(the trained model to measure, the one to save). They differ where weights are sharded: every
    process measures with its shard, and the first one gets the whole in memory, not on its GPU.

    A collective call: gathering takes every process.
    """
    model: Any = trainer.model
    if not parallel.is_sharded():
        model_merged = loading.merged(model, dtype)
        return model_merged, model_merged
    model.eval()
    return model, merged(model, trainer.accelerator, dtype)


def merged(model: PreTrainedModel, accelerator: Accelerator, dtype: torch.dtype) -> PreTrainedModel:
    """The whole of a sharded model in the first process, adapters merged; the model itself in the
    others. A collective call.
    """
    state = accelerator.get_state_dict(model)  # empty in all but the first process
    return _of_state(model, state, dtype) if state else model


def _of_state(model: object, state: dict[str, Tensor], dtype: torch.dtype) -> PreTrainedModel:
    """A model of the same shape that takes these weights as they are, adapters merged."""
    bare = loading.bare(model)
    with torch.device("meta"):
        built: Any = _unsharded_class(bare)._from_config(bare.config, dtype=bare.dtype)
        if isinstance(model, peft.PeftModel):
            built = peft.get_peft_model(built, model.peft_config[str(model.active_adapter)])
    built.load_state_dict(state, assign=True)
    inner: Any = loading.bare(built)
    inner.tie_weights()
    inner.generation_config = getattr(bare, "generation_config", None)
    return loading.merged(built, dtype)


def _unsharded_class(model: PreTrainedModel) -> Any:
    """fully_shard gives a module a class made of FSDPModule and its own."""
    model_class = type(model)
    return model_class.__bases__[1] if issubclass(model_class, FSDPModule) else model_class
