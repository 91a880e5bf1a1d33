"""KL to what: a run of PPO or RLOO names its reference, the model that its line began with."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.training import cast
from tests.training.conftest import NOW
from training.configs import kinds
from training.models import Run, Snapshot, TrainedModel
from training.registry.archive import cards
from training.runs import run_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> list[TrainedModel]:
    """base → sft → dpo → ppo."""
    judge = cast.a_model(noor, "judge", kind="reward")
    models = [base_model]
    for kind in ("sft", "dpo", "ppo"):
        run = Run.objects.create(
            name=kind,
            kind=kind,
            snapshot=make_snapshot("prompts"),
            base_model=models[-1],
            reward_model=judge if kind == "ppo" else None,
            state="finished",
            outcome="succeeded",
        )
        made = TrainedModel.objects.create(
            name=f"{kind}-1",
            kind="policy",
            location=base_model.location,
            run=run,
            parent=models[-1],
        )
        models.append(made)
    return models


def queued(noor: User, start: TrainedModel, snapshot: Snapshot, **models: Any) -> Run:
    judge = TrainedModel.objects.get(name="judge")
    return run_queue.queue_run(
        kind="ppo",
        name="PPO",
        config=kinds.as_json(kinds.PRESETS["ppo"]["small"]),
        snapshot=snapshot,
        base_model=start,
        models={"reward_model": judge} | models,
        by=noor,
        now=NOW,
    )


def test_the_reference_is_the_fine_tuned_model_that_the_line_began_with(
    noor: User, line: list[TrainedModel], make_snapshot: Callable[..., Snapshot]
) -> None:
    run = queued(noor, line[-1], make_snapshot("prompts"))

    assert run.reference_model == line[1]


def test_another_reference_can_be_chosen_and_the_card_names_it(
    noor: User, line: list[TrainedModel], make_snapshot: Callable[..., Snapshot]
) -> None:
    run = queued(noor, line[-1], make_snapshot("prompts"), reference_model=line[0])
    made = TrainedModel.objects.create(
        name="ppo-2", kind="policy", location="/models/2", run=run, parent=line[-1]
    )

    assert run.reference_model == line[0]
    assert f"with the KL measured to {line[0]}" in cards.generated_card(model=made)


def test_a_reference_whose_weights_are_gone_gives_way_to_the_starting_model(
    noor: User, line: list[TrainedModel], make_snapshot: Callable[..., Snapshot]
) -> None:
    TrainedModel.objects.filter(pk=line[1].pk).update(freed_at=NOW)

    assert queued(noor, line[-1], make_snapshot("prompts")).reference_model == line[-1]
