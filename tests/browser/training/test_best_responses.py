"""Rejection sampling in Chromium: the form of its schedule, a scored run, and the model trained on
it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.models import Guideline, Pool
from tests.cast import some_prompts
from tests.training import cast
from training.models import Run, RunPoint, RunSample, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.snapshots import response_numbers
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

Opener = Callable[..., Page]


@pytest.fixture
def scored(noor: User, settings: LazySettings, tmp_path: Path) -> Run:
    """A sampling run that has ended: four responses to each of thirty prompts, scored."""
    settings.SNAPSHOTS_DIR = tmp_path
    now = timezone.now()
    run = run_queue.queue_run(
        kind="sample",
        name="Candidates of November",
        config={},
        snapshot=cast.a_snapshot(noor, "prompts", name="Prompts of November"),
        base_model=cast.a_model(noor),
        models={"reward_model": cast.a_model(noor, "reward-12", kind="reward")},
        by=noor,
        now=now,
    )
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=now)
    first = response_numbers.response_number(run_id=run.pk, number=0)
    written = [
        NewResponse(
            prompt.pk, f"Answer {number} to {prompt.pk}.", first + number, {}, is_ended=True
        )
        for prompt in some_prompts(30)
        for number in range(4)
    ]
    scores = {(one.prompt_id, one.number): (one.number - first) / 4 for one in written}
    registry_services.store_responses(
        run_id=run.pk, attempt=1, rows=written, scores=scores, now=now
    )
    RunPoint.objects.bulk_create(
        RunPoint(
            run=run,
            attempt=1,
            step=step,
            at=now,
            values={"reward": 0.4 + step / 99, "best_reward": 1.1 + step / 90},
        )
        for step in range(1, 16)
    )
    RunSample.objects.create(
        run=run,
        attempt=1,
        step=3,
        line=3,
        prompt="Reason",
        response="Because.",
        scores={"reward": 0.91, "is_ended": True},
    )
    metrics = {
        "n_prompts": 30,
        "n_responses": 120,
        "reward": 0.41,
        "best_reward": 1.24,
        "share_ended": 1.0,
        "seconds": 321.0,
    }
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=AttemptResult(Run.Outcome.SUCCEEDED, metrics=metrics),
        now=now,
    )
    return run


@pytest.fixture
def tuned(noor: User, scored: Run) -> TrainedModel:
    now = timezone.now()
    best = snapshots_services.create_snapshot(
        kind="demonstrations",
        name="The best of November",
        filters=Filters(best_of=(scored.pk,)),
        by=noor,
        now=now,
    )
    run = run_queue.queue_run(
        kind="sft",
        name="On the best",
        config={},
        snapshot=best,
        base_model=scored.base_model,
        by=noor,
        now=now,
    )
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=now)
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=AttemptResult(Run.Outcome.SUCCEEDED, model="/models/best"),
        now=now,
    )
    return TrainedModel.objects.get(run=run)


def test_every_page_of_rejection_sampling_passes_axe_and_fits(
    open_page: Opener,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    scored: Run,
    tuned: TrainedModel,
    look_over_each: Callable[..., None],
) -> None:
    paths = {
        "best-form": "/schedules/new/rejection-ppo/",
        "best-run": f"/runs/{scored.pk}/",
        "best-cut": f"/snapshots/new/?kind=demonstrations&best_of={scored.pk}",
        "best-snapshot": f"/snapshots/{Snapshot.objects.get(kind='demonstrations').pk}/",
        "best-model": f"/models/{tuned.pk}/",
        "best-judge": f"/models/{scored.reward_model_id}/",
    }
    look_over_each(open_page("/runs/", noor), paths, widths=(1440, 390))


def test_a_researcher_cuts_a_snapshot_of_the_best_from_the_runs_page(
    open_page: Opener, noor: User, scored: Run
) -> None:
    page = open_page(f"/runs/{scored.pk}/", noor)

    page.get_by_role("link", name="Train on the best").click()
    page.get_by_label("Name").fill("The best")
    page.get_by_role("button", name="Create snapshot").click()

    expect(page.get_by_role("heading", name="The best")).to_be_visible()
    expect(page.get_by_text("Candidates of November (reward-12)")).to_be_visible()
    assert Snapshot.objects.get(kind="demonstrations").n_rows == 30
