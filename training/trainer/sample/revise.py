"""Constitutional revision: a model answers each prompt, then criticises and revises its answer by a
drawn principle, round by round, in batches and reproducible by seed.

A prompt's rows are the answer and each revision that is kept. A revision that is empty, cut off or
the same as before is left out, and the next round goes on from the answer before it.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from training.configs.sample.revise import CRITIQUE, PRINCIPLE, ReviseConfig
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, Job, Result, RunFolder, counted
from training.processes.run_lines import shown_prompt
from training.trainer import data
from training.trainer.data import Prompt
from training.trainer.modeling import loading, precision
from training.trainer.sample import generation
from training.trainer.sample.generation import GeneratedResponse
from training.trainer.sample.run import batch_seed

SAME, EMPTY, CUT = "n_same", "n_empty", "n_cut"


class NoPrinciples(AnticipatedFailure):
    """The job has no constitution."""


@dataclass
class _Answer:
    """What there is to a prompt so far."""

    prompt: Prompt
    now: GeneratedResponse
    rows: list[dict[str, Any]] = field(default_factory=list)

    def keep(self, response: GeneratedResponse, sampling: Mapping[str, object]) -> None:
        self.now = response
        row = {
            "prompt_id": self.prompt.prompt_id,
            "text": response.text,
            "number": sampling["round"],
            "is_ended": response.is_ended,
            "sampling": dict(sampling),
            **response.parts(),
        }
        self.rows.append(row)


@dataclass(frozen=True)
class _Writer:
    """Writes answers to conversations, each batch and stage with a seed of its own."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: GenerationConfig
    config: ReviseConfig

    def write(self, prompts: list[Prompt], stage: int) -> list[GeneratedResponse]:
        return generation.responses(
            self.model,
            self.tokenizer,
            prompts,
            self.settings,
            batch_size=self.config.batch_size,
            seed=batch_seed(self.config.seed, prompts) + stage,
        )

    def after(self, answer: _Answer, request: str) -> Prompt:
        """The conversation with the answer so far and then `request`."""
        prompt = answer.prompt
        turns = [*prompt.messages, answer.now.turn(), {"role": "user", "content": request}]
        return Prompt(prompt.prompt_id, turns, data.prompt_ids(self.tokenizer, turns))


def carry_out(job: Job, config: ReviseConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    constitution = job.constitution or {}
    principles = constitution.get("principles", [])
    if not principles:
        raise NoPrinciples("The run has no principles. Choose a guideline that has some.")
    tokenizer = loading.load_tokenizer(job.model, padding_side="left")
    prompts, n_too_long = _read(Path(job.snapshot), tokenizer, config)
    model = loading.load_policy(job.model, tokenizer, precision.dtype(config.dtype)).eval()
    loading.require_length(model, _longest(tokenizer, prompts, config, principles))
    settings = generation.config_for(
        model,
        tokenizer,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
    )
    writer = _Writer(model, tokenizer, settings, config)
    # Every attempt has the same batches, each with its own seed.
    ordered = sorted(prompts, key=lambda prompt: -len(prompt.input_ids))
    batches = data.batches(ordered, config.batch_size)
    done = _resume(folder)
    _tell(folder, prompts, n_too_long, config, len(principles), len(done))
    outcome = "succeeded"
    for step, batch in enumerate(batches, start=1):
        if all(prompt.prompt_id in done for prompt in batch):
            continue
        if folder.is_stop_requested():
            outcome = "stopped"
            break
        answers, left_out = _revised(writer, batch, constitution)
        run_dir.ensure_free_space(folder.path, 0, "writing responses")
        new = [answer for answer in answers if answer.prompt.prompt_id not in done]
        folder.append_lines(run_dir.RESPONSES, [row for answer in new for row in answer.rows])
        _show(folder, step, answers, config)
        n_kept = sum(len(answer.rows) - 1 for answer in answers)
        folder.append_point(
            step,
            len(batches),
            {
                "share_revised": n_kept / max(n_kept + left_out.total(), 1),
                "mean_tokens": sum(len(answer.now.ids) for answer in answers) / len(answers),
            },
        )
    return Result(
        outcome,
        metrics={
            "n_prompts": len(prompts),
            "n_prompts_too_long": n_too_long,
            **_measures(folder, tokenizer),
            "seconds": round(time.monotonic() - started_at, 1),
        },
        responses=run_dir.RESPONSES,
        n_steps=len(batches),
    )


def _revised(
    writer: _Writer, batch: list[Prompt], constitution: Mapping[str, Any]
) -> tuple[list[_Answer], Counter[str]]:
    """(an answer to each prompt with its revisions, how many revisions were left out and why)."""
    config = writer.config
    left_out: Counter[str] = Counter()
    firsts = writer.write(batch, 0)
    answers = [_Answer(prompt, first) for prompt, first in zip(batch, firsts, strict=True)]
    why_not: dict[object, list[str]] = {prompt.prompt_id: [] for prompt in batch}
    for answer in answers:
        answer.keep(answer.now, {**config.sampling, "round": 0})
    for number in range(1, config.n_rounds + 1):
        drawn = [
            draw(constitution["principles"], config.seed, answer.prompt.prompt_id, number)
            for answer in answers
        ]
        requests = [
            writer.after(answer, filled(config.critique_prompt, principle["text"]))
            for answer, principle in zip(answers, drawn, strict=True)
        ]
        critiques = [written.text.strip() for written in writer.write(requests, 2 * number - 1)]
        requests = [
            writer.after(answer, filled(config.revision_prompt, principle["text"], critique))
            for answer, principle, critique in zip(answers, drawn, critiques, strict=True)
        ]
        revisions = writer.write(requests, 2 * number)
        for answer, principle, critique, revision in zip(
            answers, drawn, critiques, revisions, strict=True
        ):
            why = why_left_out(answer.now, revision)
            if why:
                left_out[why] += 1
                why_not[answer.prompt.prompt_id].append(why)
                continue
            lineage = {
                "round": number,
                "principle": principle["name"],
                "guideline": constitution["guideline"],
                "guideline_version": constitution["id"],
                "critique": critique,
            }
            answer.keep(revision, {**config.sampling, **lineage})
    for answer in answers:
        # For a resumed attempt: how many rows are this prompt's, and why others were left out.
        for row in answer.rows:
            row["n_rows"] = len(answer.rows)
            row["left_out"] = why_not[answer.prompt.prompt_id]
    return answers, left_out


def draw(
    principles: Sequence[Mapping[str, str]], seed: int, prompt_id: object, number: int
) -> Mapping[str, str]:
    """The principle of a prompt's round. None comes twice before each has come once."""
    order = random.Random(f"{seed}:{prompt_id}")  # noqa: S311 a draw, not a secret
    shuffled = order.sample(range(len(principles)), len(principles))
    return principles[shuffled[(number - 1) % len(principles)]]


def filled(request: str, principle: str, critique: str = "") -> str:
    """The critique last: what a model wrote is not searched for places to fill in."""
    return critique.join(part.replace(PRINCIPLE, principle) for part in request.split(CRITIQUE))


def why_left_out(before: GeneratedResponse, revision: GeneratedResponse) -> str:
    """The measure that counts it; empty if the revision is kept."""
    if not revision.text.strip():
        return EMPTY
    if not revision.is_ended:
        return CUT
    return SAME if revision.text.split() == before.text.split() else ""


def _measures(folder: RunFolder, tokenizer: PreTrainedTokenizerBase) -> dict[str, float]:
    """Of what all attempts wrote."""
    rows = list(run_dir.read_lines(folder.path / run_dir.RESPONSES))
    by_prompt = [list(part) for _id, part in itertools.groupby(rows, lambda row: row["prompt_id"])]
    left_out = Counter(why for own in by_prompt for why in own[0]["left_out"])
    n_kept = len(rows) - len(by_prompt)
    lengths = [len(tokenizer(own[-1]["text"])["input_ids"]) for own in by_prompt]
    return {
        "n_revised": sum(len(own) > 1 for own in by_prompt),
        "share_revised": n_kept / max(n_kept + left_out.total(), 1),
        "n_responses": len(rows),
        **{name: left_out[name] for name in (SAME, EMPTY, CUT)},
        "mean_tokens": sum(lengths) / max(len(lengths), 1),
    }


def _read(
    snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: ReviseConfig
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


def _longest(
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    config: ReviseConfig,
    principles: Sequence[Mapping[str, str]],
) -> int:
    """Tokens of the longest conversation: a prompt, an answer, the request to revise it with the
    critique, and the revision.
    """
    longest = max(prompts, key=lambda prompt: len(prompt.input_ids))
    requests = (
        filled(words, principle["text"])
        for words in (config.critique_prompt, config.revision_prompt)
        for principle in principles
    )
    asked = {"role": "user", "content": max(requests, key=len)}
    turns = [*longest.messages, {"role": "assistant", "content": "."}, asked]
    return len(data.prompt_ids(tokenizer, turns)) + 3 * config.max_new_tokens


def _resume(folder: RunFolder) -> set[object]:
    """The prompts that an earlier attempt finished. The rows of others are removed from the file,
    and their prompts are answered again.
    """
    path = folder.path / run_dir.RESPONSES
    rows = list(run_dir.read_lines(path)) if path.exists() else []
    counts = Counter(row["prompt_id"] for row in rows)
    done = {row["prompt_id"] for row in rows if counts[row["prompt_id"]] == row["n_rows"]}
    folder.replace_lines(run_dir.RESPONSES, [row for row in rows if row["prompt_id"] in done])
    return done


def _show(folder: RunFolder, step: int, answers: Sequence[_Answer], config: ReviseConfig) -> None:
    """The last revision of each of the first prompts, for the run's page."""
    first = (step - 1) * config.batch_size
    for answer in answers[: max(config.n_shown - first, 0)]:
        folder.append_sample(step, shown_prompt(answer.prompt.messages), answer.now.text, {})


def _tell(
    folder: RunFolder,
    prompts: Sequence[Prompt],
    n_too_long: int,
    config: ReviseConfig,
    n_principles: int,
    n_done: int,
) -> None:
    note = (
        f"{counted(len(prompts), 'prompt')}, {counted(config.n_rounds, 'round')} by"
        f" {counted(n_principles, 'principle')}."
    )
    if n_too_long:
        note += (
            f" {counted(n_too_long, 'prompt')} dropped: longer than {config.max_prompt_tokens}"
            " tokens."
        )
    if n_done:
        note += f" Resumed: {n_done} were already done."
    folder.append_note(note)
