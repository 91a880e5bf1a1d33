"""A paid period stays as it was paid; work that is added to it later is paid by itself."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.desk.judgments import correct
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Payment, Pool, Rater
from labeling.pay import services as pay_services
from labeling.people.pools import services as pools_services
from tests.cast import NOON, open_demonstration_campaign
from tests.labeling.pay.paid_work import DAY, LATER, rate, sheet, write

pytestmark = pytest.mark.django_db


def test_a_paid_period_stays_as_it_was_paid(
    day_shift: Pool, alice: User, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)

    payment = pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=alice, now=LATER)

    assert (payment.totals, payment.lines[0]["amount"]) == ({"EUR": "100"}, "1.00")
    assert [line.is_paid for line in sheet(rosa).lines] == [True]
    assert sheet(rosa).due == {}
    assert AuditEvent.objects.filter(by=alice, action="pay", target_id=rosa.pk).exists()
    assert Notice.objects.filter(person=rosa.user).count() == 1


def corrected(judgment: Judgment, rater: Rater, *, active_s: float, at: datetime) -> None:
    assert judgment.lease is not None
    correct.correct(
        lease=judgment.lease,
        rater=rater,
        version=judgment.version,
        answer=DemonstrationAnswer(text="Better."),
        recorded=Recorded(active_s=active_s),
        now=at,
    )


def shown(rater: Rater) -> list[tuple[str, bool, bool]]:
    return [(line.amount_words, line.is_paid, line.came_later) for line in sheet(rater).lines]


def test_a_rate_set_for_days_that_were_paid_changes_nothing_about_them(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    rate(day_shift, amount="900", basis="item", valid_from=NOON - timedelta(days=1), now=LATER)

    assert shown(rosa) == [("1.00 EUR", True, False)]
    assert sheet(rosa).due == {}


def test_time_that_a_correction_adds_to_a_paid_day_is_due(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="1200")
    judgment = write(demonstration_campaign, rosa, active_s=600, in_hand_s=900)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    corrected(judgment, rosa, active_s=600, at=LATER + timedelta(hours=1))

    assert shown(rosa) == [("2.00 EUR", True, False), ("2.00 EUR", False, True)]
    assert (sheet(rosa).seconds, sheet(rosa).n, sheet(rosa).due) == (1200, 1, {"EUR": Decimal(200)})


def test_what_came_to_a_paid_day_is_paid_by_itself(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="1200")
    judgment = write(demonstration_campaign, rosa, active_s=600, in_hand_s=900)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)
    corrected(judgment, rosa, active_s=300, at=LATER + timedelta(hours=1))

    second = pay_services.mark_paid(
        rater=rosa, since=DAY, until=DAY, by=None, now=LATER + timedelta(days=1)
    )

    assert second.totals == {"EUR": "100"}
    assert shown(rosa) == [("2.00 EUR", True, False), ("1.00 EUR", True, True)]
    with pytest.raises(pay_services.UnableToPay):
        pay_services.mark_paid(
            rater=rosa, since=DAY, until=DAY, by=None, now=LATER + timedelta(days=2)
        )


def test_work_that_comes_to_a_paid_day_is_priced_as_the_day_was_paid(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)
    rate(day_shift, amount="900", basis="item", valid_from=NOON - timedelta(days=1), now=LATER)

    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10, at=NOON + timedelta(hours=1))

    assert shown(rosa) == [("1.00 EUR", True, False), ("1.00 EUR", False, True)]


def test_another_pools_work_on_a_paid_day_is_due(
    day_shift: Pool, guideline: Guideline, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    night = pools_services.create_pool(name="Night shift", by=None, now=NOON)
    pools_services.add_raters(pool=night, raters=[rosa], by=None, now=NOON)
    rate(day_shift, amount="100", basis="item")
    rate(night, amount="300", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    write(
        open_demonstration_campaign(pool=night, guideline=guideline, name="At night"),
        rosa,
        active_s=5,
        in_hand_s=10,
    )

    assert shown(rosa) == [("1.00 EUR", True, False), ("3.00 EUR", False, True)]


def test_each_rate_of_a_paid_day_prices_what_came_under_it(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="1200")
    rate(day_shift, amount="2400", valid_from=NOON + timedelta(hours=1))
    morning = write(demonstration_campaign, rosa, active_s=600, in_hand_s=900)
    write(demonstration_campaign, rosa, active_s=600, in_hand_s=900, at=NOON + timedelta(hours=2))
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    corrected(morning, rosa, active_s=600, at=LATER + timedelta(hours=1))

    assert sheet(rosa).due == {"EUR": Decimal(200)}


def test_a_pool_with_another_name_is_paid_all_the_same(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    Pool.objects.filter(pk=day_shift.pk).update(name="Early shift")

    assert shown(rosa) == [("1.00 EUR", True, False)]


def test_nothing_that_was_paid_is_taken_back_by_itself(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    judgment = write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10, at=NOON + timedelta(hours=1))
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    judgment.delete()

    assert shown(rosa) == [("2.00 EUR", True, False)]
    assert sheet(rosa).due == {}


def test_a_paid_correction_is_shown_once(alice: User, rosa: Rater) -> None:
    dispute = pay_services.raise_dispute(
        rater=rosa, since=DAY, until=DAY, text="An hour is missing.", now=NOON
    )
    pay_services.answer_dispute(
        dispute=dispute, text="Yes.", correction=Decimal(1200), currency="EUR", by=alice, now=NOON
    )

    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=alice, now=LATER)

    assert shown(rosa) == [("12.00 EUR", True, False)]


def test_no_work_is_paid_twice(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    pay_services.mark_paid(rater=rosa, since=DAY, until=DAY, by=None, now=LATER)

    with pytest.raises(pay_services.UnableToPay) as raised:
        pay_services.mark_paid(
            rater=rosa,
            since=DAY - timedelta(days=3),
            until=DAY + timedelta(days=1),
            by=None,
            now=LATER,
        )

    assert "already been paid" in raised.value.sentence
    assert Payment.objects.count() == 1
