"""Time spent on skipped items: paid by the hour, part of the hourly rate, never counted twice."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, PastLease, Pool, Rater
from labeling.pay import services as pay_services
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.pay.timesheets import sheets
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.spending import budgets
from tests.cast import NOON, lease_of
from tests.html import page_of

pytestmark = pytest.mark.django_db

DAY = NOON.date()


def rate(pool: Pool, *, amount: str, basis: str, **more: Any) -> None:
    pay_services.set_rate(
        pool=pool,
        kind="demonstration",
        basis=basis,
        amount=Decimal(amount),
        currency="EUR",
        valid_from=NOON - timedelta(days=30),
        by=None,
        now=NOON,
        **more,
    )


def take(campaign: Campaign, rater: Rater, at: datetime = NOON) -> UUID:
    slot = claim.claim(campaign=campaign, rater=rater, now=at)
    assert slot is not None
    assert slot.lease is not None
    return slot.lease


def skip(
    campaign: Campaign,
    rater: Rater,
    *,
    active_s: float | None,
    in_hand_s: float,
    at: datetime = NOON,
) -> UUID:
    lease = take(campaign, rater, at)
    now = at + timedelta(seconds=in_hand_s)
    assert slots.skip(lease=lease, rater=rater, reason="not_my_field", active_s=active_s, now=now)
    return lease


def sheet(rater: Rater, day: date = DAY) -> sheets.Timesheet:
    return timesheets_selectors.timesheet(rater=rater, since=day, until=day)


def test_an_hourly_rate_pays_the_active_time_on_skipped_items(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")

    skip(demonstration_campaign, rosa, active_s=90, in_hand_s=200)

    (line,) = sheet(rosa).lines
    assert (line.n, line.n_skipped, line.seconds, line.amount) == (0, 1, 90.0, Decimal(90))


def test_a_rate_by_the_item_pays_no_skip_but_an_hour_comes_to_less(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="500", basis="item", floor=Decimal(900))
    lease = take(demonstration_campaign, rosa)
    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=1200),
        now=NOON + timedelta(seconds=1300),
    )
    assert sheet(rosa).alarms == []  # 15.00 an hour

    skip(demonstration_campaign, rosa, active_s=1200, in_hand_s=1300, at=NOON + timedelta(hours=1))

    assert sheet(rosa).totals == {"EUR": Decimal(500)}
    assert sheet(rosa).per_hour_words == "7.50 EUR"
    assert ["come to 7.50 EUR per hour" in alarm.sentence for alarm in sheet(rosa).alarms] == [True]


def test_a_skip_counts_no_more_time_than_the_item_was_held(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")

    skip(demonstration_campaign, rosa, active_s=9_999, in_hand_s=30)
    skip(demonstration_campaign, rosa, active_s=None, in_hand_s=7200, at=NOON + timedelta(hours=1))

    assert sheet(rosa).seconds == 30 + demonstration_campaign.lease_minutes * 60


def test_an_item_that_was_given_back_is_not_paid(
    rosa: Rater, demonstration_campaign: Campaign
) -> None:
    lease = take(demonstration_campaign, rosa)

    slots.release(lease=lease, rater=rosa, now=NOON + timedelta(seconds=50))

    assert sheet(rosa).lines == []


def test_skips_and_judgments_of_a_day_stand_in_one_line(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")
    skip(demonstration_campaign, rosa, active_s=20, in_hand_s=30)
    lease = take(demonstration_campaign, rosa)
    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=40),
        now=NOON + timedelta(seconds=50),
    )

    (line,) = sheet(rosa).lines
    assert (line.n, line.n_skipped, line.amount) == (1, 1, Decimal(60))


def test_a_skip_on_another_day_than_the_judgments_is_of_its_own_day(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")

    skip(demonstration_campaign, rosa, active_s=20, in_hand_s=30, at=NOON + timedelta(days=1))

    assert sheet(rosa).lines == []
    assert [line.n_skipped for line in sheet(rosa, DAY + timedelta(days=1)).lines] == [1]


def test_an_answer_that_comes_after_the_skip_is_counted_in_its_place(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")
    lease = skip(demonstration_campaign, rosa, active_s=20, in_hand_s=30)

    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="After all."),
        recorded=Recorded(active_s=25),
        now=NOON + timedelta(seconds=60),
    )

    (line,) = sheet(rosa).lines
    assert (line.n, line.n_skipped, line.seconds) == (1, 0, 25.0)


def test_a_campaigns_cost_has_the_time_on_skips(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis="hour")

    skip(demonstration_campaign, rosa, active_s=90, in_hand_s=200)

    spending = budgets.spending(campaign=demonstration_campaign, now=NOON + timedelta(hours=1))
    assert (spending.n_judgments, spending.active_s, spending.amounts) == (
        0,
        90.0,
        {"EUR": Decimal(90)},
    )


def test_the_page_that_skips_says_how_long_somebody_was_there(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(rosa)
    client.post(f"/desk/{demonstration_campaign.pk}/next")
    lease = lease_of(rosa.slots.get())

    client.post(
        f"/desk/item/{lease}/skip", {"reason": "not_my_field", "record": '{"active_s": 17}'}
    )

    assert PastLease.objects.get(lease=lease).active_s == 17.0


def test_the_raters_own_page_names_what_they_skipped(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: Callable[..., Client]
) -> None:
    skip(demonstration_campaign, rosa, active_s=90, in_hand_s=200)
    client = signed_in(rosa)

    page = page_of(client.get(f"/my-pay/?since={DAY}&until={DAY}"))
    csv = client.get(f"/my-pay/csv?since={DAY}&until={DAY}").content.decode()

    assert "including 1 skipped item" in page
    assert (
        csv.splitlines()[0]
        == "day,pool,work,n,extra,skipped,active_s,rate,paid_by,amount,currency,state,later"
    )
    assert csv.splitlines()[1].startswith(f"{DAY},Day shift,demonstration,0,0,1,90.0,")
