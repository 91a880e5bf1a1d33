"""A reward model from whole rankings: predicts which of two responses a rater prefers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState

from training.configs.reward import RewardConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, counted, newest_checkpoint
from training.trainer import data, progress
from training.trainer.modeling import chat_template, loading, precision, sharding
from training.trainer.reward import (
    breakdown,
    certainty,
    cross_validation,
    parts,
    rankings,
    stored_rankings,
)
from training.trainer.reward.pair_results import PairResults
from training.trainer.reward.rankings import RankingRow, Rankings, Unranked
from training.trainer.reward.stored_rankings import Reading
from training.trainer.reward.trainer import RankingArguments, RankingTrainer

DEMONSTRATIONS = "demonstrations"
"""A comparison snapshot may have some, as demonstrations.jsonl: their mean reward becomes 0."""


class WatchedRanking(progress.Watched, RankingTrainer):
    """The ranking trainer with our progress, checkpoints and stop."""


@dataclass(frozen=True)
class _RankingRows:
    read: Rankings
    train: Sequence[RankingRow]
    split: str
    held_out: list[RankingRow]
    read_held_out: Rankings
    demonstrations: list[RankingRow]
    read_demonstrations: Unranked

    @property
    def n_pairs(self) -> int:
        return sum(rankings.pairs_of_each(self.train))

    @property
    def n_held_out_pairs(self) -> int:
        return sum(len(row["winner"]) for row in self.held_out)


def carry_out(job: Job, config: RewardConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model)
    rows = _read(Path(job.snapshot), tokenizer, config, folder, n_processes=job.threads)
    _tell(folder, rows, config)
    chat_template.tell(folder, tokenizer, Path(job.snapshot), with_thinking=config.reads_thinking)
    over_raters = (
        _cross_validated(job, config, folder, tokenizer, rows.held_out)
        if config.cross_validates
        else {}
    )

    trainer = _trainer(job, config, folder, tokenizer, rows.train)
    sharding.shard(trainer)
    before = measures(trainer, rows.held_out)
    follower = progress.Follower(folder, config, lambda: measures(trainer, rows.held_out))
    trainer.follow(follower)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), before)
    is_stopped = progress.train(trainer)

    trained, whole = sharding.finished(trainer, precision.dtype(config.dtype))
    after = measures(trainer, rows.held_out, trained)
    follower.finish(after, trainer.state)
    judged = trainer.pair_results(rows.held_out, trained)
    bias = demonstration_reward(trainer, rows.demonstrations, trained)
    whole.config.reward_bias = bias
    whole.config.reads_thinking = config.reads_thinking
    loading.save_whole(folder, job.output, whole, tokenizer)
    folder.replace_lines(
        run_dir.SCORES, rankings.scored(rows.held_out, [reward - bias for reward in judged.rewards])
    )
    metrics = {
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "held_out_split": rows.split,
        "n_held_out_pairs": rows.n_held_out_pairs,
        "n_train_pairs": rows.n_pairs,
        "n_train_prompts": len(rows.train),
        "n_ties": rows.read.n_ties,
        "n_responses_left_out": rows.read.n_left_out,
        "n_prompts_cut": rows.read.n_cut,
        "n_held_out_responses_left_out": rows.read_held_out.n_left_out,
        "n_held_out_prompts_cut": rows.read_held_out.n_cut,
        "reward_bias": bias,
        "n_demonstrations": len(rows.demonstrations),
        "n_demonstrations_left_out": rows.read_demonstrations.n_left_out,
        "n_demonstrations_cut": rows.read_demonstrations.n_cut,
        "shares_prefix": trainer.shares_prefix,
        **over_raters,
        **certainty.metrics(judged.margins, judged.prompts),
        "calibration": judged.calibration(),
        "margins": judged.margin_histogram(),
        **_by_group(judged, rows),
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(
        outcome,
        metrics=metrics,
        model=job.output,
        scores=run_dir.SCORES,
        n_steps=trainer.state.global_step,
    )


def measures(
    trainer: RankingTrainer, held_out: list[RankingRow], model: torch.nn.Module | None = None
) -> dict[str, float]:
    """Share of held-out pairs in the raters' order (equal scores count half), with Wilson's
    interval, and mean log-loss.
    """
    if not held_out:
        return {}
    results = trainer.pair_results(held_out, model).summary()
    return {
        **{
            f"held_out_{name}": results[name]
            for name in ("accuracy", "accuracy_low", "accuracy_high")
            if name in results
        },
        "held_out_loss": results["log_loss"],
        "held_out_margin": results["margin"],
        "reward_length_correlation": results["reward_length_correlation"],
    }


def _by_group(judged: PairResults, rows: _RankingRows) -> dict[str, object]:
    accuracies = breakdown.accuracy_by(judged.margins, breakdown.pairs_of(rows.held_out))
    if not judged.margins:
        return {"accuracy_by": accuracies}
    learned = breakdown.learned_from(rows.train)
    strange, left_out = breakdown.by_strangeness(judged.margins, rows.held_out, learned)
    by_strangeness = {"strangeness": strange} if strange else {}
    return {"accuracy_by": by_strangeness | accuracies, "strangeness_left_out": left_out}


def demonstration_reward(
    trainer: RankingTrainer, rows: list[RankingRow], model: torch.nn.Module
) -> float:
    """The mean reward of demonstrations (Ouyang 2022, §3.5). The loss cannot see a shift, so this
    is subtracted wherever a reward is read, and demonstrations score 0. 0 without demonstrations.
    """
    rewards = trainer.pair_results(rows, model).rewards
    return sum(rewards) / len(rewards) if rewards else 0.0


def _trainer(
    job: Job,
    config: RewardConfig,
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    train: Sequence[RankingRow],
) -> WatchedRanking:
    model: Any = loading.load_reward(
        job.model, tokenizer, progress.starting_dtype(config), may_shard=True
    )
    loading.require_length(model, config.max_tokens)
    if config.method == "lora":
        model = loading.with_adapters(model, loading.lora(config, is_reward=True))
        if config.saves_memory:
            model.enable_input_require_grads()
    arguments = RankingArguments(
        center_rewards=config.centering,
        per_device_eval_batch_size=config.batch_size,
        **progress.arguments(config, folder),
    )
    return WatchedRanking(
        model,
        arguments,
        processing_class=tokenizer,
        train_dataset=rankings.evenly_weighed(train),
    )


class _UntilStopped(TrainerCallback):
    """A fold saves nothing: it ends when the run is stopped, and a later attempt restarts it."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.is_stopped = False

    def on_step_end(
        self, args: object, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self.is_stopped = control.should_training_stop = self.folder.is_stop_requested()


def _cross_validated(
    job: Job,
    config: RewardConfig,
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    held_out: list[RankingRow],
) -> dict[str, object]:
    """Runs before the run's own training, so once that has a checkpoint, this is done."""
    rows = of_part(data.training_rows(Path(job.snapshot), "responses"), config.part)

    def learn(without: frozenset[str]) -> list[float] | None:
        transformers.set_seed(config.seed)
        kept = [row for row in rows if row.get("rater") not in without]
        read = rankings.read(
            tokenizer,
            kept,
            config.max_tokens,
            config.margin,
            config.rating_margin,
            reads_thinking=config.reads_thinking,
        ).rows
        if not read:
            raise data.UnableToRead(
                "One fold of the cross-validation has no pair to train on. Collect more, or"
                " switch it off."
            )
        trainer = _trainer(
            job,
            config,
            folder,
            tokenizer,
            rankings.at_most_pairs(read, config.max_rows, config.seed),
        )
        until_stopped = _UntilStopped(folder)
        trainer.add_callback(until_stopped)
        trainer.train()
        return None if until_stopped.is_stopped else trainer.pair_results(held_out).margins

    validated = cross_validation.cross_validated(folder, rows, held_out, learn)
    transformers.set_seed(config.seed)  # the run's own training is the same with and without
    return validated


def of_part(rows: list[data.Row], part: str) -> list[data.Row]:
    raters = [str(row["rater"]) if row.get("rater") else None for row in rows]
    kept = parts.kept(part, raters, [stored_rankings.cluster_of(row) for row in rows])
    return [row for row, is_kept in zip(rows, kept, strict=True) if is_kept]


def _read(
    snapshot: Path,
    tokenizer: PreTrainedTokenizerBase,
    config: RewardConfig,
    folder: RunFolder,
    *,
    n_processes: int,
) -> _RankingRows:
    held_out_reading = Reading(tokenizer, config.max_tokens, reads_thinking=config.reads_thinking)
    reading = replace(
        held_out_reading,
        margin=config.margin,
        rating_margin=config.rating_margin,
        part=config.part,
    )
    read = stored_rankings.read(snapshot, "train", reading, folder, n_processes=n_processes)
    if not len(read.rows):
        raise data.UnableToRead(
            f"The snapshot has no usable pair: {counted(read.n_ties, 'tie')} and "
            f"{counted(read.n_left_out, 'response')} longer than {config.max_tokens} tokens. "
            "Collect more comparisons or raise the max row length."
        )
    split = data.held_out_split(snapshot)
    held_out = (
        stored_rankings.read(snapshot, split, held_out_reading, folder, n_processes=n_processes)
        if split
        else Rankings([], n_pairs=0, n_ties=0, n_left_out=0, n_cut=0)
    )
    demonstrations = rankings.unranked(
        tokenizer,
        data.rows(snapshot, DEMONSTRATIONS),
        config.max_tokens,
        reads_thinking=config.reads_thinking,
    )
    return _RankingRows(
        read=read,
        train=rankings.at_most_pairs(read.rows, config.max_rows, config.seed),
        split=split,
        held_out=list(rankings.at_most_pairs(held_out.rows, config.max_held_out_rows, config.seed)),
        read_held_out=held_out,
        demonstrations=data.sample_of(demonstrations.rows, config.max_held_out_rows, config.seed),
        read_demonstrations=demonstrations,
    )


def _tell(folder: RunFolder, rows: _RankingRows, config: RewardConfig) -> None:
    note = (
        f"{rows.n_pairs} of {counted(rows.read.n_pairs, 'pair')} over"
        f" {counted(len(rows.train), 'prompt')} for training, {rows.n_held_out_pairs} held out"
        f" ({rows.split or 'no held-out split'})."
    )
    if config.part != parts.ALL:
        note += f" Of the rankings, it learns from the {config.part} of two parts."
    note += f" {counted(rows.read.n_ties, 'tie')} dropped."
    if rows.read.n_left_out:
        note += (
            f" {counted(rows.read.n_left_out, 'response')} dropped: longer than"
            f" {config.max_tokens} tokens even without the prompt."
        )
    if rows.read.n_cut:
        note += (
            f" {counted(rows.read.n_cut, 'prompt')} truncated at the start, to fit"
            f" {config.max_tokens} tokens with the responses."
        )
    note += _held_out_note(rows, config.max_tokens)
    folder.append_note(note)


def _held_out_note(rows: _RankingRows, longest: int) -> str:
    """Which held-out rankings and demonstrations do not fit."""
    held_out, demonstrations = rows.read_held_out, rows.read_demonstrations
    notes = [
        (
            held_out.n_left_out,
            "held-out response",
            f"dropped: longer than {longest} tokens even without the prompt",
        ),
        (held_out.n_cut, "held-out prompt", "truncated at the start"),
        (demonstrations.n_left_out, "demonstration", f"dropped: longer than {longest} tokens"),
        (demonstrations.n_cut, "demonstration", "truncated at the start of the prompt"),
    ]
    return "".join(f" {counted(n, noun)} {fate}." for n, noun, fate in notes if n)
