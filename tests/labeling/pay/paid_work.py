"""Work with a pay rate, for tests."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Judgment, Pool, Rater
from labeling.pay import services as pay_services
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.pay.timesheets import sheets
from labeling.queue.claiming import claim
from tests.cast import NOON

DAY = NOON.date()

LATER = NOON + timedelta(days=3)


def rate(
    pool: Pool, *, amount: str, basis: str = "hour", kind: str = "demonstration", **more: Any
) -> None:
    values: dict[str, Any] = {
        "currency": "EUR",
        "valid_from": NOON - timedelta(days=30),
        "by": None,
        "now": NOON,
    } | more
    pay_services.set_rate(pool=pool, kind=kind, basis=basis, amount=Decimal(amount), **values)


def write(
    campaign: Campaign,
    rater: Rater,
    *,
    active_s: float | None,
    in_hand_s: float,
    at: datetime = NOON,
) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=at)
    assert slot is not None
    assert slot.lease is not None
    now = at + timedelta(seconds=in_hand_s)
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=active_s),
        now=now,
    )


def sheet(rater: Rater, since: date = DAY, until: date = DAY) -> sheets.Timesheet:
    return timesheets_selectors.timesheet(rater=rater, since=since, until=until)
