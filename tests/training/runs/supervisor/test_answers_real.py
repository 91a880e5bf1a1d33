"""A benchmark by the real trainer, from the choice of suites to their scores."""

from pathlib import Path

import pytest

from accounts.models import User
from tests.trainer.tiny import build_tiny_model
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.conftest import NOW
from training.benchmarks.suites import services as suites_services
from training.models import BenchmarkAnswer, SuiteScore
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs.supervisor import supervise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_tiny_model_is_scored_on_a_suite_of_each_kind(noor: User, tmp_path: Path) -> None:
    suites = [tiny_suite(kind) for kind in ("choice", "generate", "pairs", "best-of-k", "flip")]
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
    assert (run.outcome, run.error) == ("succeeded", "")
    assert (run.metrics["n_items"], run.metrics["n_missing"], run.step) == (10, 0, 5)
    assert BenchmarkAnswer.objects.filter(run=run, missing="").count() == 10
    main = SuiteScore.objects.filter(run=run, is_main=True, is_current=True)
    assert {score.suite_id: (score.n, score.n_missing) for score in main} == {
        suite.pk: (2, 0) for suite in suites
    }
