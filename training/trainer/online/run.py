"""A run of RLOO or GRPO from its job to its result. Each says what it rewards and which trainer of
TRL learns from it.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import datasets
import torch
import transformers
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.configs.metrics import IMPORTANCE
from training.configs.online.groups import Groups
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, newest_checkpoint
from training.trainer import data, parallel, progress
from training.trainer.data import Prompt, PromptSets
from training.trainer.modeling import best_weights, chat_template, loading, precision, sharding
from training.trainer.online import held_out
from training.trainer.online.held_out import HeldOut, Reference
from training.trainer.online.mix import Mix
from training.trainer.online.sampling import GroupsFollower, Sampling
from training.trainer.reward import scoring
from training.trainer.sample import generation, rollout_server
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.spot_checks import SpotChecks, Written

N_LAST_STEPS = 5


@dataclass(frozen=True)
class Method:
    """`rewards` says what is rewarded, `trainer` makes the trainer from its config and what they
    all take, `names` are TRL's names of curves and ours.
    """

    rewards: Callable[[PreTrainedTokenizerBase, PromptSets], Mix]
    trainer: Callable[[dict[str, Any], dict[str, Any]], Sampling]
    names: Mapping[str, str]


def carry_out(job: Job, config: Groups, folder: RunFolder, method: Method) -> Result:
    with rollout_server.serving(
        job,
        folder,
        dtype=precision.dtype(config.dtype),
        max_tokens=config.max_prompt_tokens + config.max_new_tokens,
    ) as server:
        return _carried_out(job, config, folder, method, server)


def reward_model(
    job: Job, config: Groups, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedModel | None:
    """The one that the run was given. Raises UnableToLoad if it has other tokens."""
    if job.reward_model is None:
        return None
    scoring.require_same_tokens(job.model, job.reward_model, tokenizer)
    return loading.load_reward(job.reward_model, tokenizer, precision.dtype(config.dtype))


def _carried_out(
    job: Job, config: Groups, folder: RunFolder, method: Method, server: RolloutServer | None
) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model, padding_side="left")
    texts = _read(Path(job.snapshot), tokenizer, config)
    mix = method.rewards(tokenizer, texts)
    folder.append_note(texts.note(ending=f"{config.n_responses} responses each; "))
    chat_template.tell(folder, tokenizer, Path(job.snapshot), with_thinking=False)

    trainer = _trainer(job, config, folder, method, mix, texts)
    trainer.draw_from(server, config)
    best = held_out.best_of(config, folder, texts.split)
    judge = HeldOut(texts, mix, config, folder, server, best)
    if judge.n_reported < len(texts.held_out):
        n_choosing = len(texts.held_out) - judge.n_reported
        folder.append_note(
            f"{n_choosing} of the held-out prompts choose the step to keep, and the reward is"
            " measured on the others."
        )

    def on_the_way() -> dict[str, float]:
        step = trainer.state.global_step
        values, gain = judge.measured(sharding.in_training(trainer), trainer.as_reference(), step)
        if best is not None:
            best.offer(trainer.model, step=step, loss=-gain)
        return values

    follower = GroupsFollower(folder, config, on_the_way)
    follower.names, follower.mix = method.names, mix
    trainer.follow(follower)
    checks = follower.checks = _spot_checks(trainer, judge, job)
    newest = newest_checkpoint(folder.path)
    is_new = newest is None
    before, _none = judge.measured(
        sharding.in_training(trainer), trainer.as_reference(), 0, is_shown=is_new
    )
    if before and is_new:
        folder.append_point(0, _n_steps(trainer, config), before)
    checks.begin(run_dir.checkpoint_step(newest) if newest else 0)
    is_stopped = progress.train(trainer)
    _show_last(folder, mix, trainer.state.global_step, config)

    kept = checks.restore_kept(may_wait=not is_stopped)
    kept_step = _restored(trainer, judge) if kept is None else kept
    trained, whole = sharding.finished(trainer, precision.dtype(config.dtype))
    reference = _reference(trainer, job, tokenizer, config)
    after, _gain = judge.measured(trained, reference, trainer.state.global_step)
    follower.finish(after, trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    if best is not None:
        best.remove()
    metrics = {
        **_last_kl(trainer),
        **_importance(trainer),
        **trainer.times.shares(),
        **{f"{name.removeprefix('held_out_')}_before": value for name, value in before.items()},
        **{f"{name.removeprefix('held_out_')}_after": value for name, value in after.items()},
        **judge.reported_gain(),
        **texts.metrics(),
        "n_held_out_prompts": judge.n_reported,
        "kept_step": kept_step,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def _trainer(
    job: Job,
    config: Groups,
    folder: RunFolder,
    method: Method,
    mix: Mix,
    texts: PromptSets,
) -> Sampling:
    """With LoRA the reference is the model with its adapters off; with full fine-tuning it is a
    copy, which TRL loads where it needs one. A run that shards loads its own: TRL would have every
    process read the whole of it, and gather all of it at once.
    """
    is_copied_here = job.reference_model is not None or (
        config.method == "full" and parallel.is_sharded()
    )
    held_in = progress.starting_dtype(config)
    model = loading.load_policy(job.model, mix.tokenizer, held_in, may_shard=True)
    loading.require_length(model, config.max_prompt_tokens + config.max_new_tokens)
    functions, weights = mix.functions()
    shared = {
        "num_generations": config.n_responses,
        "max_completion_length": config.max_new_tokens,
        "temperature": config.temperature,
        "beta": 0.0 if is_copied_here else config.kl_coef,
        "reward_weights": weights,
        **progress.arguments(config, folder),
    }
    # TRL would write the prompts as it does; they are ids already, so it gets their numbers.
    rows = [{"prompt": str(number)} for number in range(len(texts.train))]
    parts = {
        "model": model,
        "reward_funcs": functions,
        "train_dataset": datasets.Dataset.from_list(rows),
        "processing_class": mix.tokenizer,
        "peft_config": loading.lora(config, is_reward=False) if config.method == "lora" else None,
    }
    trainer = method.trainer(shared, parts)
    trainer.beta = config.kl_coef
    trainer.prompts = mix.train = texts.train
    mix.ends = frozenset(trainer.eos_token_ids)
    sharding.shard(trainer)
    copied: PreTrainedModel | None = getattr(trainer, "ref_model", None)
    if copied is not None:
        trainer.reference = copied
    elif is_copied_here or config.method == "full":
        path = job.reference_model or job.model
        trainer.measure_kl_to(loading.load_policy(path, mix.tokenizer, held_in, may_shard=True))
    return trainer


def _spot_checks(trainer: Sampling, judge: HeldOut, job: Job) -> SpotChecks:
    def write(prompts: Sequence[Prompt], seed: int) -> Written:
        return judge.written(sharding.in_training(trainer), prompts, seed)

    model = cast("nn.Module", trainer.model)
    return SpotChecks(
        judge.config,
        judge.folder,
        job.run_id,
        _n_steps(trainer, judge.config),
        judge.texts.held_out,
        model,
        best_weights.trained(model),
        write,
    )


def _restored(trainer: Sampling, judge: HeldOut) -> int:
    """Gives the model the best weights kept, if they are better than the last. Returns their
    step.
    """
    step: int = trainer.state.global_step
    if judge.best is None or not judge.best.step:
        return step
    model = sharding.in_training(trainer)
    _values, gain = judge.measured(model, trainer.as_reference(), step, is_shown=False)
    return judge.best.restore(trainer.model, step=step, loss=-gain)


def _reference(
    trainer: Sampling, job: Job, tokenizer: PreTrainedTokenizerBase, config: Groups
) -> Reference:
    """After training: a model whose adapters are merged has none to turn off."""
    if trainer.reference is not None or parallel.is_sharded():
        return trainer.as_reference()
    held_in = progress.starting_dtype(config)
    return contextlib.nullcontext(loading.load_policy(job.model, tokenizer, held_in))


def _last_kl(trainer: Sampling) -> dict[str, float]:
    """The KL of the last steps' responses, for a run without held-out prompts; nothing where β is
    0.
    """
    kls = [
        logs["kl"] * logs.get("completions/mean_length", 0.0)
        for logs in trainer.state.log_history
        if "kl" in logs
    ]
    return {"kl_after": fmean(kls[-N_LAST_STEPS:])} if kls else {}


def _importance(trainer: Sampling) -> dict[str, float]:
    """Means over the run of how a server's responses were weighed."""
    seen = {
        name: [logs[name] for logs in trainer.state.log_history if name in logs]
        for name in IMPORTANCE
    }
    return {name: fmean(values) for name, values in seen.items() if values}


def _n_steps(trainer: Sampling, config: Groups) -> int:
    """TRL drops prompts that do not fill a step."""
    if config.max_steps:
        return config.max_steps
    n_prompts = len(cast("datasets.Dataset", trainer.train_dataset))
    return n_prompts // prompts_per_step(config) * config.n_epochs * config.n_updates


def prompts_per_step(config: Groups) -> int:
    a_batch = config.batch_size * parallel.n_processes()
    return a_batch * progress.accumulation(config) // config.n_responses


def _show_last(folder: RunFolder, mix: Mix, step: int, config: Groups) -> None:
    """The samples of the last step; none if a killed run had made it already."""
    if not mix.given:
        return
    n_shown = min(config.n_shown, config.n_responses)
    generation.show(folder, step, mix.prompts, mix.answers, mix.shown(mix.given), n_shown)


def _read(snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: Groups) -> PromptSets:
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
