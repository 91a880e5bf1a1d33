"""PPO: trains a policy on a reward model, rollout by rollout."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import safetensors.torch
import torch
import transformers
from accelerate import Accelerator
from torch import nn
from transformers import PreTrainedTokenizerBase

from arithmetic import intervals
from training.configs.metrics import IMPORTANCE
from training.configs.ppo import PpoConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, newest_checkpoint
from training.processes.run_lines import shown_prompt
from training.trainer import data, progress
from training.trainer.data import PromptSets
from training.trainer.modeling import chat_template, loading, precision
from training.trainer.ppo import best_step, models, ptx
from training.trainer.ppo.collapse import Collapse
from training.trainer.ppo.episodes import Reading, Rollout
from training.trainer.ppo.ptx import Mix
from training.trainer.ppo.trained import POLICY
from training.trainer.ppo.trainer import PpoTrainer, StepReport
from training.trainer.sample import response_parts, rollout_server
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.spot_checks import SpotChecks, Written

_BEST = "best"
_BEST_WEIGHTS = "policy.safetensors"


@dataclass(frozen=True)
class _Texts:
    """What the run reads: prompts, and texts for the ptx mix."""

    prompts: PromptSets
    ptx: Mix

    def reading(self, tokenizer: PreTrainedTokenizerBase) -> Reading:
        prompts = [*self.prompts.train, *self.prompts.held_out]
        return Reading(tokenizer, {tuple(prompt.input_ids): prompt for prompt in prompts})


@dataclass(frozen=True)
class _Measured:
    """An evaluation on held-out prompts."""

    reported: dict[str, float]
    """empty without held-out prompts"""
    choice: float
    """the gain over the start that is sure, on the prompts that choose which step is kept"""


def carry_out(job: Job, config: PpoConfig, folder: RunFolder) -> Result:
    with rollout_server.serving(
        job,
        folder,
        dtype=precision.dtype(config.rollout_dtype),
        max_tokens=config.max_prompt_tokens + config.max_new_tokens,
    ) as server:
        return _carried_out(job, config, folder, server)


def _carried_out(
    job: Job, config: PpoConfig, folder: RunFolder, server: RolloutServer | None
) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    dtype = precision.dtype(config.dtype)
    accelerator = Accelerator(mixed_precision="bf16" if dtype == torch.bfloat16 else "no")
    transformers.set_seed(config.seed + accelerator.process_index)
    tokenizer = models.tokenizer_of(job)
    texts = _read(job, tokenizer, config, folder)
    trainer = PpoTrainer(
        models.roles_of(job, config, tokenizer, dtype, accelerator),
        tokenizer,
        config,
        prompts=[prompt.input_ids for prompt in texts.prompts.train],
        reading=texts.reading(tokenizer),
        ptx=texts.ptx.rows,
        accelerator=accelerator,
        rollout_autocast=(
            torch.bfloat16 if precision.dtype(config.rollout_dtype) == torch.bfloat16 else None
        ),
        server=server,
    )
    _tell(folder, texts, trainer, is_watched=job.watchdog_model is not None)
    chat_template.tell(folder, tokenizer, Path(job.snapshot), with_thinking=False)
    checks = _spot_checks(trainer, tokenizer, texts, job, folder)
    _begin(trainer, tokenizer, texts, folder, checks)
    outcome, error = _learn(trainer, tokenizer, texts, config, folder, checks)
    kept = checks.restore_kept(may_wait=outcome == "succeeded")
    metrics = _finish(trainer, tokenizer, texts, config, folder, kept)
    with trainer.trained.averaged_weights():  # inside the block: after it, the raw weights are back
        measured, saved = models.finished(trainer, dtype)
        after = _measure_saved(trainer, measured, texts)
        loading.save_whole(folder, job.output, saved, tokenizer)
    metrics |= after | {
        **texts.prompts.metrics(),
        "n_held_out_prompts": _n_reporting(texts, config),
        **texts.ptx.metrics(),
        "n_episodes": trainer.state.step * config.batch_size,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    return Result(
        outcome, error=error, metrics=metrics, model=job.output, n_steps=trainer.state.step
    )


# --- before ---------------------------------------------------------------------------------------


def _read(
    job: Job, tokenizer: PreTrainedTokenizerBase, config: PpoConfig, folder: RunFolder
) -> _Texts:
    """Reads a snapshot of prompts, or of demonstrations, and what is mixed in."""
    snapshot, text = Path(job.snapshot), Path(job.ptx_snapshot) if job.ptx_snapshot else None
    prompts = data.prompt_sets(
        snapshot,
        tokenizer,
        max_tokens=config.max_prompt_tokens,
        max_train=None,
        max_held_out=config.max_held_out_prompts,
        seed=config.seed,
    )
    if not prompts.train:
        raise data.UnableToRead(
            f"Every prompt is longer than {config.max_prompt_tokens} tokens. Raise the max"
            " prompt length."
        )
    return _Texts(prompts, ptx.read(snapshot, text, tokenizer, config, folder))


def _spot_checks(
    trainer: PpoTrainer,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    job: Job,
    folder: RunFolder,
) -> SpotChecks:
    def write(prompts: Sequence[data.Prompt], seed: int) -> Written:
        rollouts = trainer.sampled([prompt.input_ids for prompt in prompts], seed=seed)
        return list(map(trainer.reading.response, rollouts))

    return SpotChecks(
        trainer.config,
        folder,
        job.run_id,
        trainer.n_steps,
        texts.prompts.held_out,
        trainer.trained.policy,
        trainer.trained.weights[POLICY],
        write,
    )


def _begin(
    trainer: PpoTrainer,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    folder: RunFolder,
    checks: SpotChecks,
) -> None:
    """Resumes from the newest checkpoint, or measures the policy before training."""
    checkpoint = newest_checkpoint(folder.path)
    if checkpoint is not None:
        trainer.trained.load(checkpoint)
        _recall_best(trainer, folder)
        checks.begin(trainer.state.step)
        return
    checks.begin(0)
    trainer.state.before = _measure(trainer, tokenizer, texts, folder, step=0).reported
    folder.append_point(
        0,
        trainer.n_steps,
        {f"held_out_{name}": value for name, value in trainer.state.before.items()},
    )


# --- during ---------------------------------------------------------------------------------------


def _learn(
    trainer: PpoTrainer,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    config: PpoConfig,
    folder: RunFolder,
    checks: SpotChecks,
) -> tuple[str, str | None]:
    """(outcome, sentence). A collapse ends the run on its last good checkpoint."""
    try:
        for report in trainer.steps():
            values = dict(report.metrics)
            is_last = report.step == report.n_steps
            if progress.is_due(report.step, config.evaluate_every) and not is_last:
                measured = _measure(trainer, tokenizer, texts, folder, step=report.step)
                values |= {f"held_out_{name}": value for name, value in measured.reported.items()}
                _keep_if_best(trainer, measured, folder)
            folder.append_point(report.step, report.n_steps, values)
            for warning in report.warnings:
                folder.append_note(f"Warning at step {report.step}: {warning}")
            _show(folder, tokenizer, texts, report, config)
            with trainer.trained.averaged_weights():
                checks.after(report.step)
            is_stopped = folder.is_stop_requested() and not is_last
            is_kept = (
                config.keeps_last_state
                if is_last
                else progress.is_due(report.step, config.checkpoint_every)
            )
            if is_stopped or is_kept:
                _save(trainer, report.step, config, folder, checks)
            if is_stopped:
                return "stopped", None
    except Collapse as collapse:
        _forget_collapsed(collapse.last_good, folder)
        kept = _go_back(trainer, folder)
        if not kept:
            raise progress.UnableToTrain(
                f"{collapse} There is no earlier checkpoint to go back to."
            ) from collapse
        return "stopped", f"{collapse} {kept}"
    return "succeeded", None


def _go_back(trainer: PpoTrainer, folder: RunFolder) -> str:
    """Restores the newest checkpoint, or before the first one the weights that did best. Returns a
    sentence about it; empty if there is neither.
    """
    checkpoint, best = newest_checkpoint(folder.path), folder.path / _BEST / _BEST_WEIGHTS
    if folder.from_first(checkpoint is not None):
        trainer.trained.load(checkpoint)
        _recall_best(trainer, folder)
        step = run_dir.checkpoint_step(checkpoint) if checkpoint is not None else trainer.state.step
        return f"The checkpoint of step {step} was kept."
    if folder.from_first(best.exists()):
        trainer.trained.give_policy(safetensors.torch.load_file(best) if best.exists() else {})
        trainer.trained.ema.clear()  # the saved weights were the averaged ones
        _recall_best(trainer, folder)
        trainer.state.step = trainer.state.best_step
        return f"Step {trainer.state.step}, the best on held-out prompts, was kept."
    return ""


def _forget_collapsed(last_good: int, folder: RunFolder) -> None:
    """Deletes what was saved of the collapsed policy, so that neither the end of this run nor an
    extension starts from it.
    """
    if not folder.rank:
        for checkpoint in (folder.path / run_dir.CHECKPOINTS).glob("step-*"):
            if run_dir.checkpoint_step(checkpoint) > last_good:
                run_dir.remove(checkpoint)
        best = _best_kept(folder)
        if best is not None and best[0] > last_good:
            run_dir.remove(folder.path / _BEST)
    folder.wait()


def _save(
    trainer: PpoTrainer, step: int, config: PpoConfig, folder: RunFolder, checks: SpotChecks
) -> None:
    trained = sum(
        p.numel() * p.element_size()
        for group in trainer.trained.optimizer.param_groups
        for p in group["params"]
    )
    averaged = sum(p.numel() * p.element_size() for p in trainer.trained.ema)
    run_dir.ensure_free_space(folder.path, trained * 3 + averaged, "a checkpoint")
    # If the newest has a collapsed policy, the one before it is the last good one.
    with folder.checkpoint(step, max(config.keep_checkpoints, 2)) as aside:
        trainer.trained.save(aside)
        checks.keep(aside)


def _measure(
    trainer: PpoTrainer,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    folder: RunFolder,
    *,
    step: int,
) -> _Measured:
    """Reward on held-out prompts. Shows the best-scoring responses, where reward hacking appears
    first.
    """
    if not texts.prompts.held_out:
        return _Measured({}, -math.inf)
    with trainer.trained.averaged_weights():
        measures, rollouts, scores = trainer.evaluate(
            [prompt.input_ids for prompt in texts.prompts.held_out]
        )
    for index in scores.argsort(descending=True).tolist()[: trainer.config.n_shown]:
        shown = {"reward": round(float(scores[index]), 3), "held_out": True}
        _append_sample(
            folder, tokenizer, step, texts.prompts.held_out[index], rollouts[index], shown
        )
    if not step:
        trainer.state.scores_before = scores.tolist()
    choosing, _reporting = _halves(trainer.config, len(rollouts))
    choice = best_step.sure_gain(
        scores[choosing].tolist(),
        trainer.state.scores_before[choosing],
        _named(texts.prompts.held_out[choosing]),
    )
    return _Measured(measures | _reported(trainer.config, scores, texts), choice)


def _halves(config: PpoConfig, n: int) -> tuple[slice, slice]:
    return best_step.halves(n, has_choice=bool(config.evaluate_every))


def _named(prompts: list[data.Prompt]) -> list[tuple[int, ...]]:
    """Equal prompts have the same name."""
    return [tuple(prompt.input_ids) for prompt in prompts]


def _reported(config: PpoConfig, scores: torch.Tensor, texts: _Texts) -> dict[str, float]:
    """The mean reward and its interval, on the prompts that do not choose the step."""
    _choosing, reporting = _halves(config, len(scores))
    chosen = scores[reporting].tolist()
    measures = {"reward": fmean(chosen)}
    ends = intervals.of_mean(chosen, _named(texts.prompts.held_out[reporting]))
    return measures if ends is None else measures | {"reward_low": ends[0], "reward_high": ends[1]}


def _n_reporting(texts: _Texts, config: PpoConfig) -> int:
    n = len(texts.prompts.held_out)
    return len(range(n)[_halves(config, n)[1]])


def _keep_if_best(trainer: PpoTrainer, latest: _Measured, folder: RunFolder) -> None:
    is_better = bool(latest.reported) and latest.choice > trainer.state.best_gain
    if not folder.from_first(is_better):
        return
    trainer.state.best_gain, trainer.state.best_step = latest.choice, trainer.state.step
    with trainer.trained.averaged_weights(), folder.published(folder.path / _BEST) as aside:
        weights = trainer.trained.whole_policy()
        measured = {"step": str(trainer.state.step), "gain": repr(latest.choice)}
        safetensors.torch.save_file(weights, aside / _BEST_WEIGHTS, metadata=measured)


def _best_kept(folder: RunFolder) -> tuple[int, float] | None:
    """(step, sure gain) of the best weights on disk, which may be newer than the restored
    checkpoint.
    """
    path = folder.path / _BEST / _BEST_WEIGHTS
    if not path.exists():
        return None
    with safetensors.safe_open(path, framework="pt") as file:
        measured = file.metadata() or {}
    return (int(measured["step"]), float(measured["gain"])) if "gain" in measured else None


def _recall_best(trainer: PpoTrainer, folder: RunFolder) -> None:
    """After restoring a checkpoint, the best weights are those on disk."""
    trainer.state.best_step, trainer.state.best_gain = _best_kept(folder) or (0, -math.inf)


def _show(
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    report: StepReport,
    config: PpoConfig,
) -> None:
    """The best and the worst response of about ten rollouts per run."""
    if not config.n_shown or report.step % max(1, report.n_steps // 10):
        return
    scores = report.experience.scores
    for index in (int(scores.argmax()), int(scores.argmin())):
        values = {
            "reward": round(float(scores[index]), 3),
            "kl": round(float(report.experience.kl[index]), 2),
        }
        rollout = report.experience.rollouts[index]
        _append_sample(
            folder, tokenizer, report.step, texts.prompts.train[rollout.prompt], rollout, values
        )


def _append_sample(
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    step: int,
    prompt: data.Prompt,
    rollout: Rollout,
    scores: dict[str, float],
) -> None:
    response = response_parts.with_tags(tokenizer, rollout.response_ids).strip()
    folder.append_sample(
        step, shown_prompt(prompt.messages), response, scores | {"is_ended": rollout.is_ended}
    )


# --- after ----------------------------------------------------------------------------------------


def _finish(
    trainer: PpoTrainer,
    tokenizer: PreTrainedTokenizerBase,
    texts: _Texts,
    config: PpoConfig,
    folder: RunFolder,
    kept: int | None,
) -> dict[str, object]:
    """Measures the final policy and restores an earlier one if its evaluation was better; with the
    step that raters have `kept`, measures that.
    """
    signs = trainer.state.signs
    kept_step = trainer.state.step if kept is None else kept
    if kept is not None:
        trainer.trained.ema.clear()  # the weights were the averaged ones
        trainer.state.best_gain = -math.inf
    after = _measure(trainer, tokenizer, texts, folder, step=kept_step)
    best = folder.path / _BEST / _BEST_WEIGHTS
    is_better = trainer.state.best_gain > after.choice and best.exists()
    if after.reported and folder.from_first(is_better):
        trainer.trained.give_policy(safetensors.torch.load_file(best) if best.exists() else {})
        trainer.trained.ema.clear()  # the saved weights were the averaged ones
        _measure(trainer, tokenizer, texts, folder, step=trainer.state.best_step)
        kept_step = trainer.state.best_step
    return {
        **{f"{name}_before": value for name, value in trainer.state.before.items() if name != "n"},
        "kept_step": float(kept_step),
        "beta": trainer.state.beta,
        **{name: fmean(values) for name, values in signs.items() if name in IMPORTANCE},
        **trainer.times.shares(),
    }


def _measure_saved(
    trainer: PpoTrainer, policy: nn.Module | None, texts: _Texts
) -> dict[str, float]:
    """The `_after` metrics of the model that is saved, which is merged and rounded."""
    prompts = [prompt.input_ids for prompt in texts.prompts.held_out]
    if not prompts:
        return {}
    measures, _rollouts, scores = trainer.evaluate(prompts, merged=policy)
    measures |= _reported(trainer.config, scores, texts)
    after = {f"{name}_after": value for name, value in measures.items() if name != "n"}
    _choosing, reporting = _halves(trainer.config, len(scores))
    return after | best_step.reported_gain(
        scores[reporting].tolist(),
        trainer.state.scores_before[reporting],
        _named(texts.prompts.held_out[reporting]),
    )


def _tell(folder: RunFolder, texts: _Texts, trainer: PpoTrainer, *, is_watched: bool) -> None:
    note, config = texts.prompts.note(), trainer.config
    n_held_out, n_reporting = len(texts.prompts.held_out), _n_reporting(texts, config)
    if n_reporting < n_held_out:
        note += f" {n_held_out - n_reporting} of these choose the step to keep, and the reward is"
        note += f" reported on the other {n_reporting}."
    if config.watchdog_drop and not is_watched:
        note += " It can't stop on a watchdog drop: no watchdog model was chosen."
    note += texts.ptx.note()
    if not trainer.packs:
        note += (
            " Each sequence has a row of its own, which is exact but slower than packed rows: one"
        )
        note += " of these models sees only a window of a sequence, or keeps a state."
    folder.append_note(note)
