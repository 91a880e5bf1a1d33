"""A spent budget pauses a campaign; a raised one lets it go on."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import undo
from labeling.models import Campaign, Guideline, Pool, Rate, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON
from tests.labeling.campaigns.judging import comparing, judge_one, prefer


def budgeted(pool: Pool, guideline: Guideline, unit: str, amount: str) -> Campaign:
    return comparing(
        pool, guideline, budget_unit=unit, budget=Decimal(amount), n_items=6, overlap=1
    )


@pytest.mark.django_db
def test_a_spent_budget_pauses_the_campaign_and_admins_are_told(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")

    judge_one(campaign, rosa)
    judge_one(campaign, rosa)

    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is None
    (notice,) = Notice.objects.filter(person=alice)
    assert "“Compare” has spent its budget and is paused" in notice.sentence
    assert (
        AuditEvent.objects.filter(action="state:paused", by=None, after__reason="budget").count()
        == 1
    )


@pytest.mark.django_db
def test_what_is_in_hand_can_be_submitted_after_the_budget_is_spent(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")
    held = claim.claim(campaign=campaign, rater=raul, now=NOON)
    judge_one(campaign, rosa)
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(1)}, by=None, now=NOON
    )

    assert not prefer(held).is_extra


@pytest.mark.django_db
def test_hours_are_counted_in_active_seconds(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "hours", "1")

    for seconds in (1800.0, 1500.0):
        prefer(
            claim.claim(campaign=campaign, rater=rosa, now=NOON),
            active_s=seconds,
            now=NOON + timedelta(hours=1),
        )
    campaign.refresh_from_db()
    assert campaign.state == "open"  # five minutes are left, and a judgment like these takes less
    prefer(
        claim.claim(campaign=campaign, rater=rosa, now=NOON),
        active_s=290.0,
        now=NOON + timedelta(hours=1),
    )

    campaign.refresh_from_db()
    assert campaign.state == "paused"


@pytest.mark.django_db
def test_money_is_counted_at_the_pools_rate(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    Rate.objects.create(
        pool=day_shift, kind="comparison", basis="item", amount=50, currency="EUR", valid_from=NOON
    )
    campaign = budgeted(day_shift, guideline, "money", "1.50")

    for _ in range(3):
        judge_one(campaign, rosa)

    campaign.refresh_from_db()
    assert campaign.state == "paused"


@pytest.mark.django_db
def test_money_needs_a_rate(day_shift: Pool, guideline: Guideline) -> None:
    with pytest.raises(
        campaigns_services.UnableToCreateCampaign, match="no rate for this kind of work"
    ):
        budgeted(day_shift, guideline, "money", "5")


@pytest.mark.django_db
def test_a_campaign_with_a_spent_budget_goes_on_when_it_is_raised(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    judge_one(campaign, rosa)
    campaign.refresh_from_db()

    with pytest.raises(campaigns_services.UnableToOpen, match="budget is spent"):
        campaigns_services.open_campaign(campaign=campaign, by=alice, now=NOON)
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(3)}, by=alice, now=NOON
    )

    assert campaigns_services.open_campaign(campaign=campaign, by=alice, now=NOON)
    assert judge_one(campaign, rosa) is not None


@pytest.mark.django_db
def test_an_undone_answer_is_not_spent(day_shift: Pool, guideline: Guideline, rosa: Rater) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")
    judgment = judge_one(campaign, rosa)
    assert judgment is not None
    assert judgment.lease is not None

    undo.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    campaign.refresh_from_db()
    assert (campaign.spent_judgments, campaign.state) == (0, "open")
