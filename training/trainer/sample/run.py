"""Samples K responses to each prompt of a snapshot, in batches, reproducible by seed. If the run
has a reward model, it scores each of them.
"""

import dataclasses
import hashlib
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from arithmetic import answer_parts
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, counted
from training.processes.run_lines import shown_prompt
from training.trainer import data, parallel
from training.trainer.data import Prompt
from training.trainer.modeling import chat_template, loading, precision
from training.trainer.reward import scoring
from training.trainer.sample import generation, remote, rollout_server
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.thinking_budget import ThinkingBudget


@dataclasses.dataclass
class _Totals:
    """What this attempt has generated so far."""

    n_responses: int = 0
    n_tokens: int = 0
    n_thinking: int = 0
    n_ended: int = 0
    n_empty: int = 0
    seconds: float = 0.0

    def add(self, others: Sequence["_Totals"]) -> None:
        """What the processes generated at the same time."""
        for name in ("n_responses", "n_tokens", "n_thinking", "n_ended", "n_empty"):
            setattr(
                self, name, getattr(self, name) + sum(getattr(totals, name) for totals in others)
            )
        self.seconds += max((totals.seconds for totals in others), default=0.0)

    def rates(self) -> dict[str, float]:
        n_responses = max(self.n_responses, 1)
        rates = {
            "tokens_per_s": self.n_tokens / max(self.seconds, 1e-9),
            "responses_per_s": self.n_responses / max(self.seconds, 1e-9),
            "share_ended": self.n_ended / n_responses,
            "mean_tokens": (self.n_tokens - self.n_thinking) / n_responses,
        }
        return rates | (
            {"thinking_tokens": self.n_thinking / n_responses} if self.n_thinking else {}
        )


def carry_out(job: Job, config: SampleConfig, folder: RunFolder) -> Result:
    parallel.connect()
    with rollout_server.serving(
        job,
        folder,
        dtype=precision.dtype(config.dtype),
        max_tokens=config.max_prompt_tokens + config.max_written_tokens,
    ) as server:
        return _carried_out(job, config, folder, server)


def _carried_out(
    job: Job, config: SampleConfig, folder: RunFolder, server: RolloutServer | None
) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    if job.endpoint is not None and folder.rank:
        return Result("succeeded")  # the first process asks the endpoint alone
    judge = (
        scoring.TextJudge(job.reward_model, precision.dtype(config.dtype))
        if job.reward_model
        else None
    )
    if job.endpoint is not None:
        return remote.carry_out(job, config, folder, _resume(folder, config), judge)
    tokenizer = loading.load_tokenizer(job.model, padding_side="left")
    prompts, n_too_long = _read(Path(job.snapshot), tokenizer, config)
    model = loading.load_policy(job.model, tokenizer, precision.dtype(config.dtype)).eval()
    loading.require_length(
        model, max(len(prompt.input_ids) for prompt in prompts) + config.max_written_tokens
    )
    settings = generation.config_for(
        model,
        tokenizer,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        n_responses=config.n_responses,
    )

    if server is not None:
        server.take(model)

    # Longest first: if memory runs out, it fails at once. Every attempt has the same
    # batches, each with its own seed, and the processes take them in turn.
    ordered = sorted(prompts, key=lambda prompt: -len(prompt.input_ids))
    batches = data.batches(ordered, max(config.batch_size // config.n_responses, 1))
    # The first process has the file of an earlier attempt; one on another machine has none.
    done = parallel.gathered({folder.rank: _resume(folder, config)})[0]
    totals, outcome = _Totals(), "succeeded"
    _tell(folder, prompts, n_too_long, config, len(done))
    chat_template.tell(folder, tokenizer, Path(job.snapshot), with_thinking=False)
    waiting = [
        (step, batch)
        for step, batch in enumerate(batches, start=1)
        if any(prompt.prompt_id not in done for prompt in batch)
    ]
    for at_once in data.batches(waiting, parallel.n_processes() if server is None else 1):
        if folder.is_stop_requested():
            outcome = "stopped"
            break
        own = {
            step: _answer(model, tokenizer, batch, config, settings, judge, server)
            for _number, (step, batch) in parallel.own_part(at_once)
        }
        if server is not None and not own:  # asking takes all processes
            budget = ThinkingBudget(tokenizer, settings, config.max_thinking_tokens)
            budget.responses(partial(generation.asked, server), [])
        answered = parallel.gathered(own)
        totals.add([answer.totals for answer in answered])
        run_dir.ensure_free_space(folder.path, 0, "writing responses")
        for (step, batch), answer in zip(at_once, answered, strict=True):
            rows = [row for row in answer.rows if row["prompt_id"] not in done]
            folder.append_lines(run_dir.RESPONSES, rows)
            _show(folder, step, batch, answer.rows, config)
            folder.append_point(
                step, len(batches), totals.rates() | scoring.mean_rewards(answer.rows)
            )
    if folder.rank:
        return Result(outcome)
    path = folder.path / run_dir.RESPONSES
    metrics = {
        "n_prompts": len(prompts),
        "n_prompts_too_long": n_too_long,
        "n_responses": sum(1 for _ in run_dir.read_lines(path)),
        "n_empty": totals.n_empty,
        **totals.rates(),
        **scoring.mean_rewards(run_dir.read_lines(path)),
        "seconds": round(time.monotonic() - started_at, 1),
    }
    return Result(outcome, metrics=metrics, responses=run_dir.RESPONSES, n_steps=len(batches))


@dataclasses.dataclass(frozen=True)
class _Answered:
    """K rows for each prompt of a batch, ready for responses.jsonl."""

    rows: list[dict[str, Any]]
    totals: _Totals


def _answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    batch: list[Prompt],
    config: SampleConfig,
    settings: GenerationConfig,
    judge: scoring.TextJudge | None,
    server: RolloutServer | None,
) -> _Answered:
    totals = _Totals()
    rows = _written(model, tokenizer, batch, config, settings, totals, server)
    if judge is not None:
        messages = {prompt.prompt_id: prompt.messages for prompt in batch}
        tools = {prompt.prompt_id: prompt.tools for prompt in batch}
        rows = judge.scored(rows, messages, batch_size=config.batch_size, tools=tools)
    return _Answered(rows, totals)


@torch.no_grad()
def _written(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    batch: list[Prompt],
    config: SampleConfig,
    settings: GenerationConfig,
    totals: _Totals,
    server: RolloutServer | None,
) -> list[dict[str, object]]:
    started_at = time.monotonic()
    seed, prompts = batch_seed(config.seed, batch), [prompt.input_ids for prompt in batch]
    budget = ThinkingBudget(tokenizer, settings, config.max_thinking_tokens)
    if server is not None:
        written = budget.responses(partial(generation.asked, server, seed=seed), prompts)
    else:
        torch.manual_seed(seed)
        with generation.unadvised(model):
            written = budget.responses(partial(generation.drawn, model, tokenizer), prompts)
    rows = []
    for index, tokens in enumerate(written):
        prompt, number = batch[index // config.n_responses], index % config.n_responses
        response = generation.response_of(tokenizer, prompt, tokens, settings)
        rows.append(
            {
                "prompt_id": prompt.prompt_id,
                "text": response.text,
                "number": number,
                "is_ended": response.is_ended,
                "sampling": config.sampling,
                **response.parts(),
            }
        )
        totals.n_tokens += len(response.ids)
        totals.n_thinking += response.n_thinking
        totals.n_ended += response.is_ended
        totals.n_empty += not response.has_answer
    totals.n_responses += len(rows)
    totals.seconds += time.monotonic() - started_at
    return rows


def batch_seed(seed: int, batch: list[Prompt]) -> int:
    """Depends on the prompts, not on earlier samples, so a resumed run gets the same responses as
    an uninterrupted one.
    """
    named = f"{seed}:{[prompt.prompt_id for prompt in batch]}"
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:7], "big")


def _read(
    snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: SampleConfig
) -> tuple[list[Prompt], int]:
    """(the prompts to answer, how many are too long). All splits of the snapshot are answered."""
    prompts = data.prompts(tokenizer, data.all_rows(snapshot, "prompt_id"))
    fitting = [prompt for prompt in prompts if len(prompt.input_ids) <= config.max_prompt_tokens]
    if not fitting:
        raise data.UnableToRead(
            f"Every prompt is longer than {config.max_prompt_tokens} tokens. Raise the max"
            " prompt length."
        )
    return data.spread(fitting, config.max_prompts), len(prompts) - len(fitting)


def _resume(folder: RunFolder, config: SampleConfig) -> set[object]:
    """The prompts that an earlier attempt answered K times. Prompts with fewer responses are
    removed from the file and answered again.
    """
    path = folder.path / run_dir.RESPONSES
    rows = list(run_dir.read_lines(path)) if path.exists() else []
    counts: dict[object, int] = {}
    for row in rows:
        counts[row["prompt_id"]] = counts.get(row["prompt_id"], 0) + 1
    done = {prompt_id for prompt_id, count in counts.items() if count == config.n_responses}
    folder.replace_lines(run_dir.RESPONSES, [row for row in rows if row["prompt_id"] in done])
    return done


def _show(
    folder: RunFolder,
    step: int,
    batch: list[Prompt],
    rows: list[dict[str, Any]],
    config: SampleConfig,
) -> None:
    """The first response to each of the first prompts, for the run's page."""
    before = (step - 1) * max(config.batch_size // config.n_responses, 1)
    for prompt, row in zip(batch, rows[:: config.n_responses], strict=True):
        before += 1
        if before <= config.n_shown:
            folder.append_sample(
                step, shown_prompt(prompt.messages), answer_parts.whole(row), scoring.shown(row)
            )


def _tell(
    folder: RunFolder, prompts: list[Prompt], n_too_long: int, config: SampleConfig, n_done: int
) -> None:
    note = f"{counted(len(prompts), 'prompt')}, {counted(config.n_responses, 'response')} each."
    if n_too_long:
        note += (
            f" {counted(n_too_long, 'prompt')} dropped: longer than {config.max_prompt_tokens}"
            " tokens."
        )
    if n_done:
        note += f" Resumed: {n_done} were already done."
    folder.append_note(note)
