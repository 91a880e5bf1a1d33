"""How sure a reward model may be, on the pages of runs."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.html import text_of
from tests.training import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def test_a_reward_run_says_how_sure_it_may_be(signed_in: SignIn, noor: User) -> None:
    run = cast.a_reward_run(noor)

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "Well calibrated: with a temperature of 1.62" in page
    assert "it is right in 54 % (36–71 %), where it is most sure in 87 % (70–95 %)" in page
    assert "With a longer answer than nine in ten" in page
    assert "With a response by a new model: the snapshot does not say" in page
    assert page.count("New prompts") == 1


def test_a_reward_run_with_few_held_out_pairs_says_how_many_would_be_enough(
    signed_in: SignIn, noor: User
) -> None:
    run = cast.a_reward_run(noor)
    few = {"n": 64, "n_prompts": 20, "verdict": "too_few_pairs", "n_enough": 1000}
    run.metrics |= {"certainty": few}
    run.save()

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "Too few held-out pairs to tell how well it is calibrated: 64. About 1,000" in page
    assert "Well calibrated" not in page


def test_a_response_is_shown_with_its_chance_to_be_the_better_one(
    signed_in: SignIn, noor: User
) -> None:
    scorer = cast.a_reward_run(noor).trained_model
    run = cast.a_run(noor, state="running", n_points=2, reward_model=scorer)
    run.samples.update(scores={"reward": 2.0, "other_reward": 0.4})  # sigmoid(1.6 / 1.62) = .729

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "ikely better than the other model" in page
    assert "73 %" in page


@pytest.mark.parametrize(("low", "is_offered"), [(0.52, True), (0.48, False), (None, False)])
def test_a_reward_model_that_may_be_no_better_than_chance_is_offered_on_no_page(
    low: float | None, is_offered: bool, signed_in: SignIn, noor: User
) -> None:
    run = cast.a_reward_run(noor)
    measured = {"held_out_accuracy_after": 0.6, "held_out_accuracy_low_after": low}
    run.metrics |= measured
    run.trained_model.metrics |= measured
    run.save()
    run.trained_model.save()

    pages = [f"/runs/{run.pk}/", f"/models/{run.trained_model.pk}/"]
    offered = ["Use in PPO" in text_of(signed_in(noor), page) for page in pages]

    assert offered == [is_offered, is_offered]
    page = text_of(signed_in(noor), pages[0])
    doubts = ("Too few to tell whether it is better than chance", "not surely better than chance")
    assert any(doubt in page for doubt in doubts) is not is_offered
    assert ("See what it learned from" in page) is not is_offered
