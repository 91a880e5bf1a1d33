"""What we rely on in trl, transformers, accelerate and peft beyond their public API. An upgrade
that moves it fails here.
"""

import inspect
from typing import Any

import accelerate
import peft
import pytest
import transformers
from transformers.cache_utils import DynamicLayer
from transformers.modeling_layers import GradientCheckpointingLayer
from trl.generation.vllm_client import VLLMClient
from trl.models.utils import unwrap_model_for_generation
from trl.scripts import vllm_serve
from trl.trainer.rloo_trainer import RLOOTrainer
from trl.trainer.sft_trainer import SFTTrainer

from tests.trainer.ppo import models

# Private, and overridden by us: training.trainer.progress.Watched,
# training.trainer.reward.trainer.RankingTrainer, training.trainer.online.rloo.WatchedRloo and
# training.trainer.sample.rollout_server.
OVERRIDDEN = [
    (transformers.Trainer, "_save_checkpoint", ["self", "model", "trial"]),
    (transformers.Trainer, "_prepare_inputs", ["self", "inputs"]),
    (
        transformers.Trainer,
        "compute_loss",
        ["self", "model", "inputs", "return_outputs", "num_items_in_batch"],
    ),
    (transformers.Trainer, "training_step", ["self", "model", "inputs", "num_items_in_batch"]),
    (transformers.Trainer, "log", ["self", "logs", "start_time"]),
    (
        RLOOTrainer,
        "_generate_single_turn",
        ["self", "prompt_ids", "images", "multimodal_fields"],
    ),
    (VLLMClient, "_post", ["self", "url", "kwargs"]),
]
CALLED = [
    (transformers.Trainer, "compute_loss_context_manager"),
    (accelerate.Accelerator, "no_sync"),
    (accelerate.Accelerator, "save_state"),
    (accelerate.Accelerator, "load_state"),
    (accelerate.Accelerator, "register_for_checkpointing"),
    (accelerate.Accelerator, "register_save_state_pre_hook"),
    (accelerate.Accelerator, "register_load_state_pre_hook"),
    (accelerate.Accelerator, "reduce"),
    (transformers.Cache, "update"),
    (peft.PeftModel, "disable_adapter"),
    (transformers.AttentionInterface, "register"),
    (transformers.AttentionMaskInterface, "register"),
    (transformers.PreTrainedModel, "set_attn_implementation"),
    (SFTTrainer, "train"),
    (accelerate.utils, "fsdp2_prepare_model"),
    (VLLMClient, "generate"),
    (VLLMClient, "init_communicator"),
    (VLLMClient, "update_named_params"),
    (VLLMClient, "reset_prefix_cache"),
    (VLLMClient, "close_communicator"),
    (vllm_serve, "build_command"),
]


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    OVERRIDDEN,
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_method_that_we_override_is_still_called_with_these(
    owner: type, name: str, parameters: list[str]
) -> None:
    assert [*inspect.signature(getattr(owner, name)).parameters] == parameters


@pytest.mark.parametrize(
    ("owner", "name"), CALLED, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_a_method_that_we_call_is_still_there(owner: Any, name: str) -> None:
    assert callable(getattr(owner, name))


def test_a_models_own_keywords_reach_its_attention_and_a_mask_of_four_dimensions_stays() -> None:
    assert "**kwargs" in inspect.getsource(
        transformers.models.llama.modeling_llama.LlamaDecoderLayer.forward
    )
    assert "len(attention_mask.shape) == 4" in inspect.getsource(transformers.masking_utils)


def test_a_cache_layer_is_asked_for_these_and_a_growing_one_has_them() -> None:
    assert {"update", "get_seq_length", "lazy_initialization"} <= {*vars(DynamicLayer)}
    assert [*inspect.signature(DynamicLayer.update).parameters] == [
        "self",
        "key_states",
        "value_states",
        "args",
        "kwargs",
    ]
    assert "layers" in inspect.signature(transformers.Cache.__init__).parameters


def test_a_model_says_how_it_attends_and_whether_that_can_be_changed() -> None:
    """training.trainer.modeling.packed_attention reads both, by these private names."""
    model = transformers.LlamaForCausalLM(models.llama_config(attn_implementation="sdpa"))

    assert model.config._attn_implementation == "sdpa"
    assert model._supports_attention_backend is True


def test_layers_that_support_gradient_checkpointing_have_one_class() -> None:
    layers = transformers.LlamaForCausalLM(models.llama_config()).model.layers

    assert all(isinstance(layer, GradientCheckpointingLayer) for layer in layers)


def test_accelerate_shares_out_one_model_alone() -> None:
    """Once this fails, PPO may learn FSDP: it trains two."""
    assert "Only one model is supported when using FSDP2" in inspect.getsource(
        accelerate.Accelerator.prepare
    )


def test_generation_unwraps_with_model_and_accelerator() -> None:
    assert [*inspect.signature(unwrap_model_for_generation).parameters][:2] == [
        "model",
        "accelerator",
    ]


def test_the_trainer_asks_this_attribute_whether_it_must_divide_the_loss() -> None:
    assert "model_accepts_loss_kwargs" in inspect.getsource(transformers.Trainer)


def test_a_causal_model_keeps_logits_at_named_places_and_takes_a_ready_mask() -> None:
    parameters = inspect.signature(transformers.LlamaForCausalLM.forward).parameters

    assert {"input_ids", "attention_mask", "position_ids", "logits_to_keep", "use_cache"} <= set(
        parameters
    )


def test_a_classifier_scores_every_token_before_it_keeps_one() -> None:
    assert "self.score(hidden_states)" in inspect.getsource(
        transformers.LlamaForSequenceClassification.forward
    )
