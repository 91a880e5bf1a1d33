"""RLOO: trains a policy on a reward model, comparing each response with the others to its prompt,
with TRL's RLOOTrainer.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import datasets
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.rloo_config import RLOOConfig
from trl.trainer.rloo_trainer import RLOOTrainer
from trl.trainer.utils import add_fused_lm_head

from training.configs.rloo import RlooConfig
from training.processes.run_dir import Job, Result, RunFolder, newest_checkpoint
from training.trainer import data, parallel, progress
from training.trainer.data import Prompt, PromptSets
from training.trainer.modeling import loading, precision, sharding
from training.trainer.reward import scoring
from training.trainer.sample import generation, rollout_server
from training.trainer.sample.generation import GeneratedResponse
from training.trainer.sample.rollout_server import RolloutServer

N_LAST_STEPS = 5


class WatchedRloo(progress.Watched, RLOOTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""

    server: RolloutServer | None = None

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], images: object, multimodal_fields: object
    ) -> list[list[int]]:
        """As TRL does with vLLM, except that adapters are merged on the way and not in the model.
        It would be rounded twice at each step.
        """
        if self.server is None:
            return super()._generate_single_turn(prompt_ids, images, multimodal_fields)
        self.server.take(self.accelerator.unwrap_model(self.model))
        return self.server.responses(
            prompt_ids,
            n_each=cast("RLOOConfig", self.args).num_generations or 1,
            max_new_tokens=cast("RLOOConfig", self.args).max_completion_length or 1,
            ends=self.eos_token_ids,
            temperature=self.temperature,
            top_p=1.0,
        )

    def measure_kl_to(self, reference: PreTrainedModel) -> None:
        """In place of the starting model, the only reference that TRL knows. Nothing to do where β
        is 0, because no KL is computed then.
        """
        if self.beta:
            add_fused_lm_head(reference, temperature=self.temperature)
            self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)


class RlooFollower(progress.Follower):
    def named(self, logs: dict[str, float]) -> dict[str, float]:
        """TRL logs KL per token; we show it per response, as in PPO."""
        logs = super().named(logs)
        length = logs.get("completions/mean_length", 0.0)
        kept: dict[str, float] = {
            name: logs[name]
            for name in ("loss", "grad_norm", "learning_rate", "reward", "entropy", "num_tokens")
            if name in logs
        }
        kept["response_tokens"] = length
        kept["ended"] = 1 - logs.get("completions/clipped_ratio", 0.0)
        return kept | ({"kl": logs["kl"] * length} if "kl" in logs else {})


@dataclass
class TrlReward:
    """The reward model as a function that TRL can call. It stores its last batch for the run's
    page.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    config: RlooConfig
    __name__: str = "reward"
    prompts: list[Prompt] = field(default_factory=list)
    answers: list[GeneratedResponse] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    def __call__(
        self,
        prompts: Sequence[list[dict[str, str]]],
        completions: object,
        completion_ids: Sequence[list[int]],
        **_rest: object,
    ) -> list[float]:
        end = self.tokenizer.eos_token_id
        self.prompts = [
            Prompt(None, messages, data.prompt_ids(self.tokenizer, messages))
            for messages in prompts
        ]
        self.answers = [
            GeneratedResponse(
                generation.readable(self.tokenizer, ids), list(ids), ids[-1:] == [end]
            )
            for ids in completion_ids
        ]
        self.rewards = self.judged(self.prompts, self.answers)
        penalty = self.config.missing_end_penalty
        return [
            reward if answer.is_ended else reward - penalty
            for reward, answer in zip(self.rewards, self.answers, strict=True)
        ]

    def judged(
        self, prompts: Sequence[Prompt], written: Sequence[GeneratedResponse]
    ) -> list[float]:
        """The reward model's scores, without the penalty."""
        sequences = [
            prompt.input_ids + answer.ids for prompt, answer in zip(prompts, written, strict=True)
        ]
        return scoring.rewards_of_sequences(
            self.model,
            int(self.tokenizer.pad_token_id or 0),
            sequences,
            batch_size=self.config.batch_size,
        )


def carry_out(job: Job, config: RlooConfig, folder: RunFolder) -> Result:
    with rollout_server.serving(
        job,
        folder,
        dtype=precision.dtype(config.dtype),
        max_tokens=config.max_prompt_tokens + config.max_new_tokens,
    ) as server:
        return _carried_out(job, config, folder, server)


def _carried_out(
    job: Job, config: RlooConfig, folder: RunFolder, server: RolloutServer | None
) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    if job.reward_model is None:
        raise loading.UnableToLoad("RLOO needs a reward model. Choose one and start again.")
    tokenizer = loading.load_tokenizer(job.model, padding_side="left")
    scoring.require_same_tokens(job.model, job.reward_model, tokenizer)
    texts = _read(Path(job.snapshot), tokenizer, config)
    folder.append_note(texts.note(ending=f"{config.n_responses} responses each; "))

    dtype = precision.dtype(config.dtype)
    judge = TrlReward(loading.load_reward(job.reward_model, tokenizer, dtype), tokenizer, config)
    model = loading.load_policy(
        job.model, tokenizer, progress.starting_dtype(config), may_shard=True
    )
    loading.require_length(model, config.max_prompt_tokens + config.max_new_tokens)
    with parallel.reading(may_shard=False):  # the reference, which each process reads
        trainer = _trainer(model, judge, config, folder, texts.train)
    sharding.shard(trainer)
    trainer.server = server
    if job.reference_model is not None:
        held_in = progress.starting_dtype(config)
        trainer.measure_kl_to(loading.load_policy(job.reference_model, tokenizer, held_in))
    follower = RlooFollower(
        folder,
        config,
        lambda: _measure(
            sharding.in_training(trainer), judge, texts, folder, trainer.state.global_step, server
        ),
    )
    trainer.follow(follower)
    is_new = newest_checkpoint(folder.path) is None
    before = (
        _measure(sharding.in_training(trainer), judge, texts, folder, 0, server) if is_new else {}
    )
    if before:
        folder.append_point(0, _n_steps(trainer, config), before)
    is_stopped = progress.train(trainer)
    _show_last(folder, judge, trainer.state.global_step, config)

    trained, whole = sharding.finished(trainer, dtype)
    after = _measure(trained, judge, texts, folder, trainer.state.global_step, server)
    follower.finish(after, trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    metrics = {
        **{f"{name.removeprefix('held_out_')}_before": value for name, value in before.items()},
        **{f"{name.removeprefix('held_out_')}_after": value for name, value in after.items()},
        **_last_kl(trainer),
        **texts.metrics(),
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def _trainer(
    model: PreTrainedModel,
    judge: TrlReward,
    config: RlooConfig,
    folder: RunFolder,
    train: list[Prompt],
) -> WatchedRloo:
    """With LoRA the reference is the model with its adapters off; with full fine-tuning TRL loads a
    copy. `measure_kl_to` gives it another one.
    """
    arguments = RLOOConfig(
        num_generations=config.n_responses,
        max_completion_length=config.max_new_tokens,
        temperature=config.temperature,
        beta=config.kl_coef,
        normalize_advantages=config.normalizes_advantages,
        **progress.arguments(config, folder),
    )
    return WatchedRloo(
        model=model,
        reward_funcs=cast(
            "Any", judge
        ),  # TRL's stubs only allow functions; it calls anything with a __name__
        args=arguments,
        train_dataset=datasets.Dataset.from_list([{"prompt": prompt.messages} for prompt in train]),
        processing_class=judge.tokenizer,
        peft_config=loading.lora(config, is_reward=False) if config.method == "lora" else None,
    )


def _last_kl(trainer: WatchedRloo) -> dict[str, float]:
    """The KL of the last steps' responses; nothing where β is 0."""
    kls = [
        logs["kl"] * logs.get("completions/mean_length", 0.0)
        for logs in trainer.state.log_history
        if "kl" in logs
    ]
    return {"kl_after": fmean(kls[-N_LAST_STEPS:])} if kls else {}


def _n_steps(trainer: WatchedRloo, config: RlooConfig) -> int:
    """TRL drops prompts that do not fill a step."""
    if config.max_steps:
        return config.max_steps
    return (
        len(cast("datasets.Dataset", trainer.train_dataset))
        // prompts_per_step(config)
        * config.n_epochs
    )


def prompts_per_step(config: RlooConfig) -> int:
    a_batch = config.batch_size * parallel.n_processes()
    return a_batch * progress.accumulation(config) // config.n_responses


def _measure(
    model: PreTrainedModel,
    judge: TrlReward,
    texts: PromptSets,
    folder: RunFolder,
    step: int,
    server: RolloutServer | None,
) -> dict[str, float]:
    """Mean reward and length of one response to each held-out prompt. Some are shown."""
    if not texts.held_out:
        return {}
    config = judge.config
    settings = generation.config_for(
        model,
        judge.tokenizer,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_p=1.0,
    )
    written = generation.responses(
        model,
        judge.tokenizer,
        texts.held_out,
        settings,
        batch_size=config.batch_size,
        seed=config.seed,
        server=server,
    )
    rewards = judge.judged(texts.held_out, written)
    shown = [{"reward": round(reward, 3), "held_out": True} for reward in rewards]
    generation.show(folder, step, texts.held_out, written, shown, config.n_shown)
    return {
        "held_out_reward": fmean(rewards),
        "held_out_response_tokens": fmean(len(answer.ids) for answer in written),
        "held_out_ended": fmean(answer.is_ended for answer in written),
    }


def _show_last(folder: RunFolder, judge: TrlReward, step: int, config: RlooConfig) -> None:
    """The samples of the last step."""
    shown = [{"reward": round(reward, 3)} for reward in judge.rewards]
    generation.show(
        folder, step, judge.prompts, judge.answers, shown, min(config.n_shown, config.n_responses)
    )


def _read(snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: RlooConfig) -> PromptSets:
    prompts = data.prompt_sets(
        snapshot,
        tokenizer,
        max_tokens=config.max_prompt_tokens,
        max_train=config.max_rows,
        max_held_out=config.max_held_out_rows,
        seed=config.seed,
    )
    if len(prompts.train) < prompts_per_step(config):
        raise data.UnableToRead(
            f"A step takes {prompts_per_step(config)} prompts, but only {len(prompts.train)} have"
            f" at most {config.max_prompt_tokens} tokens. Lower the batch size or the"
            " accumulation, raise the max prompt length, or collect more."
        )
    return prompts
