"""Weights sharded by FSDP2: read once, sharded before they are first used, gathered to be saved."""

from typing import Any, cast

import peft
import torch
import transformers
from accelerate.utils import fsdp2_prepare_model
from torch.distributed.fsdp import FSDPModule, register_fsdp_forward_method
from transformers import PreTrainedModel

from training.trainer import parallel
from training.trainer.modeling import loading


def shard(trainer: transformers.Trainer) -> None:
    """Shards the trainer's model now, so that it can be measured before training. Does nothing in
    a run that shards nothing.
    """
    if parallel.is_sharded():
        trainer.accelerator.state.fsdp_plugin.cpu_ram_efficient_loading = True
        model = fsdp2_prepare_model(trainer.accelerator, trainer.model)
        if hasattr(model, "generate"):  # a reward model writes nothing
            register_fsdp_forward_method(model, "generate")
        # transformers then generates until every process is done: each token takes all of them.
        loading.bare(model)._is_fsdp_managed_module = True  # type: ignore[assignment]
        trainer.model = trainer.model_wrapped = model


def in_training(trainer: transformers.Trainer) -> PreTrainedModel:
    """The model to measure between two steps. Sharded weights are only gathered by a call from
    the outermost module, so peft's wrapper stays on.
    """
    model: Any = trainer.model
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
        whole = loading.merged(model, dtype)
        return whole, whole
    model.eval()
    state = trainer.accelerator.get_state_dict(model)  # empty in all but the first process
    return model, _whole(model, state, dtype) if state else model


def _whole(model: Any, state: dict[str, torch.Tensor], dtype: torch.dtype) -> PreTrainedModel:
    """A model of the same shape that takes these weights as they are, adapters merged."""
    bare = loading.bare(model)
    with torch.device("meta"):
        whole: Any = _unsharded_class(bare)._from_config(bare.config, dtype=bare.dtype)
        if isinstance(model, peft.PeftModel):
            whole = peft.get_peft_model(whole, model.peft_config[str(model.active_adapter)])
    whole.load_state_dict(state, assign=True)
    inner: Any = loading.bare(whole)
    inner.tie_weights()
    inner.generation_config = getattr(bare, "generation_config", None)
    return loading.merged(whole, dtype)


def _unsharded_class(model: PreTrainedModel) -> Any:
    """fully_shard gives a module a class made of FSDPModule and its own."""
    found = type(model)
    return found.__bases__[1] if issubclass(found, FSDPModule) else found
