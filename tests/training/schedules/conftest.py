"""A chain that has started, and a demonstration to learn from."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from labeling.models import Rater
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again
from tests.training.snapshots.test_freezing import demonstrate, on_split
from training.models import Chain, Schedule, TrainedModel
from training.schedules import chains as schedules_chains
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms


@pytest.fixture
def begin(noor: User, base_model: TrainedModel) -> Callable[..., Chain]:
    """A chain of the schedule “Weekly”, taken as far as it goes by itself."""

    def make(template: str = "fine-tune", **plan: Any) -> Chain:
        schedule = Schedule.objects.filter(
            name="Weekly"
        ).first() or schedules_services.create_schedule(
            name="Weekly",
            plan=Plan(template=template, base_model=base_model.pk, **plan),
            terms=Terms(trigger="hand", time_zone="UTC"),
            by=noor,
            now=NOW,
        )
        chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)
        schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
        return again(chain)

    return make


@pytest.fixture
def demonstrated(rosa: Rater) -> None:
    demonstrate(on_split("train")[0], rosa)
