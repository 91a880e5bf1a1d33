"""The data behind a model's reward model counts too: its human comparisons and their licences."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Rater
from tests.html import squeezed
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import compare, on_split
from training.models import Run, Snapshot, TrainedModel
from training.registry.archive import cards
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db


@pytest.fixture
def rewarded(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], noor: User, rosa: Rater
) -> TrainedModel:
    """A model of a PPO run under a reward model that learned from one comparison."""
    compare(on_split("train")[0], rosa, [1, 2])
    pairs = snapshots_services.create_snapshot(
        kind="comparisons", name="pairs", filters=Filters(), by=noor, now=NOW
    )
    pairs.card |= {"licences": {"CC-BY-NC-4.0": 1}}
    pairs.save(update_fields=["card"])
    ended = {"state": "finished", "outcome": "succeeded"}
    judging = Run.objects.create(
        name="judging", kind="reward", snapshot=pairs, base_model=base_model, **ended
    )
    judge = TrainedModel.objects.create(
        name="judge", kind="reward", location="/judge", parent=base_model, run=judging
    )
    ppo = Run.objects.create(
        name="improving",
        kind="ppo",
        snapshot=make_snapshot("prompts"),
        base_model=base_model,
        reward_model=judge,
        **ended,
    )
    return TrainedModel.objects.create(
        name="better", kind="policy", location="/better", parent=base_model, run=ppo
    )


def test_card_and_lineage_name_the_comparisons_behind_the_rewards(rewarded: TrainedModel) -> None:
    card, lineage = cards.generated_card(model=rewarded), cards.lineage_json(model=rewarded)

    assert "with rewards from judge." in card
    assert "**judge** was trained by the reward run “judging” from base on pairs (1 comp" in card
    assert "training data of judge: 1 rows CC-BY-NC-4.0" in card
    assert [step["model"] for step in lineage["steps"]] == ["better", "base"]
    (rewards,) = lineage["rewards"]
    assert (rewards["model"], rewards["steps"][0]["snapshot"]["licences"]) == (
        "judge",
        {"CC-BY-NC-4.0": 1},
    )


def test_the_judgments_behind_its_rewards_are_counted_and_their_licences_shown(
    rewarded: TrainedModel, signed_in: Callable[..., Client], noor: User
) -> None:
    page = squeezed(signed_in(noor).get(f"/models/{rewarded.pk}/").content.decode())

    assert cards.n_judgments_behind(model=rewarded) == 1
    assert "Answers used" in page
    assert "1 × CC-BY-NC-4.0" in page


def test_a_judge_whose_base_was_rewarded_is_traced_to_the_first_comparisons_once(
    rewarded: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> None:
    second = Run.objects.create(
        name="again", kind="reward", snapshot=make_snapshot("comparisons"), base_model=rewarded
    )
    judge = TrainedModel.objects.create(
        name="judge 2", kind="reward", location="/judge2", parent=rewarded, run=second
    )
    other = Run.objects.create(
        name="further",
        kind="rloo",
        snapshot=make_snapshot("prompts"),
        base_model=rewarded,
        reward_model=judge,
    )
    model = TrainedModel.objects.create(
        name="best", kind="policy", location="/best", parent=rewarded, run=other
    )

    lineage = cards.lineage_json(model=model)

    seen = [step["model"] for one in lineage["rewards"] for step in one["steps"]]
    assert ([step["model"] for step in lineage["steps"]], seen) == (
        ["best", "better", "base"],
        ["judge 2", "judge"],
    )
