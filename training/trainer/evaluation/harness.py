"""Suites that are tasks of lm-evaluation-harness. Each is answered by a process of its own
(`harness_process`), whose samples become the rows of answers.jsonl.
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.configs.evaluation.benchmark import BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, Job, RunFolder
from training.processes.run_lines import AnswerLine
from training.trainer import parallel
from training.trainer.evaluation import items
from training.trainer.evaluation.items import Item
from training.trainer.modeling import loading, precision

_MODULE = "training.trainer.evaluation.harness_process"
_JOB, _PROGRESS, _SAMPLES, _LOG = "job.json", "progress", "samples.jsonl", "log.txt"
_POLL_S = 0.5
_LOG_SHOWN = 20_000
_ERROR_LENGTH = 240
_OF_LAUNCHER = ("RANK", "LOCAL_", "GROUP_", "ROLE_", "WORLD_SIZE", "MASTER_", "TORCHELASTIC_")
_OF_ACCELERATE = ("ACCELERATE_", "FSDP_")


class UnableToRunTask(AnticipatedFailure):
    """The harness is missing, or none of its tasks gave an answer."""


@dataclass(frozen=True)
class Answers:
    """The rows of a suite, and what the first samples read: (prompt, response)."""

    rows: list[AnswerLine]
    shown: list[tuple[str, str]]
    error: str = ""
    """why the task failed; every row then lacks an answer"""


def require_installed() -> None:
    if importlib.util.find_spec("lm_eval") is None:
        raise UnableToRunTask(
            "A chosen suite is a task of lm-evaluation-harness, which this node does not have."
            " Install preferably[eval] there (pip install '.[train,eval]'), then start the run"
            " again."
        )


class HarnessRun:
    """The process that answers the items of one suite. Leaving it kills the process and removes
    its files.
    """

    def __init__(
        self, suite: Sequence[Item], job: Job, config: BenchmarkConfig, folder: RunFolder
    ) -> None:
        self.suite = suite
        name = f"{run_dir.TEMPORARY}{folder.attempt}-lm-eval-{suite[0].suite}"
        self.path = folder.path / name
        _write_inputs(self.path, suite, job, config)
        self._undo = ExitStack()
        self._undo.callback(run_dir.remove, self.path)
        with (self.path / _LOG).open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", _MODULE, str(self.path)],
                cwd=_root(),
                env=_environment(self.path),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._undo.callback(self._kill)

    def __enter__(self) -> "HarnessRun":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._undo.close()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def share_done(self) -> float:
        try:
            done, total = (self.path / _PROGRESS).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return 0.0
        return int(done) / max(int(total), 1)

    def answers(self) -> Answers:
        """Once it has ended. Its log becomes part of the run's."""
        log = (self.path / _LOG).read_text(encoding="utf-8", errors="replace")
        sys.stderr.write(log[-_LOG_SHOWN:])
        if self.process.returncode:
            return _failed(self.suite, _last_line(log) or f"exit code {self.process.returncode}")
        return _answers(self.suite, list(run_dir.read_lines(self.path / _SAMPLES)))

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait()


def finished(
    own: HarnessRun | None, folder: RunFolder, on_progress: Callable[[float], None]
) -> bool:
    """Waits until the tasks of all processes have ended; False if the run is to stop. Collective:
    a process without a task waits along, so that none waits too long for a message of another.
    """
    while any(parallel.gathered({folder.rank: own is not None and own.is_running})):
        if folder.is_stop_requested():
            return False
        on_progress(own.share_done if own is not None else 0.0)
        time.sleep(_POLL_S)
    return True


def _write_inputs(path: Path, suite: Sequence[Item], job: Job, config: BenchmarkConfig) -> None:
    options = suite[0].row["options"]
    run_dir.remove(path)
    path.mkdir()
    _write_rows(path / "test.jsonl", [item.row["row"] for item in suite])
    if options.get("fewshot"):
        _write_rows(path / "fewshot.jsonl", options["fewshot"])
    asked = {
        "task": options["task"],
        "model": job.model,
        "dtype": str(precision.dtype(config.dtype)).removeprefix("torch."),
        "device": _device(),
        "batch_size": config.batch_size,
        "chat_template": bool(options.get("chat_template")),
    }
    run_dir.write_json(path / _JOB, asked)


def _write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    run_dir.write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows))


def _device() -> str:
    on_gpu = loading.device().type == "cuda"
    return f"cuda:{torch.cuda.current_device()}" if on_gpu else "cpu"


def _environment(path: Path) -> dict[str, str]:
    """Without what would make the harness one of several processes; nothing is fetched, and what
    it caches goes with the folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((*_OF_LAUNCHER, *_OF_ACCELERATE))
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_EVALUATE_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(path / "cache"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }


def _root() -> Path:
    """The folder that has the package `training`."""
    return Path(__file__).resolve().parents[3]


def _last_line(log: str) -> str:
    """The error of a traceback, without what Python adds below it."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:_ERROR_LENGTH] if lines else ""


def _failed(suite: Sequence[Item], error: str) -> Answers:
    missing = f"lm-evaluation-harness failed: {error}"
    return Answers([items.answer(item, missing=missing) for item in suite], [], error)


def _answers(suite: Sequence[Item], samples: Sequence[Mapping[str, Any]]) -> Answers:
    """A sample is of an item and a filter; those of the first filter come first."""
    by_item: dict[int, list[Mapping[str, Any]]] = {}
    for sample in samples:
        by_item.setdefault(sample["doc_id"], []).append(sample)
    rows = [_row(item, by_item.get(place, [])) for place, item in enumerate(suite)]
    firsts = [by_item[place][0] for place in sorted(by_item)]
    return Answers(
        rows, [(str(document["arguments"][0][0]), _text(document)) for document in firsts]
    )


def _row(item: Item, samples: Sequence[Mapping[str, object]]) -> AnswerLine:
    if not samples:
        return items.answer(item, missing="lm-evaluation-harness gave no sample of this item.")
    first = samples[0]
    metrics = _metrics(first)
    for sample in samples if len(samples) > 1 else ():
        metrics |= {f"{name},{sample['filter']}": value for name, value in _metrics(sample).items()}
    values = {
        "metrics": metrics,
        "target": first["target"],
        "responses": first["filtered_resps"],
    }
    return items.answer(item, text=_text(first), values=values)


def _metrics(sample: Mapping[str, Any]) -> dict[str, float]:
    """Those that are numbers: others are computed from all items together."""
    metrics = {name: sample[name] for name in sample["metrics"]}
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _text(sample: Mapping[str, Any]) -> str:
    """What the model wrote, or the choice it finds most likely."""
    responses = [response[0] for response in sample["resps"]]
    if isinstance(responses[0], str):
        return str(responses[0])
    likelihoods = [float(likelihood) for likelihood, _is_greedy in responses]
    best = likelihoods.index(max(likelihoods))
    return str(sample["arguments"][best][1]).strip()
