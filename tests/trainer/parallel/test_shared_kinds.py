"""Kinds that several processes share row by row (gloo on CPU): what they write and measure is that
of one process.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from tests.trainer.parallel.launched import launched
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.launch import Launch
from training.processes.run_dir import RunFolder

pytestmark = pytest.mark.slow

TWO = Launch(n_processes=2)
SAMPLE = SampleConfig(
    n_responses=2, max_new_tokens=8, batch_size=4, max_prompt_tokens=64, dtype="float32"
)
EVALUATE = EvaluateConfig(
    max_tokens=96, max_new_tokens=8, batch_size=2, dtype="float32", split="all"
)
BENCHMARK = BenchmarkConfig(max_new_tokens=6, batch_size=2, dtype="float32")
TIMED = (
    "seconds",
    "peak_memory_gb",
    "tokens_per_s",
    "responses_per_s",
    "items_per_s",
    "shape",
)


def test_two_processes_sample_the_responses_of_one_in_the_same_order(
    tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder
) -> None:
    model, judge = taught_run.path / "model", judging_run.path / "model"
    snapshot = runs.prompts(tmp_path / "snapshot", n=9)
    alone = runs.finished(tmp_path / "alone", "sample", SAMPLE, model, snapshot, reward_model=judge)
    shared = runs.prepare(
        tmp_path / "shared", "sample", SAMPLE, model, snapshot, reward_model=judge
    )

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert responses(shared) == responses(alone)
    assert measured(shared) == measured(alone)


def test_two_processes_answer_only_what_an_earlier_attempt_has_not(
    tmp_path: Path, taught_run: RunFolder
) -> None:
    model = taught_run.path / "model"
    snapshot = runs.prompts(tmp_path / "snapshot", n=9)
    alone = runs.finished(tmp_path / "alone", "sample", SAMPLE, model, snapshot)
    shared = runs.prepare(tmp_path / "shared", "sample", SAMPLE, model, snapshot)
    shared.append_lines(run_dir.RESPONSES, responses(alone)[:7])

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert sorted(map(str, responses(shared))) == sorted(map(str, responses(alone)))
    assert "Resumed: 3 were already done" in runs.notes(shared)


def test_two_processes_answer_the_items_of_suites_as_one_does_and_go_on_where_it_was(
    tmp_path: Path, taught_run: RunFolder
) -> None:
    model, snapshot = taught_run.path / "model", runs.suites(tmp_path / "suites")
    alone = runs.finished(tmp_path / "alone", "benchmark", BENCHMARK, model, snapshot)
    shared = runs.prepare(tmp_path / "shared", "benchmark", BENCHMARK, model, snapshot)
    answers = list(run_dir.read_lines(alone.path / run_dir.ANSWERS))
    shared.append_lines(run_dir.ANSWERS, answers[:3])

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert list(run_dir.read_lines(shared.path / run_dir.ANSWERS)) == answers
    assert measured(shared) == measured(alone)
    assert "Resumed: 3 were already done" in runs.notes(shared)


def test_two_processes_run_a_task_of_the_harness_each(tmp_path: Path, tiny_model: Path) -> None:
    task = (
        "task: sky\ndataset_path: json\ntest_split: test\noutput_type: multiple_choice\n"
        "doc_to_text: '{{ q }}'\ndoc_to_choice: [blue, green]\ndoc_to_target: a\n"
    )
    rows = [
        runs.item(number, "lm-eval", suite=number % 2, row={"q": str(number), "a": 1})
        | {"prompt": [], "options": {"task": task}}
        for number in range(6)
    ]
    snapshot = runs.write_snapshot(tmp_path / "suites", train=[], validation=[], test=rows)
    alone = runs.finished(tmp_path / "alone", "benchmark", BENCHMARK, tiny_model, snapshot)
    shared = runs.prepare(tmp_path / "shared", "benchmark", BENCHMARK, tiny_model, snapshot)

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    answers = list(run_dir.read_lines(alone.path / run_dir.ANSWERS))
    assert [row["item"] for row in answers] == [0, 2, 4, 1, 3, 5]
    assert list(run_dir.read_lines(shared.path / run_dir.ANSWERS)) == answers
    assert measured(shared) == measured(alone)


@pytest.mark.parametrize("on", ["demonstrations", "comparisons"])
def test_two_processes_measure_what_one_does(
    on: str, tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder, tiny_model: Path
) -> None:
    model = taught_run.path / "model"
    beside: dict[str, Any] = {"reward_model": judging_run.path / "model", "other_model": tiny_model}
    make = runs.demonstrations if on == "demonstrations" else runs.rankings
    snapshot = make(tmp_path / "snapshot", n_train=5, n_held_out=2)
    alone = runs.finished(tmp_path / "alone", "evaluate", EVALUATE, model, snapshot, **beside)
    shared = runs.prepare(tmp_path / "shared", "evaluate", EVALUATE, model, snapshot, **beside)

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert measured(shared) == measured(alone)
    assert runs.samples(shared) == runs.samples(alone)


def responses(folder: RunFolder) -> list[dict[str, object]]:
    return list(run_dir.read_lines(folder.path / run_dir.RESPONSES))


def measured(folder: RunFolder) -> object:
    """Up to rounding, without what depends on the machine."""
    result = run_dir.read_result(folder.path)
    assert result is not None
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in result.metrics.items()
        if name not in TIMED
    }
