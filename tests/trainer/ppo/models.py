"""Two-layer models and a bare tokenizer, enough to run PPO for real in milliseconds."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerBase,
)

from training.configs.ppo import PpoConfig
from training.trainer.ppo import episodes
from training.trainer.ppo import trainer as ppo_trainer
from training.trainer.ppo.roles import Roles


@dataclass(frozen=True)
class BareTokenizer:
    chat_template: str | None = None
    pad_token_id: int = 0
    eos_token_id: int = 2


def llama_config(vocab_size: int = 16, **changes: Any) -> LlamaConfig:
    settings: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    settings |= {
        "vocab_size": vocab_size,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "max_position_embeddings": 128,
    }
    return LlamaConfig(**(settings | changes))


def causal(seed: int = 0, **changes: Any) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(llama_config(**changes))


def classifier(seed: int = 1, **changes: Any) -> LlamaForSequenceClassification:
    torch.manual_seed(seed)
    return LlamaForSequenceClassification(llama_config(num_labels=1, **changes))


def gradients(model: nn.Module) -> list[torch.Tensor]:
    """Of every weight, each of which must have been reached."""
    found = []
    for weight in model.parameters():
        assert weight.grad is not None
        found.append(weight.grad)
    return found


def full_models(reward: Any = None, seed: int = 0) -> Roles:
    policy, reference = causal(seed), causal(seed)
    return Roles(policy, reference, reward or classifier(), classifier())


def lora_models(reward: Any = None, seed: int = 0) -> Roles:
    policy = get_peft_model(
        causal(seed), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    value = get_peft_model(
        classifier(),
        LoraConfig(
            r=4, target_modules=["q_proj", "v_proj"], modules_to_save=["score"], task_type="SEQ_CLS"
        ),
    )
    return Roles(policy, None, reward, value)


PROMPTS = [
    [3, 4, 5],
    [6, 7],
    [8, 9, 10, 11],
    [12],
    [4, 4, 6],
    [9, 3],
    [5, 5, 5, 5, 5],
    [10, 11, 12],
]


def config(**changes: Any) -> PpoConfig:
    settings: dict[str, Any] = {
        "method": "full",
        "n_episodes": 32,
        "batch_size": 8,
        "max_new_tokens": 6,
        "row_tokens": 64,
        "warmup_steps": 0,
    }
    settings |= {
        "learning_rate": 1e-3,
        "value_learning_rate": 1e-3,
        "missing_end": "keep",
        "kl_coef": 0.05,
    }
    return PpoConfig(**(settings | changes))


def trainer(models: Roles | None = None, **changes: Any) -> ppo_trainer.PpoTrainer:
    ptx = changes.pop("ptx", ())
    prompts = changes.pop("prompts", PROMPTS)
    return ppo_trainer.PpoTrainer(
        models or full_models(),
        cast("PreTrainedTokenizerBase", BareTokenizer()),
        config(**changes),
        prompts=prompts,
        ptx=ptx,
    )


RESPONSES = [
    [3, 4, 2],
    [5],
    [6, 7, 8, 9, 10, 2],
    [4, 2],
    [7, 7, 7, 7],
    [2],
    [3, 9, 9, 2],
    [8, 8, 8, 8, 8, 8],
]
REWARDS = torch.linspace(-1, 1, len(RESPONSES))


def stored_experience(
    of: ppo_trainer.PpoTrainer, first: int = 0, last: int = len(RESPONSES)
) -> episodes.Experience:
    """The same episodes of unequal lengths for every trainer; a process may take its share of
    them.
    """
    rollouts = [
        episodes.Rollout(PROMPTS[index], RESPONSES[index], RESPONSES[index][-1] == 2, index)
        for index in range(first, last)
    ]
    experience = of.experience(rollouts)
    experience.rewards = REWARDS[first:last].clone()
    of.estimate(experience)
    return experience


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters() if p.requires_grad]
