"""One attempt from claim to ending, with a real child process that stands in for the trainer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from training import supervisor
from training.models import Run, RunPoint, RunSample, TrainedModel

pytestmark = pytest.mark.django_db(transaction=True)


def supervised(run: Run) -> Run:
    supervisor.supervise(run_id=run.pk, node="node-1")
    run.refresh_from_db()
    return run


def test_a_run_succeeds_when_its_child_says_so(queue: Callable[..., Run]) -> None:
    run = queue(n_steps=3)

    supervised(run)

    assert (run.state, run.outcome, run.error) == ("finished", "succeeded", "")
    assert (run.step, run.n_steps, run.attempt, run.node) == (3, 3, 1, "node-1")


def test_every_step_becomes_a_point_of_the_curve(queue: Callable[..., Run]) -> None:
    run = supervised(queue(n_steps=3))

    points = RunPoint.objects.filter(run=run).order_by("step").values_list("step", "values")

    assert list(points) == [(1, {"loss": 1.0}), (2, {"loss": 0.5}), (3, {"loss": 1 / 3})]


def test_a_finished_run_leaves_a_model_with_parent_metrics_and_an_opaque_source(queue: Callable[..., Run]) -> None:
    run = supervised(queue())

    model = TrainedModel.objects.get(run=run)

    assert (model.parent, model.licence, model.metrics) == (run.base_model, "Apache-2.0", {"loss_before": 2.0, "loss_after": 1.0})
    assert model.source is not None
    assert (Path(model.location) / "config.json").is_file()


def test_samples_and_notes_are_kept_beside_the_curves(queue: Callable[..., Run]) -> None:
    run = supervised(queue())

    assert RunSample.objects.get(run=run).response == "Three times three."
    assert run.notes == ["2 of 10 rows were cut."]


def test_a_run_that_is_not_waiting_is_left_alone(queue: Callable[..., Run]) -> None:
    run = supervised(queue())

    supervised(run)

    assert run.attempt == 1


def test_a_killed_child_is_queued_again_and_resumes_from_its_last_checkpoint(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue(n_steps=6, checkpoint_every=2, kill_at=6, only_attempt=1)

    supervised(run)
    assert (run.state, run.n_crashes) == ("queued", 1)
    supervised(run)

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert (settings.RUNS_DIR / str(run.pk) / "resumed-2-at-4").exists()


def test_a_run_is_lost_after_three_killed_children(queue: Callable[..., Run]) -> None:
    run = queue(kill_at=2)

    for _attempt in range(3):
        supervised(run)

    assert (run.state, run.outcome, run.attempt) == ("finished", "lost", 3)
    assert "SIGKILL" in run.error
