"""A benchmark by the real trainer, from the choice of suites to their scores."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from accounts.models import User
from tests.trainer.tiny import build_tiny_model
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.conftest import NOW
from training.benchmarks.suites import services as suites_services
from training.benchmarks.suites.formats import reading
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.models import BenchmarkAnswer, Run, Suite, SuiteScore
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs.supervisor import supervise

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("warm_trainer"),
]


TASK = b"""task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
output_type: multiple_choice
doc_to_text: "{{ question }}"
doc_to_choice: "{{ choices }}"
doc_to_target: answer
"""


def answered(suites: list[Suite], noor: User, tmp_path: Path) -> Run:
    model = registry_services.register_model(
        name="tiny",
        kind="policy",
        location=str(build_tiny_model(tmp_path / "tiny")),
        licence="",
        by=noor,
        now=NOW,
    )
    run = run_queue.queue_run(
        kind="benchmark",
        name="Benchmark",
        config={"max_new_tokens": 4},
        snapshot=suites_services.suites_snapshot(suites=suites, by=noor, now=NOW),
        base_model=model,
        by=noor,
        now=NOW,
    )
    supervise.supervise(run_id=run.pk, node="node-1")
    run.refresh_from_db()
    return run


def test_a_tiny_model_is_scored_on_a_suite_of_each_kind(noor: User, tmp_path: Path) -> None:
    suites = [tiny_suite(kind) for kind in ("choice", "generate", "pairs", "best-of-k", "flip")]
    run = answered(suites, noor, tmp_path)

    assert (run.outcome, run.error) == ("succeeded", "")
    assert (run.metrics["n_items"], run.metrics["n_missing"], run.step) == (10, 0, 5)
    assert BenchmarkAnswer.objects.filter(run=run, missing="").count() == 10
    main = SuiteScore.objects.filter(run=run, is_main=True, is_current=True)
    generated = suites[1]
    texts = BenchmarkAnswer.objects.filter(run=run, item__suite=generated)
    n_blank = sum(not text.strip() for text in texts.values_list("text", flat=True))
    # A text without words, which this model may write, is no refusal.
    expected = {suite.pk: (2, 0) for suite in suites} | {generated.pk: (2 - n_blank, n_blank)}
    assert {score.suite_id: (score.n, score.n_missing) for score in main} == expected


def test_an_uploaded_task_of_lm_evaluation_harness_is_scored_beside_other_suites(
    noor: User, tmp_path: Path
) -> None:
    rows = [
        {"question": f"What is {number}?", "choices": ["a number", "a dog"], "answer": number % 2}
        for number in range(20)
    ]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    files = [SuiteFile("capitals.yaml", TASK), SuiteFile("rows.jsonl", data)]
    draft = reading.read(files, asked={"version": "1", "licence": "CC0-1.0"}).draft
    assert draft is not None
    task = suites_services.create_suite(draft=draft, by=noor, now=NOW)

    run = answered([task, tiny_suite("choice")], noor, tmp_path)

    assert (run.outcome, run.error) == ("succeeded", "")
    assert (run.metrics["n_items"], run.metrics["n_missing"]) == (22, 0)
    score = SuiteScore.objects.get(run=run, suite=task)
    values = BenchmarkAnswer.objects.filter(item__suite=task).values_list("values", flat=True)
    assert (score.scorer, score.n, score.is_main) == ("lm_eval 1", 20, True)
    assert score.score == fmean(value["metrics"]["acc"] for value in values)
