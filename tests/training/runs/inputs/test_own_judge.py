"""A win rate by the reward model that the winner was trained to please says so."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.html import page_of
from tests.training import cast
from training.models import Run, Snapshot, TrainedModel

pytestmark = pytest.mark.django_db
WARNING = "was trained to please it"


@pytest.mark.parametrize("is_its_own", [True, False])
def test_an_evaluation_names_a_judge_that_the_model_was_trained_to_please(
    noor: User,
    base_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    signed_in: Callable[..., Client],
    is_its_own: bool,
) -> None:
    judge, other = (cast.a_model(noor, name, kind="reward") for name in ("judge", "other"))
    prompts = make_snapshot("prompts")
    ended = {"snapshot": prompts, "state": "finished", "outcome": "succeeded"}
    trained = Run.objects.create(
        name="RLOO", kind="rloo", base_model=base_model, reward_model=judge, **ended
    )
    improved = TrainedModel.objects.create(
        name="rloo-1", kind="policy", location="/models/1", run=trained, parent=base_model
    )
    evaluation = Run.objects.create(
        name="Evaluation",
        kind="evaluate",
        base_model=improved,
        other_model=base_model,
        reward_model=judge if is_its_own else other,
        metrics={"win_rate": 0.93, "n_prompts": 40},
        **ended,
    )

    page = page_of(signed_in(noor).get(f"/runs/{evaluation.pk}/"))

    assert "Win rate against the other model" in page
    assert (WARNING in page) == is_its_own
