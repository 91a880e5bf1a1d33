"""Campaigns with a budget, for tests."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.pay import services as pay_services
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of, open_demonstration_campaign
from tests.tooling.recordings import recorded


@recorded
def budgeted(pool: Pool, guideline: Guideline, unit: str, amount: str, **fields: Any) -> Campaign:
    return open_demonstration_campaign(
        pool=pool,
        guideline=guideline,
        n_items=12,
        budget_unit=unit,
        budget=Decimal(amount),
        **fields,
    )


@recorded
def rate(pool: Pool, *, amount: str, at: datetime = NOON, **more: Any) -> None:
    values: dict[str, Any] = {
        "basis": "item",
        "currency": "EUR",
        "valid_from": at,
        "now": at,
    } | more
    pay_services.set_rate(
        pool=pool, kind="demonstration", amount=Decimal(amount), by=None, **values
    )


def write(
    campaign: Campaign, rater: Rater, *, at: datetime = NOON, seconds: float = 60
) -> Judgment:
    held = claim.claim(campaign=Campaign.objects.get(pk=campaign.pk), rater=rater, now=at)
    return submit.submit(
        lease=lease_of(held),
        rater=rater,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=seconds),
        now=at + timedelta(seconds=seconds),
    )
