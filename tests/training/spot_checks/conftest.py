"""A PPO run that has begun, and what its training process writes at a spot check."""

from collections.abc import Callable

import pytest

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from tests.cast import some_prompts
from tests.labeling.campaigns.judging import judge_one
from tests.training.conftest import NOW
from training.models import Run, Snapshot, SpotCheck, TrainedModel
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.run_queue import Raters
from training.spot_checks import services
from training.spot_checks.services import Written

N_PROMPTS = 12


@pytest.fixture
def prompts() -> list[Prompt]:
    return some_prompts(N_PROMPTS)


@pytest.fixture
def reward_model(noor: User) -> TrainedModel:
    return registry_services.register_model(
        name="judge",
        kind="reward",
        location="/models/judge",
        licence="Apache-2.0",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )


@pytest.fixture
def queued(
    base_model: TrainedModel,
    reward_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
) -> Callable[..., Run]:
    def make(*, has_raters: bool = True, **config: object) -> Run:
        return run_queue.queue_run(
            kind="ppo",
            name="Careful PPO",
            config={"n_spot_checks": 2, **config},
            snapshot=make_snapshot("prompts"),
            base_model=base_model,
            models={"reward_model": reward_model},
            raters=Raters(day_shift, guideline) if has_raters else None,
            by=noor,
            now=NOW,
        )

    return make


@pytest.fixture
def run(queued: Callable[..., Run]) -> Run:
    return claimed(queued())


def claimed(run: Run) -> Run:
    found = runs_services.claim_run(run_id=run.pk, node="node-1", now=NOW)
    assert found is not None
    return found


def writes(run: Run, prompts: list[Prompt], *steps: int) -> None:
    """What the supervisor sends when the training process has written these checkpoints."""
    checks = [
        Written(
            step,
            [
                NewResponse(prompt.pk, f"Step {step}, text {number}.", number, {}, is_ended=True)
                for prompt in prompts
                for number in (0, 1)
            ],
        )
        for step in steps
    ]
    assert runs_services.record_progress(
        run_id=run.pk,
        attempt=1,
        points=[],
        samples=[],
        notes=[],
        checks=checks,
        log_tail="",
        now=NOW,
    )


def advance() -> None:
    services.advance_all(now=NOW)


def check_of(run: Run, step: int) -> SpotCheck:
    return SpotCheck.objects.get(run=run, step=step)


def campaign_of(run: Run, step: int) -> Campaign:
    campaign = check_of(run, step).campaign
    assert campaign is not None
    return campaign


def judge(campaign: Campaign, rater: Rater, *, n: int, likes_new: bool) -> None:
    """The checkpoint's responses have the number 0, those of the kept one 1."""
    for _item in range(n):
        assert judge_one(campaign, rater, number=0 if likes_new else 1, now=NOW)
