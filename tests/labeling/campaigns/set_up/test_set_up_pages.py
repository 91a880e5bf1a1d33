"""Setting a campaign up and estimating its cost, through HTTP."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.campaigns import costs
from labeling.models import Campaign, Guideline, Pool, Rate, Rater, Slot
from labeling.queue.spending import prices, time_estimates
from tests.cast import NOON, open_comparison_campaign, responses_to, some_prompts
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import comparing, judge

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


# --- setting up -----------------------------------------------------------------------------------


def test_a_campaign_is_set_up_with_all_that_is_asked_for(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(20), n=4)
    asked = {
        "overlap_rule": "dynamic",
        "max_overlap": 5,
        "confidence": 85,
        "calibration_percent": 10,
        "repeat_percent": 10,
        "budget_unit": "hours",
        "budget": "12.5",
    }

    signed_in(alice).post("/campaigns/new/", comparing(day_shift, guideline, **asked))

    campaign = Campaign.objects.get()
    assert (campaign.max_overlap, campaign.confidence, campaign.budget_unit, campaign.budget) == (
        5,
        0.85,
        "hours",
        Decimal("12.5"),
    )
    assert campaign.items.filter(is_calibration=True).count() == 2
    assert campaign.items.filter(repeat_of__isnull=False).count() == 2
    assert Slot.objects.filter(item__is_calibration=True).count() == 2 * 1


def test_a_most_that_is_left_from_another_rule_is_not_used(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(2), n=4)

    signed_in(alice).post(
        "/campaigns/new/", comparing(day_shift, guideline, overlap_rule="fixed", max_overlap=5)
    )

    assert Campaign.objects.get().max_overlap is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"overlap_rule": "dynamic"}, "Enter the maximum number of answers per item."),
        (
            {"overlap_rule": "dynamic", "max_overlap": 5, "overlap": 1},
            "Agreement needs at least two answers",
        ),
        (
            {"overlap_rule": "dynamic", "max_overlap": 2},
            "Maximum answers must be higher than the overlap.",
        ),
        ({"budget_unit": "hours"}, "Enter an amount, or choose “No limit”."),
        ({"budget_unit": "money", "budget": 5}, "The pool has no rate for this kind of work"),
        ({"calibration_percent": 80}, "less than or equal to 50"),
    ],
)
def test_what_cannot_be_worked_with_gets_a_sentence(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    fields: dict[str, Any],
    sentence: str,
) -> None:
    responses_to(some_prompts(2), n=4)

    page = words(
        signed_in(alice).post("/campaigns/new/", comparing(day_shift, guideline, **fields))
    )

    assert sentence in page
    assert not Campaign.objects.exists()


def test_prompts_that_somebody_has_judged_can_be_left_out(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3)
    judge(campaign, rosa)

    client = signed_in(alice)
    page = words(
        client.post(
            "/campaigns/new/count", comparing(day_shift, guideline, is_unused="", is_unjudged="on")
        )
    )

    assert "<strong>2 prompts</strong>" in page


# --- estimating -----------------------------------------------------------------------------------


def estimate(pool: Pool, **fields: Any) -> costs.Estimate:
    values: dict[str, Any] = {
        "kind": "comparison",
        "n_responses": 4,
        "pool": pool,
        "n_items": 100,
        "overlap": 3,
        "now": NOON,
    } | fields
    return costs.estimate(**values)


def test_an_estimate_is_taken_from_judgments_of_like_campaigns(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=time_estimates.LEAST_SIMILAR, overlap=1
    )
    for _ in range(time_estimates.LEAST_SIMILAR):
        judge(campaign, rosa, active_s=72.0)

    found = estimate(day_shift)

    assert (found.n_least, found.n_most, found.n_similar) == (
        300,
        300,
        time_estimates.LEAST_SIMILAR,
    )
    assert found.hours_most == pytest.approx(300 * 72 / 3600)


def test_without_like_judgments_it_is_taken_from_how_long_texts_are(day_shift: Pool) -> None:
    prompts = some_prompts(1)
    responses_to(prompts, n=4)
    chars = len(prompts[0].messages[0]["content"])
    each = len(prompts[0].responses.all()[0].text)

    found = estimate(day_shift)

    assert found.n_similar == 0
    assert found.seconds == pytest.approx(
        (chars + 4 * each) / time_estimates.CHARS_PER_S + 4 * time_estimates.JUDGING_S
    )


def test_an_estimate_counts_calibration_repeats_and_doubt(
    day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    found = estimate(day_shift, max_overlap=5, calibration_percent=10, repeat_percent=10)

    # 90 plain items, 10 judged by both raters, 9 plain ones again
    assert (found.n_least, found.n_most) == (90 * 3 + 10 * 2 + 9 * 3, 90 * 5 + 10 * 2 + 9 * 5)


def test_an_estimate_counts_golds_as_far_as_there_are_any(
    day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    assert estimate(day_shift, gold_share=10).n_least == 300 + 33  # a tenth of 333
    assert (
        estimate(day_shift, gold_share=10, n_golds=7).n_least == 300 + 7 * 2
    )  # each rater gets a gold once


@pytest.mark.parametrize(
    ("basis", "amount", "minor"), [("item", 40, 300 * 40), ("hour", 1800, 300 * 60 / 3600 * 1800)]
)
def test_an_estimate_is_priced_at_the_pools_rate(
    day_shift: Pool, basis: str, amount: int, minor: float
) -> None:
    Rate.objects.create(
        pool=day_shift,
        kind="comparison",
        basis=basis,
        amount=amount,
        currency="EUR",
        valid_from=NOON,
    )

    found = prices.price(
        rate=prices.rate_of(pool=day_shift, kind="comparison", now=NOON),
        n_judgments=300,
        active_s=300 * 60.0,
    )

    assert found == Decimal(str(minor)).quantize(Decimal(1))


def test_a_held_out_pool_on_prompts_that_train_is_warned_of(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=4)
    client = signed_in(alice)
    assert "is for evaluation only" not in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline))
    )

    Pool.objects.filter(pk=day_shift.pk).update(is_held_out=True)

    assert "is for evaluation only" in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline))
    )
    assert "is for evaluation only" not in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline, splits=["test"]))
    )


def test_a_draft_says_what_it_would_take(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=4)
    client = signed_in(alice)
    client.post("/campaigns/new/", comparing(day_shift, guideline))

    page = words(client.get(f"/campaigns/{Campaign.objects.get().pk}/"))

    assert "10 answers, about 0.2 h" in page
    assert "each (estimated from text length)" in page
