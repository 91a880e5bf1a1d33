"""Responses of a model on another server, through its OpenAI-compatible address: K to each prompt
of a snapshot.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2

from pages import plain_text
from training.configs.sample import SampleConfig
from training.processes import completions, run_dir
from training.processes.completions import Sampling, Server
from training.processes.run_dir import AnticipatedFailure, Job, Result, RunFolder, counted
from training.trainer import data
from training.trainer.reward import scoring
from training.trainer.reward.scoring import TextJudge

CHARACTERS_PER_TOKEN = 4
"""Whose tokenizer it is, is not known here: only by this rule of thumb is a prompt too long."""
MAX_AT_ONCE = 16
N_TRIES = 5
FIRST_RETRY_DELAY_S = 0.5
LARGEST_SEED = 2**31


class UnableToSample(AnticipatedFailure):
    """The server does not answer."""


def carry_out(
    job: Job, config: SampleConfig, folder: RunFolder, done: set[Any], judge: TextJudge | None
) -> Result:
    """`done`: the prompts that an earlier attempt has finished. `judge`: a reward model that scores
    each response.
    """
    started_at = time.monotonic()
    server = server_of(job)
    fitting, n_too_long = _prompts(Path(job.snapshot), config)
    size = max(min(config.batch_size, MAX_AT_ONCE) // config.n_responses, 1)
    batches = [fitting[start : start + size] for start in range(0, len(fitting), size)]
    folder.append_note(
        f"{counted(len(fitting), 'prompt')}, {counted(config.n_responses, 'response')} to each, "
        f"written by {server.name} at {server.url}."
    )
    if n_too_long:
        folder.append_note(
            f"{counted(n_too_long, 'prompt')} left out: longer than about"
            f" {config.max_prompt_tokens} tokens."
        )
    outcome, n_written, n_shown = "succeeded", 0, 0
    with completions.client() as client, ThreadPoolExecutor(MAX_AT_ONCE) as pool:
        for step, batch in enumerate(batches, start=1):
            if run_dir.is_stop_requested(folder.path):
                outcome = "stopped"
                break
            asked = [
                (row, number)
                for row in batch
                if row["prompt_id"] not in done
                for number in range(config.n_responses)
            ]
            rows = list(
                pool.map(lambda one: _answer(client, server, one[0], one[1], config), asked)
            )
            if judge is not None:
                messages = {row["prompt_id"]: row["prompt"] for row in batch}
                rows = judge.scored(rows, messages, batch_size=config.batch_size)
            run_dir.ensure_free_space(folder.path, 0, "writing responses")
            folder.append_lines(run_dir.RESPONSES, rows)
            n_written += len(rows)
            pace = {"responses_per_s": n_written / max(time.monotonic() - started_at, 1e-9)}
            folder.append_point(step, len(batches), pace | scoring.mean_rewards(rows))
            for (prompt, number), row in zip(asked, rows, strict=True):
                if number == 0 and n_shown < config.n_shown:
                    n_shown += 1
                    folder.append_sample(
                        step, data.shown(prompt["prompt"]), row["text"], scoring.shown(row)
                    )
    texts = [row["text"] for row in _written(folder)]
    metrics = {
        "n_prompts": len(fitting),
        "n_prompts_too_long": n_too_long,
        "n_responses": len(texts),
        "n_empty": sum(not text.strip() for text in texts),
        **scoring.mean_rewards(_written(folder)),
        "seconds": round(time.monotonic() - started_at, 1),
    }
    return Result(outcome, metrics=metrics, responses=run_dir.RESPONSES, n_steps=len(batches))


def server_of(job: Job) -> Server:
    """Raises UnableToSample where its key is not set on this node."""
    assert job.endpoint is not None
    url, name, variable = job.endpoint
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise UnableToSample(
            f"{variable} is not set on this node. Set it to the endpoint's key, start the node"
            " anew, and retry."
        )
    return Server(url, name, key)


def _prompts(snapshot: Path, config: SampleConfig) -> tuple[list[data.Row], int]:
    found = data.all_rows(snapshot, "prompt_id")
    longest = config.max_prompt_tokens * CHARACTERS_PER_TOKEN
    fitting = [
        row for row in found if sum(len(message["content"]) for message in row["prompt"]) <= longest
    ]
    if not fitting:
        raise data.UnableToRead(
            f"Every prompt is longer than about {config.max_prompt_tokens} tokens. Raise the"
            " longest prompt."
        )
    return data.spread(fitting, config.max_prompts), len(found) - len(fitting)


def _answer(
    client: httpx2.Client, server: Server, row: data.Row, number: int, config: SampleConfig
) -> dict[str, Any]:
    """A row of responses.jsonl. Each response has its own seed: for the same seed, a server returns
    the same response.
    """
    named = f"{config.seed}:{row['prompt_id']}:{number}"
    seed = int.from_bytes(hashlib.sha256(named.encode()).digest()[:4], "big") % LARGEST_SEED
    sampling = Sampling(config.temperature, config.top_p, config.max_new_tokens, seed)
    piece = _patiently(client, server, row["prompt"], sampling)
    text = plain_text.storable(piece.text)
    return {
        "prompt_id": row["prompt_id"],
        "text": text,
        "number": number,
        "is_ended": piece.is_ended,
        "sampling": sampling.as_json(),
    }


def _patiently(
    client: httpx2.Client,
    server: Server,
    messages: Sequence[completions.Message],
    sampling: Sampling,
) -> completions.Piece:
    """Asks a busy server again, with growing pauses."""
    pause_s = FIRST_RETRY_DELAY_S
    for n_left in reversed(range(N_TRIES)):
        try:
            return completions.complete(client, server, messages, sampling)
        except completions.CompletionFailed as problem:
            if not n_left:
                raise UnableToSample(
                    f"{problem} Retry when it does: what it has written so far is kept."
                ) from problem
            time.sleep(pause_s)
            pause_s *= 2
    raise AssertionError


def _written(folder: RunFolder) -> Iterator[dict[str, Any]]:
    path = folder.path / run_dir.RESPONSES
    if path.exists():
        yield from run_dir.read_lines(path)
