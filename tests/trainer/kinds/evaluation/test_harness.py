"""Tasks of lm-evaluation-harness as suites: without any connection, they give what the harness's
own command gives.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml
from lm_eval import filters
from lm_eval.api import metrics, registry, samplers
from lm_eval.config.task import FewshotConfig, TaskConfig

from tests.trainer import runs
from training.benchmarks.suites.formats import lm_eval_task
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.evaluation import harness

pytestmark = pytest.mark.slow
# One test process runs the harness's command.
BESIDE_THE_HARNESS = pytest.mark.xdist_group("the harness's command")

COMMAND = """
import functools
import lm_eval.__main__
import lm_eval.tasks
lm_eval.tasks.TaskManager = functools.partial(lm_eval.tasks.TaskManager, include_defaults=False)
lm_eval.__main__.cli_evaluate()
"""
"""`lm_eval`, but it does not first read the 14,000 tasks that it has of its own."""
QUICK = BenchmarkConfig(max_new_tokens=6, batch_size=4, dtype="float32", n_shown=2)
CHOICE_TASK = """
task: sky_choice
dataset_path: json
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{ question }}\\nAnswer:"
doc_to_choice: "{{ choices }}"
doc_to_target: answer
num_fewshot: 2
fewshot_split: test
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
  - metric: f1
    aggregation: f1
    higher_is_better: true
"""
WRITTEN_TASK = """
task: sky_written
dataset_path: json
test_split: test
output_type: generate_until
doc_to_text: "{{ question }}"
doc_to_target: "{{ starts }}"
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 8}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
filter_list:
  - {name: whole, filter: [{function: take_first}]}
  - name: first-letter
    filter: [{function: regex, regex_pattern: "(.)"}, {function: take_first}]
"""
CHOICES = ["blue", "green as grass", "a dog and a cat", "seven minutes"]
ROWS = [
    {
        "question": f"What is the colour of the sky? {number}",
        "choices": CHOICES[: 2 + number % 3],
        "answer": number % 2,
        "starts": "abcdefghijklmnopqrst"[number],
    }
    for number in range(20)
]


@pytest.fixture
def no_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process started here can open a socket."""
    folder = tmp_path / "site"
    folder.mkdir()
    code = "import pytest_socket\npytest_socket.disable_socket(allow_unix_socket=True)\n"
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def snapshot(path: Path, task: str, **options: Any) -> Path:
    rows = [
        runs.item(number, "lm-eval", row=row, options={"task": task, **options}) | {"prompt": []}
        for number, row in enumerate(ROWS)
    ]
    return runs.write_snapshot(path, train=[], validation=[], test=rows)


def rows_of(folder: RunFolder) -> list[dict[str, Any]]:
    found = run_dir.read_lines(folder.path / run_dir.ANSWERS)
    return sorted(found, key=lambda row: int(row["item"]))


@pytest.fixture(scope="module")
def harness_says(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Task → its results by one command `lm_eval run` for both."""
    path = tmp_path_factory.mktemp("harness")
    data = path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    for task in (CHOICE_TASK, WRITTEN_TASK):
        config = yaml.safe_load(task)
        # Its command computes an error for F1 from 100,000 resamples, which takes minutes.
        config["metric_list"] = [one for one in config["metric_list"] if one["metric"] != "f1"]
        config["dataset_kwargs"] = {"data_files": {"test": str(data)}}
        (path / f"{config['task']}.yaml").write_text(yaml.safe_dump(config))
    options: dict[str, object] = {
        "model": "hf",
        "model_args": f"pretrained={tiny_model},dtype=float32",
        "tasks": "sky_choice,sky_written",
        "include_path": path,
        "output_path": path / "out.json",
        "batch_size": 4,
        "device": "cpu",
    }
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_DATASETS_CACHE": str(path)}
    subprocess.run(
        [sys.executable, "-c", COMMAND, "run", *given],
        env=os.environ | offline,
        check=True,
        capture_output=True,
    )
    (found,) = path.glob("out_*.json")
    results: dict[str, dict[str, Any]] = json.loads(found.read_text())["results"]
    return results


@BESIDE_THE_HARNESS
@pytest.mark.usefixtures("no_connections")
def test_multiple_choice_scores_what_the_harness_itself_scores(
    run_folder: Path,
    tiny_model: Path,
    tmp_path: Path,
    harness_says: dict[str, dict[str, Any]],
) -> None:
    suites = snapshot(tmp_path / "suites", CHOICE_TASK)
    folder = runs.finished(run_folder, "benchmark", QUICK, tiny_model, suites)

    found = rows_of(folder)
    says = harness_says["sky_choice"]
    assert [row["item"] for row in found] == list(range(20))
    for metric in ("acc", "acc_norm"):
        assert fmean(row["values"]["metrics"][metric] for row in found) == says[f"{metric},none"]
    assert 0 < says["acc,none"] < 1
    assert {row["text"] for row in found} <= set(CHOICES)
    assert "f1" not in found[0]["values"]["metrics"]
    assert [row["values"]["target"] for row in found] == [row["answer"] for row in ROWS]
    assert not list(run_folder.glob(".tmp-*"))


@BESIDE_THE_HARNESS
@pytest.mark.usefixtures("no_connections")
def test_written_answers_are_scored_by_every_filter(
    run_folder: Path,
    tiny_model: Path,
    tmp_path: Path,
    harness_says: dict[str, dict[str, Any]],
) -> None:
    suites = snapshot(tmp_path / "suites", WRITTEN_TASK)
    folder = runs.finished(run_folder, "benchmark", QUICK, tiny_model, suites)

    found = rows_of(folder)
    says = harness_says["sky_written"]
    metrics = [row["values"]["metrics"] for row in found]
    for name in ("exact_match,whole", "exact_match,first-letter"):
        assert fmean(one[name] for one in metrics) == says[name]
    assert [one["exact_match"] for one in metrics] == [one["exact_match,whole"] for one in metrics]
    assert len({row["text"] for row in found}) > 1
    shown = runs.samples(folder)
    assert [one["prompt"] for one in shown] == [row["question"] for row in ROWS[:2]]


@pytest.mark.usefixtures("no_connections")
def test_a_task_that_fails_says_why(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    task = WRITTEN_TASK.replace('"{{ question }}"', "\"{{ ''.__class__.__mro__ }}\"")
    folder = runs.prepare(
        run_folder, "benchmark", QUICK, tiny_model, snapshot(tmp_path / "suites", task)
    )
    with pytest.raises(harness.UnableToRunTask, match="SecurityError"):
        runs.carry_out(folder)
    assert not (run_folder / run_dir.ANSWERS).exists() or not rows_of(folder)


@pytest.mark.usefixtures("no_connections")
def test_a_task_that_fails_beside_another_suite_leaves_its_items_without_an_answer(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    task = WRITTEN_TASK.replace('"{{ question }}"', '"{{ nothing }}"')
    rows = [
        runs.item(1, "choice", choices=["Yes", "No"], answer=0),
        runs.item(2, "lm-eval", suite=2, row=ROWS[0], options={"task": task}),
    ]
    suites = runs.write_snapshot(tmp_path / "suites", train=[], validation=[], test=rows)
    folder = runs.finished(run_folder, "benchmark", QUICK, tiny_model, suites)
    answered, missing = rows_of(folder)
    assert answered["missing"] == ""
    assert missing["missing"].startswith("lm-evaluation-harness failed: ")
    assert "'nothing' is undefined" in missing["missing"]
    result = run_dir.read_result(run_folder)
    assert (result.metrics["n_items"], result.metrics["n_missing"]) == (2, 1)


def test_a_stopped_run_kills_the_task(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    suites = snapshot(tmp_path / "suites", WRITTEN_TASK)
    folder = runs.prepare(run_folder, "benchmark", QUICK, tiny_model, suites)
    run_dir.request_stop(run_folder)
    assert runs.carry_out(folder).outcome == "stopped"
    assert not list(run_folder.glob(".tmp-*"))


def test_a_node_without_the_harness_says_what_to_install(
    run_folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    suites = snapshot(tmp_path / "suites", CHOICE_TASK)
    folder = runs.prepare(run_folder, "benchmark", QUICK, tiny_model, suites)
    with pytest.raises(harness.UnableToRunTask, match=r"preferably\[eval\]"):
        runs.carry_out(folder)


def test_what_a_task_may_name_is_there_in_the_harness() -> None:
    assert {filters, metrics}  # their import fills the registries
    known = {*lm_eval_task.PER_ITEM, *lm_eval_task.OVER_ALL}
    assert known <= {*registry.metric_registry}
    assert {*lm_eval_task.FILTERS} <= {*registry.filter_registry}
    assert {*lm_eval_task.SAMPLERS} <= {*samplers.SAMPLER_REGISTRY}
    assert {*lm_eval_task.FIELDS} <= {*TaskConfig.__dataclass_fields__}
    assert {*lm_eval_task.IN_FEWSHOT} <= {*FewshotConfig.__dataclass_fields__}
    for output, usual in lm_eval_task.USUAL_METRICS.items():
        assert {*usual} <= {*registry.DEFAULT_METRIC_REGISTRY[output]}
