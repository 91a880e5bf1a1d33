"""The models of a PPO run: loaded for their roles, and whole again to be saved."""

import copy
from typing import Any

import peft
import torch
from accelerate import Accelerator
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.configs.ppo import PpoConfig
from training.processes.run_dir import Job
from training.trainer import parallel
from training.trainer.modeling import loading, packed_attention, precision, sharding
from training.trainer.ppo import roles
from training.trainer.ppo.roles import Roles
from training.trainer.ppo.trainer import PpoTrainer


def tokenizer_of(job: Job) -> PreTrainedTokenizerBase:
    if job.reward_model is None:
        raise loading.UnableToLoad("PPO needs a reward model. Choose one and start again.")
    tokenizer = loading.load_tokenizer(job.model)
    beside = {
        "reward model": job.reward_model,
        "watchdog": job.watchdog_model,
        "reference model": job.reference_model,
    }
    for role, path in beside.items():
        if path is not None and loading.load_tokenizer(path).get_vocab() != tokenizer.get_vocab():
            raise loading.UnableToLoad(
                f"The {role} reads other tokens than the policy writes. Choose one that was trained"
                " from the same base model."
            )
    return tokenizer


def roles_of(
    job: Job,
    config: PpoConfig,
    tokenizer: PreTrainedTokenizerBase,
    dtype: torch.dtype,
    accelerator: Accelerator,
) -> Roles:
    """Each model is settled before the next one is loaded.

    Full: four models, with reward and rollouts in the rollouts' precision. LoRA: two models,
    each in two roles; a reference other than the starting model is one more. A run that shards
    shards them all: a frozen one on each card would soon take more than its trained shards.
    """
    is_full = config.method == "full"
    reward_path, held_in = str(job.reward_model), torch.float32 if is_full else dtype
    judged_in = precision.dtype(config.rollout_dtype)
    keep_apart = []

    def settled(model: Any, *, is_trained: bool = False, is_judge: bool = False) -> Any:
        keep_apart.append(
            roles.settle(model, config, accelerator, is_trained=is_trained, is_judge=is_judge)
        )
        return model

    policy: Any = loading.load_policy(job.model, tokenizer, held_in, may_shard=True)
    loading.require_length(policy, config.max_prompt_tokens + config.max_new_tokens)
    if not is_full:
        policy = loading.with_adapters(policy, _lora(config, is_reward=False))
    policy = settled(policy, is_trained=True)
    value: Any = loading.load_reward(reward_path, tokenizer, held_in, may_shard=True)
    if not is_full:
        value = loading.with_adapters(value, _lora(config, is_reward=True))
    value = settled(value, is_trained=True)
    reference: nn.Module | None = None
    reward: nn.Module | None = None
    if is_full or job.reference_model is not None:
        path = job.reference_model or job.model
        reference = settled(loading.load_policy(path, tokenizer, held_in, may_shard=True))
    if is_full:
        judge = loading.load_reward(reward_path, tokenizer, judged_in, may_shard=True)
        reward = settled(judge, is_judge=True)
    watchdog: nn.Module | None = None
    if job.watchdog_model is not None:
        judge = loading.load_reward(job.watchdog_model, tokenizer, judged_in, may_shard=True)
        watchdog = settled(judge, is_judge=True)
    return Roles(policy, reference, reward, value, watchdog, keep_apart=all(keep_apart))


def _lora(config: PpoConfig, *, is_reward: bool) -> peft.LoraConfig:
    return peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS if is_reward else peft.TaskType.CAUSAL_LM,
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules="all-linear",
        modules_to_save=["score"] if is_reward else None,
    )


def finished(trainer: PpoTrainer, dtype: torch.dtype) -> tuple[nn.Module | None, PreTrainedModel]:
    """(the merged policy to measure, the one to save). Where weights are sharded, the policy in
    training is measured (None), and only the first process gets the one to save.

    A collective call.
    """
    policy: Any = trainer.trained.policy
    if parallel.is_sharded():
        return None, sharding.merged(policy, trainer.accelerator, dtype)
    # Outside the GPU's memory: with LoRA, the policy without its adapter is still the reference.
    copied = copy.deepcopy(trainer.accelerator.unwrap_model(policy)).cpu()
    merged: Any = loading.merged(copied, dtype).to(trainer.device)
    if trainer.packs:
        packed_attention.use(merged)
    return merged, merged
