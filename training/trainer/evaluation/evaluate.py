"""An evaluation: measures a model on a snapshot. Produces metrics and samples, but no model."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from arithmetic import intervals
from training.configs.evaluation.evaluate import EvaluateConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, counted
from training.trainer import data, parallel, sft
from training.trainer.data import Prompt
from training.trainer.modeling import loading, precision, reward_head
from training.trainer.reward import breakdown, certainty, rankings, scoring
from training.trainer.reward.pair_results import PairResults, rightness
from training.trainer.sample import generation
from training.trainer.sample.generation import GeneratedResponse


class Stopped(Exception):
    """The run was stopped between two parts."""


@dataclass
class _Evaluation:
    """State shared by the parts. Each part adds its metrics and advances the run by one step."""

    job: Job
    config: EvaluateConfig
    folder: RunFolder
    rows: list[data.Row]
    tokenizer: PreTrainedTokenizerBase
    dtype: torch.dtype
    metrics: dict[str, object]
    n_parts: int
    n_done: int = 0

    def add(self, values: Mapping[str, object]) -> None:
        self.n_done += 1
        self.metrics |= values
        measures = {
            name: float(value) for name, value in values.items() if isinstance(value, int | float)
        }
        self.folder.append_point(self.n_done, self.n_parts, measures)
        if self.n_done < self.n_parts and self.folder.is_stop_requested():
            raise Stopped


def carry_out(job: Job, config: EvaluateConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    parallel.connect()
    split, rows = _rows(Path(job.snapshot), config)
    folder.append_note(f"{counted(len(rows), 'row')} ({split}).")
    parts = _parts(job, rows)
    evaluation = _Evaluation(
        job=job,
        config=config,
        folder=folder,
        rows=rows,
        tokenizer=loading.load_tokenizer(job.model),
        dtype=precision.dtype(config.dtype),
        metrics={"n_rows": len(rows), "measured_on": split},
        n_parts=len(parts),
    )
    outcome = "succeeded"
    try:
        for part in parts:
            part(evaluation)
    except Stopped:
        outcome = "stopped"
    metrics = evaluation.metrics | {"seconds": round(time.monotonic() - started_at, 1)}
    has_scores = (folder.path / run_dir.SCORES).exists()
    return Result(
        outcome,
        metrics=metrics,
        scores=run_dir.SCORES if has_scores else None,
        n_steps=evaluation.n_done,
    )


def _parts(job: Job, rows: Sequence[data.Row]) -> list[Callable[[_Evaluation], None]]:
    """What can be measured with these models on these rows."""
    if loading.is_reward_model(job.model):
        _require(rows, "responses")
        return [_agreement_of_model]
    parts: list[Callable[[_Evaluation], None]] = [_loss] if "completion" in rows[0] else []
    if job.reward_model is not None:
        parts += [_agreement_of_judge] if "responses" in rows[0] else []
        parts += [_responses]
    if not parts:
        raise data.UnableToRead(
            "On this snapshot only responses can be measured, by a reward model. Choose one and"
            " start again."
        )
    return parts


def _loss(evaluation: _Evaluation) -> None:
    """Mean negative log-likelihood per completion token, and the number of tokens."""
    config = evaluation.config
    model = loading.load_policy(evaluation.job.model, evaluation.tokenizer, evaluation.dtype)
    loading.require_length(model, config.max_tokens)
    read = data.demonstrations(evaluation.tokenizer, evaluation.rows, config.max_tokens)
    loss = sft.held_out_loss(
        model, read.examples, config.batch_size, evaluation.dtype, is_shared=True
    )
    n_tokens = sum(label != data.IGNORED for example in read.examples for label in example.labels)
    losses = {"held_out_loss": loss, "perplexity": sft.perplexity(loss)} if loss is not None else {}
    evaluation.add(
        {**losses, "n_tokens": n_tokens, "n_cut": read.n_cut, "n_left_out": read.n_left_out}
    )


def _agreement_of_model(evaluation: _Evaluation) -> None:
    evaluation.add(_agreement(evaluation, evaluation.job.model))


def _agreement_of_judge(evaluation: _Evaluation) -> None:
    evaluation.add(_agreement(evaluation, str(evaluation.job.reward_model)))


def _agreement(evaluation: _Evaluation, path: str) -> dict[str, object]:
    """How often this reward model ranks two responses as the raters do."""
    config = evaluation.config
    judge = loading.load_reward(path, evaluation.tokenizer, evaluation.dtype)
    loading.require_length(judge, config.max_tokens)
    read = rankings.read(
        evaluation.tokenizer,
        evaluation.rows,
        config.max_tokens,
        reads_thinking=reward_head.reads_thinking(judge),
    )
    sequences = [
        row["prompt_ids"] + response for row in read.rows for response in row["response_ids"]
    ]
    scores = _judged(evaluation, judge, sequences)
    evaluation.folder.replace_lines(run_dir.SCORES, rankings.scored(read.rows, scores))
    results = _pair_results(read.rows, scores)
    summary = results.summary()
    return {
        **{
            f"held_out_{name}": summary[name]
            for name in ("accuracy", "accuracy_low", "accuracy_high")
            if name in summary
        },
        "held_out_margin": summary["margin"],
        "reward_length_correlation": summary["reward_length_correlation"],
        "n_held_out_pairs": len(results.margins),
        "n_ties": read.n_ties,
        "n_responses_left_out": read.n_left_out,
        **certainty.metrics(results.margins, results.prompts),
        "calibration": results.calibration(),
        "margins": results.margin_histogram(),
        "accuracy_by": breakdown.accuracy_by(results.margins, breakdown.pairs_of(read.rows)),
    }


def _pair_results(rows: Sequence[rankings.RankingRow], scores: Sequence[float]) -> PairResults:
    margins, whose, start = [], [], 0
    for number, row in enumerate(rows):
        for winner, loser in zip(row["winner"], row["loser"], strict=True):
            margins.append(scores[start + winner] - scores[start + loser])
            whose.append(number)
        start += len(row["response_ids"])
    return PairResults(
        margins, whose, list(scores), [len(ids) for row in rows for ids in row["response_ids"]]
    )


def _responses(evaluation: _Evaluation) -> None:
    """Mean reward of new responses. With another model, both answer, and the better response is
    counted.
    """
    job, config = evaluation.job, evaluation.config
    scoring.require_same_tokens(job.model, str(job.reward_model), evaluation.tokenizer)
    prompts = _prompts(evaluation)
    judge = loading.load_reward(str(job.reward_model), evaluation.tokenizer, evaluation.dtype)
    written, rewards = _answered(evaluation, job.model, prompts, judge)
    metrics: dict[str, object] = {
        "reward": fmean(rewards),
        "response_tokens": fmean(answer.n_answer for answer in written),
        "ended": fmean(answer.is_ended for answer in written),
        "n_prompts": len(prompts),
    }
    shown = [{"reward": round(reward, 3)} for reward in rewards]
    if job.other_model is not None:
        others, other_rewards = _answered(evaluation, job.other_model, prompts, judge)
        metrics |= {
            "other_reward": fmean(other_rewards),
            "other_response_tokens": fmean(answer.n_answer for answer in others),
        }
        metrics |= win_rate(rewards, other_rewards)
        for sample, other_reward in zip(shown, other_rewards, strict=True):
            sample["other_reward"] = round(other_reward, 3)
    generation.show(
        evaluation.folder, evaluation.n_done + 1, prompts, written, shown, config.n_shown
    )
    evaluation.add(metrics)


def win_rate(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """How often our response is better (ties count half), one pair a prompt. The interval is left
    out with too few prompts.
    """
    won = [
        rightness(reward - other_reward) for reward, other_reward in zip(ours, theirs, strict=True)
    ]
    ends = intervals.of_votes(won, range(len(won)))
    rates = {"win_rate": sum(won) / len(won)}
    return rates | ({"win_rate_low": ends[0], "win_rate_high": ends[1]} if ends else {})


def _answered(
    evaluation: _Evaluation, path: str, prompts: list[Prompt], judge: PreTrainedModel
) -> tuple[list[GeneratedResponse], list[float]]:
    """Loads one model at a time, so that memory holds only that one and the reward model."""
    config = evaluation.config
    if path != evaluation.job.model:
        scoring.require_same_tokens(path, evaluation.job.model, evaluation.tokenizer)
    model = loading.load_policy(path, evaluation.tokenizer, evaluation.dtype)
    loading.require_length(model, config.max_tokens)
    settings = generation.config_for(
        model,
        evaluation.tokenizer,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
    )
    written = generation.responses(
        model,
        evaluation.tokenizer,
        prompts,
        settings,
        batch_size=config.batch_size,
        seed=config.seed,
        is_shared=True,
        max_thinking_tokens=config.max_thinking_tokens,
    )
    sequences = [
        generation.judged_ids(judge, evaluation.tokenizer, prompt, answer)
        for prompt, answer in zip(prompts, written, strict=True)
    ]
    return written, _judged(evaluation, judge, sequences)


def _judged(
    evaluation: _Evaluation, judge: PreTrainedModel, sequences: list[list[int]]
) -> list[float]:
    return scoring.rewards_of_sequences(
        judge,
        int(evaluation.tokenizer.pad_token_id or 0),
        sequences,
        batch_size=evaluation.config.batch_size,
        dtype=evaluation.dtype,
        is_shared=True,
    )


def _prompts(evaluation: _Evaluation) -> list[Prompt]:
    """Each prompt once, if it leaves room for a response."""
    room = evaluation.config.max_written_tokens
    longest = evaluation.config.max_tokens - room
    prompts: dict[tuple[int, ...], Prompt] = {}
    for row in evaluation.rows:
        tools = row.get("tools", ())
        ids = data.prompt_ids(evaluation.tokenizer, row["prompt"], tools)
        if len(ids) <= longest:
            prompt = Prompt(row["id"], row["prompt"], ids, tools=tools)
            prompts.setdefault(tuple(ids), prompt)
    if not prompts:
        raise data.UnableToRead(f"No prompt is short enough to leave {room} tokens for a response.")
    return list(prompts.values())


def _rows(snapshot: Path, config: EvaluateConfig) -> tuple[str, list[data.Row]]:
    if not snapshot.is_dir():
        raise data.UnableToRead(f"The snapshot's folder {snapshot} is not on this node.")
    if config.split == "held_out":
        split, rows = data.held_out_rows(snapshot)
    else:
        split, wanted = config.split, run_dir.SPLITS if config.split == "all" else (config.split,)
        rows = [row for name in wanted for row in data.rows(snapshot, name)]
    if not rows:
        raise data.UnableToRead(
            "The snapshot has no held-out rows. Choose other rows or another snapshot."
        )
    return split, data.sample_of(rows, config.max_rows, config.seed)


def _require(rows: Sequence[data.Row], needed: str) -> None:
    if needed not in rows[0]:
        raise data.UnableToRead(
            "A reward model is measured on comparisons. Choose a snapshot of them."
        )
