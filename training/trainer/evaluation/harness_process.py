"""One task of lm-evaluation-harness: python -m training.trainer.evaluation.harness_process FOLDER

A process of its own, started by `harness`: no setting of the harness outlives it, and it can be
killed. Reads job.json and the data files of FOLDER; writes progress, samples.jsonl and last
results.json there.
"""

import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lm_eval.models.huggingface
import lm_eval.utils
import yaml
from jinja2 import BaseLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager
from tqdm import tqdm

from training.processes import linux, run_dir

JOB, PROGRESS, SAMPLES, RESULTS = "job.json", "progress", "samples.jsonl", "results.json"
TEST, FEWSHOT = "test", "fewshot"
"""The splits of the data, whatever the task calls them."""
_SPLITS = ("training_split", "validation_split", "test_split", "fewshot_split")
_EVERY_S = 1.0


def main(folder: Path) -> int:
    linux.die_with_parent(signal.SIGKILL)
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    _sandbox_templates()
    _Progress.path = folder / PROGRESS
    lm_eval.models.huggingface.tqdm = _Progress
    task = ConfigurableTask(config=config_of(job["task"], folder))
    results: Any = simple_evaluate(
        model="hf",
        model_args={"pretrained": job["model"], "dtype": job["dtype"]},
        tasks=[task],
        batch_size=job["batch_size"],
        device=job["device"],
        apply_chat_template=job["chat_template"],
        task_manager=TaskManager(include_defaults=False),
        bootstrap_iters=0,
    )
    samples = next(iter(results.pop("samples").values()))
    _write(folder / SAMPLES, samples)
    run_dir.write_atomically(folder / RESULTS, json.dumps(results["results"], default=_plain))
    return 0


def config_of(text: str, folder: Path) -> dict[str, object]:
    """The task with the data of the folder. Its YAML is read as data only: a tag such as !function
    is an error, and nothing is included.
    """
    config: dict[str, Any] = yaml.safe_load(text)
    fewshot = config.get("fewshot_config") or {}
    # An item is no example for itself: the harness sees to that where both splits have one name.
    of_examples = FEWSHOT if (folder / f"{FEWSHOT}.jsonl").exists() else TEST
    files = {split: str(folder / f"{split}.jsonl") for split in {TEST, of_examples}}
    kept = {name: value for name, value in config.items() if name not in _SPLITS}
    kept |= {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "test_split": TEST,
        "fewshot_config": {name: fewshot[name] for name in fewshot if name != "split"},
    }
    kept.pop("dataset_name", None)
    if "samples" not in fewshot:
        kept["fewshot_split"] = of_examples
    return kept


def _sandbox_templates() -> None:
    """The harness lets a template reach any attribute of Python's objects, and so run programs."""
    sandboxed = SandboxedEnvironment(
        loader=BaseLoader(), undefined=StrictUndefined, keep_trailing_newline=True
    )
    sandboxed.filters["regex_replace"] = lm_eval.utils.regex_replace
    lm_eval.utils.env = sandboxed


class _Progress(tqdm):
    """The harness's progress bar, which writes “done of total” to a file instead."""

    path: Path
    written_at = 0.0

    def __init__(self, *arguments: object, **options: Any) -> None:
        super().__init__(*arguments, **options | {"disable": True})
        self.n_total, self.n_done = options.get("total") or 0, 0

    def update(self, n: float | None = 1) -> bool | None:
        self.n_done += int(n or 0)
        if time.monotonic() - self.written_at >= _EVERY_S:
            self.written_at = time.monotonic()
            run_dir.write_atomically(self.path, f"{self.n_done} {self.n_total}")
        return None


def _write(path: Path, samples: list[Mapping[str, object]]) -> None:
    lines = [json.dumps(sample, default=_plain) + "\n" for sample in samples]
    run_dir.write_atomically(path, "".join(lines))


def _plain(value: object) -> object:
    """A number of numpy as one of Python; anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
