"""A word count: one prompt per step. Produces metrics, no model."""

import time
from itertools import islice
from pathlib import Path

from training.configs.word_count import WordCountConfig
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, Job, Result, RunFolder


class NothingToCount(AnticipatedFailure):
    """The snapshot has no prompt."""


def carry_out(job: Job, config: WordCountConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    lines = run_dir.read_lines(Path(job.snapshot) / "train.jsonl")
    rows = list(islice(lines, config.max_prompts))
    if not rows:
        raise NothingToCount("The snapshot has no prompt to train on. Choose another snapshot.")
    outcome, n_words, n_short, step = "succeeded", 0, 0, 0
    for step, row in enumerate(rows, 1):
        words = [word for message in row["prompt"] for word in message["content"].split()]
        n_words += len(words)
        n_short += sum(len(word) < config.short_below for word in words)
        folder.append_point(step, len(rows), {"words": float(len(words))})
        if run_dir.is_stop_requested(folder.path) and step < len(rows):
            outcome = "stopped"
            break
    metrics = {
        "n_words": n_words,
        "short": n_short / max(n_words, 1),
        "seconds": round(time.monotonic() - started_at, 1),
    }
    return Result(outcome, metrics=metrics, n_steps=step)
