"""Tiny random models of every family of transformers whose layers may see a window or keep a state,
found in the source of its models.
"""

import re
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING, model_type_to_module_name
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
)

WINDOW = 8
_MARKS = re.compile(r"sliding_window|chunked_causal_mask|conv_state|recurrent_state|window_size")
_MODELS = Path(transformers.__file__).parent / "models"

NOT_BUILT = {
    "gemma4_assistant": "a drafter, which reads another model's keys",
    "gemma4_unified_assistant": "a drafter, which reads another model's keys",
    "zamba": "transformers can't tie the weights of a small one",
    "blt": "its patches need models of their own",
    "got_ocr2": "the window is that of its images; its language model is Qwen2",
    "phi4_multimodal": "its adapters for images and speech have no small size; its text is Phi-3's",
    "olmoe": "the name is copied from Mixtral; its config has no window",
}
"""Families that have the words in their source and are not measured, and why."""

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 32,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_heads": 4,
    "linear_head_dim": 8,
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "ssm_state_size": 8,
    "state_size": 8,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_WINDOWS: dict[str, Any] = {
    "sliding_window": WINDOW,
    "use_sliding_window": True,
    "max_window_layers": 1,
    "attention_chunk_size": WINDOW,
    "attention_window_size": WINDOW,
    "window_size": WINDOW,
}
_SLIDING = {"layer_types": ["sliding_attention", "full_attention"]}
_STATE = {"layer_types": ["linear_attention", "full_attention"]}
_OWN: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"layer_group_size": 2, "num_key_value_heads": 4},
    "bamba": {"attn_layer_indices": [1]},
    "cohere2": _SLIDING,
    "cohere_compass_text": _SLIDING
    | {
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": 10000.0}
            for kind in _SLIDING["layer_types"]
        }
    },
    "dots3_note_text": {"num_key_value_heads": 4},
    "dots1": _SLIDING | {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "falcon_h1": {"mamba_d_ssm": 64},
    "flint": _SLIDING,
    "gemma3_text": _SLIDING,
    "gemma3n_text": _SLIDING
    | {
        "num_kv_shared_layers": 0,
        "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": 64,
    },
    "gemma4_text": _SLIDING | {"hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 64},
    "gemma4_unified_text": _SLIDING,
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "num_heads": 4},
    "granitemoehybrid": _STATE,
    "inkling2_loop_text": {"rel_extent": 16},
    "inkling2_text": {"rel_extent": 16},
    "inkling_text": {"rel_extent": 16},
    "kimi_linear": _STATE | {"num_key_value_heads": 4, "num_experts_per_token": 2},
    "laguna": _SLIDING,
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "mamba2": {"num_heads": 4, "head_dim": 16, "n_groups": 1},
    "mellum": _SLIDING,
    "ministral": {"head_dim": 8},
    "nemotron_h": {"n_groups": 1, "layers_block_type": ["linear_attention", "full_attention"]},
    "olmo3": _SLIDING,
    "qwen3_5_moe_text": _STATE,
    "qwen3_5_text": _STATE,
    "qwen3_next": _STATE,
    "smollm3": {"no_rope_layers": [1, 0]},
    "zamba2": {
        "layers_block_type": ["linear_attention", "hybrid"],
        "mamba_ngroups": 1,
        "n_mamba_heads": 4,
        "hidden_size": 32,
    },
    "zaya": {"num_experts_per_tok": 1, "layer_types": ["hybrid", "hybrid_sliding"]},
}


def families() -> list[str]:
    """One name for each; that of its text model if it has others."""
    causal = [
        family
        for family in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        if family not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        and f"{family}_text" not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    ]
    return sorted(family for family in causal if _MARKS.search(_source_of(family)))


def _source_of(family: str) -> str:
    folder = _MODELS / model_type_to_module_name(family)
    return "".join(path.read_text() for path in folder.glob("modeling_*.py"))


def config_of(family: str, **changes: Any) -> PreTrainedConfig:
    kind = type(CONFIG_MAPPING[family]().get_text_config(decoder=True))
    known = kind().to_dict()
    sizes = {name: size for name, size in SIZES.items() if known.get(name) is not None}
    windows = {name: size for name, size in _WINDOWS.items() if name in known}
    return kind(**(sizes | windows | {"pad_token_id": 0} | _OWN.get(family, {}) | changes))


def causal(config: PreTrainedConfig) -> PreTrainedModel:
    return _random(AutoModelForCausalLM.from_config(config))


def classifier(config: PreTrainedConfig) -> PreTrainedModel | None:
    """None where transformers has no classifier of the family that can become a reward model."""
    if config.model_type not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:
        return None
    config.num_labels = 1
    model = _random(AutoModelForSequenceClassification.from_config(config))
    return model if hasattr(model, "score") else None


def _random(model: PreTrainedModel) -> PreTrainedModel:
    """With larger weights than those of a model before training, which attends to nothing."""
    draw = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data += 0.1 * torch.randn(weight.shape, generator=draw)
    model.eval()
    return model
