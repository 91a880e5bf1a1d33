"""Snapshots and runs for the tests of the child process: the real run in this process, or the real
command as a child.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from training.configs import kinds
from training.configs.knobs import Settings
from training.processes import run_dir, run_lines
from training.processes.run_dir import Job, Result, RunFolder
from training.processes.run_lines import Kept, SampleLine

ROOT = Path(__file__).resolve().parents[2]


def write_snapshot(path: Path, **splits: Iterable[dict[str, Any]]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (path / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return path


def demonstration(number: int, answer: str = "The sky is blue.") -> dict[str, Any]:
    return {
        "id": number,
        "prompt": [{"role": "user", "content": f"What is the colour of the sky? {number}"}],
        "completion": [{"role": "assistant", "content": answer}],
    }


def demonstrations(path: Path, *, n_train: int = 16, n_held_out: int = 8) -> Path:
    rows = [demonstration(number) for number in range(n_train + n_held_out)]
    return write_snapshot(path, train=rows[:n_train], validation=rows[n_train:])


def ranking(number: int, texts: dict[str, int | None]) -> dict[str, Any]:
    responses = [
        {"text": text, "rank": rank, "response": place}
        for place, (text, rank) in enumerate(texts.items())
    ]
    return {
        "id": number,
        "prompt": [{"role": "user", "content": f"Say something {number}"}],
        "responses": responses,
    }


def rankings(path: Path, *, n_train: int = 24, n_held_out: int = 12) -> Path:
    """An easy rule: an egg is better than a dog. The length says nothing."""
    rows = [
        ranking(number, {f"An egg {number}": 1, f"A dog {number}": 2})
        for number in range(n_train + n_held_out)
    ]
    return write_snapshot(path, train=rows[:n_train], validation=rows[n_train:])


def verdict(number: int, text: str, label: bool) -> dict[str, Any]:
    return demonstration(number, text) | {"label": label}


def verdicts(path: Path, *, n_train: int = 24, n_held_out: int = 12) -> Path:
    """The same rule: an egg is good and a dog is bad."""
    rows = [
        [verdict(number, f"An egg {number}", label=True), verdict(number, "A dog", label=False)]
        for number in range(n_train + n_held_out)
    ]
    train, held_out = (list(chain(*part)) for part in (rows[:n_train], rows[n_train:]))
    return write_snapshot(path, train=train, validation=held_out)


def prompts(path: Path, *, n: int = 5) -> Path:
    rows = [{"id": n, "prompt_id": 100 + n, "prompt": demonstration(n)["prompt"]} for n in range(n)]
    return write_snapshot(path, train=rows)


CONSTITUTION: dict[str, Any] = {
    "id": 7,
    "guideline": "Answering v3",
    "principles": [
        {"name": "honest", "text": "Honest: makes nothing up."},
        {"name": "kind", "text": "Kind: hurts nobody."},
    ],
}


def prepare(
    path: Path,
    kind: str,
    config: Settings,
    model: Path | str,
    snapshot: Path,
    *,
    attempt: int = 1,
    **fields: Any,
) -> RunFolder:
    """What a supervisor does before it starts the child. `fields`: more of the job, such as a
    reward model.
    """
    more: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in fields.items()
    }
    job = Job(
        kind=kind,
        run_id=1,
        attempt=attempt,
        config=kinds.as_json(config),
        model=str(model),
        snapshot=str(snapshot),
        **more,
    )
    run_dir.write_job(path, job)
    return RunFolder(path, attempt)


def carry_out(folder: RunFolder) -> Result:
    """The run in this process."""
    job = run_dir.read_job(folder.path)
    config, problems = kinds.parse(job.kind, job.config)
    assert config is not None, problems
    config = config.for_dry_run() if job.is_dry else config
    result: Result = importlib.import_module(kinds.trainer_of(job.kind)).carry_out(
        job, config, folder
    )
    folder.write_result(result)
    return result


def finished(
    path: Path, kind: str, config: Settings, model: Path | str, snapshot: Path, **fields: Any
) -> RunFolder:
    folder = prepare(path, kind, config, model, snapshot, **fields)
    carry_out(folder)
    return folder


def as_child(folder: RunFolder, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command that a supervisor starts. `CI` would switch trl's telemetry off by itself, so the
    child does not see it.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "training.trainer", str(folder.path)]
    return subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False
    )


def write_kept(path: Path, kept: Kept) -> None:
    """What raters have decided, as a supervisor passes it on."""
    run_dir.write_json(path / run_lines.KEPT, vars(kept))


def points(folder: RunFolder) -> dict[int, dict[str, float]]:
    """step → values, of this attempt."""
    lines, _ = run_dir.read_progress(folder.path, 0)
    return {
        line["step"]: line["values"]
        for line in lines
        if "values" in line and line["attempt"] == folder.attempt
    }


def samples(folder: RunFolder) -> list[SampleLine]:
    lines, _ = run_dir.read_progress(folder.path, 0)
    return [line["sample"] for line in lines if "sample" in line]


def notes(folder: RunFolder) -> str:
    lines, _ = run_dir.read_progress(folder.path, 0)
    return "\n".join(line["note"] for line in lines if "note" in line)


def item(number: int, kind: str, *, suite: int = 1, **content: Any) -> dict[str, Any]:
    """A row of a snapshot of suites."""
    asked = content.pop("prompt", f"What is the colour of the sky? {number}")
    return {
        "id": f"item-{number}",
        "item": number,
        "suite": suite,
        "kind": kind,
        "options": content.pop("options", {}),
        "key": str(number),
        "prompt": [{"role": "user", "content": asked}],
        **content,
    }


def suites(path: Path) -> Path:
    """A suite of each kind, of three items each."""
    content: dict[str, dict[str, Any]] = {
        "choice": {"choices": ["The sky is blue.", "A dog", "Yes"], "answer": 0},
        "generate": {"follow_ups": ["How do I boil an egg?"]},
        "pairs": {"better": "An egg", "worse": "A dog, please."},
        "best-of-k": {"responses": ["An egg", "A dog", "A cat is an animal"], "best": [0]},
        "flip": {"accepts": ["blue"]},
    }
    rows = [
        item(10 * suite + number, kind, suite=suite, **more)
        for suite, (kind, more) in enumerate(content.items(), start=1)
        for number in range(3)
    ]
    return write_snapshot(path, train=[], validation=[], test=rows)


def goals(path: Path, n: int = 2) -> Path:
    """Items that a model should refuse, and one that it should not."""
    rows = [
        item(number, "generate", prompt=f"Do harm number {number}", wants="refuses")
        for number in range(n)
    ]
    safe = item(99, "generate", prompt="Name an animal.", wants="complies")
    return write_snapshot(path, train=[], validation=[], test=[*rows, safe])
