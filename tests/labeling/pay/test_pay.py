"""Pay, computed from records: time worked, rates over time, floors, disputes and amounts."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.pay import services as pay_services
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim
from labeling.queue.spending import budgets, money
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign
from tests.labeling.pay.paid_work import DAY, LATER, rate, sheet, write

pytestmark = pytest.mark.django_db


def test_active_hours_are_paid_by_the_hour(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="1200")
    write(demonstration_campaign, rosa, active_s=600, in_hand_s=900)
    write(demonstration_campaign, rosa, active_s=1200, in_hand_s=1500)

    assert sheet(rosa).totals == {"EUR": Decimal(600)}  # half an hour at 12.00
    assert sheet(rosa).total_words == "6.00 EUR"


def test_nobody_is_paid_for_more_time_than_they_held_the_item(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600")
    write(demonstration_campaign, rosa, active_s=99_999, in_hand_s=100)

    assert sheet(rosa).totals == {"EUR": Decimal(100)}


def test_where_no_activity_was_measured_the_time_in_hand_counts_up_to_the_lease(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600")
    write(demonstration_campaign, rosa, active_s=None, in_hand_s=60)
    write(
        demonstration_campaign, rosa, active_s=None, in_hand_s=7200, at=NOON + timedelta(minutes=5)
    )

    lease_s = demonstration_campaign.lease_minutes * 60
    assert sheet(rosa).totals == {"EUR": Decimal(60 + lease_s)}


def test_items_are_paid_by_the_item(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="12.5", basis="item")
    for _ in range(3):
        write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)

    assert sheet(rosa).totals == {"EUR": Decimal(38)}  # 37.5 cents, half a cent up


def test_each_kind_of_work_has_its_own_rate(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    writing = open_demonstration_campaign(pool=day_shift, guideline=guideline)
    comparing = open_comparison_campaign(pool=day_shift, guideline=guideline)
    rate(day_shift, amount="200", basis="item")
    rate(day_shift, amount="50", basis="item", kind="comparison", currency="USD")
    write(writing, rosa, active_s=5, in_hand_s=10)
    slot = claim.claim(campaign=comparing, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    ratings = {position: {"overall": 4} for position in range(4)}
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=ComparisonAnswer(ranks={0: 1, 1: 2, 2: 3, 3: 4}, ratings=ratings),
        recorded=Recorded(active_s=9),
        now=NOON,
    )

    assert sheet(rosa).totals == {"EUR": Decimal(200), "USD": Decimal(50)}


def test_work_is_paid_at_the_rate_of_its_own_time(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    rate(day_shift, amount="300", basis="item", valid_from=NOON + timedelta(hours=1))
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10, at=NOON + timedelta(hours=2))

    assert [line.amount for line in sheet(rosa).lines] == [Decimal(100), Decimal(300)]


@pytest.mark.parametrize("basis", ["item", "hour"])
def test_a_campaign_costs_what_pay_pays_for_it(
    basis: str, day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="3600", basis=basis)
    rate(day_shift, amount="7200", basis=basis, valid_from=NOON + timedelta(hours=1))
    rate(
        day_shift, amount="1800", basis="hour", currency="USD", valid_from=NOON + timedelta(days=1)
    )
    for at in (NOON, NOON + timedelta(hours=2), NOON + timedelta(days=2)):
        write(demonstration_campaign, rosa, active_s=50, in_hand_s=100, at=at)

    spending = budgets.spending(campaign=demonstration_campaign, now=LATER)

    assert spending.amounts == sheet(rosa, until=LATER.date()).totals
    assert (spending.n_judgments, spending.active_s, spending.has_unpriced) == (3, 150.0, False)
    assert spending.words == {"item": "108.00 EUR + 0.25 USD", "hour": "1.50 EUR + 0.25 USD"}[basis]


def test_a_campaign_says_that_some_of_its_work_had_no_rate(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    write(demonstration_campaign, rosa, active_s=50, in_hand_s=100)
    assert budgets.spending(campaign=demonstration_campaign, now=LATER).amounts == {}
    rate(day_shift, amount="100", basis="item", valid_from=NOON + timedelta(hours=1))
    write(demonstration_campaign, rosa, active_s=50, in_hand_s=100, at=NOON + timedelta(hours=2))

    spending = budgets.spending(campaign=demonstration_campaign, now=LATER)

    assert (spending.words, spending.has_unpriced) == ("1.00 EUR", True)


def test_work_without_a_rate_is_counted_and_said_to_have_none(
    rosa: Rater, demonstration_campaign: Campaign
) -> None:
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)

    (line,) = sheet(rosa).lines
    assert (line.n, line.amount, line.amount_words) == (1, None, "no rate set")


def test_an_extra_judgment_is_paid(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    rate(day_shift, amount="100", basis="item")
    late = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    write(campaign, raul, active_s=5, in_hand_s=10, at=NOON + timedelta(hours=1))
    assert late is not None
    assert late.lease is not None

    extra = submit.submit(
        lease=late.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Late."),
        recorded=Recorded(active_s=5),
        now=NOON + timedelta(hours=2),
    )

    assert extra.is_extra
    assert [(line.n, line.n_extra, line.amount) for line in sheet(rosa).lines] == [
        (1, 1, Decimal(100))
    ]


def test_a_corrected_answer_is_one_item(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="100", basis="item")
    judgment = write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)
    assert judgment.lease is not None

    correct.correct(
        lease=judgment.lease,
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Better."),
        recorded=Recorded(active_s=5),
        now=NOON + timedelta(minutes=1),
    )

    assert sheet(rosa).totals == {"EUR": Decimal(100)}


def test_how_something_was_typed_changes_no_pay(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="1200")
    write(demonstration_campaign, rosa, active_s=600, in_hand_s=900)
    before = sheet(rosa).totals

    Judgment.of_people.update(
        presentation={"pastes": 40, "keys": 0}, warnings=["faster_than_reading", "unusual_length"]
    )

    assert sheet(rosa).totals == before


def test_pay_below_the_floor_raises_an_alarm(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="200", basis="item", floor=Decimal(1200))
    write(demonstration_campaign, rosa, active_s=1800, in_hand_s=1800)

    assert [alarm.sentence for alarm in sheet(rosa).alarms] == [
        "Demonstrations in “Day shift” come to 4.00 EUR per hour; the minimum is 12.00 EUR."
    ]


def test_pay_above_the_floor_raises_none(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="700", basis="item", floor=Decimal(1200))
    write(demonstration_campaign, rosa, active_s=1800, in_hand_s=1800)

    assert sheet(rosa).alarms == []


def test_admins_are_told_once_a_month_whose_pay_is_below_the_floor(
    alice: User, day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="200", basis="item", floor=Decimal(1200))
    write(demonstration_campaign, rosa, active_s=1800, in_hand_s=1800)

    assert [pay_services.warn_of_floors(now=NOON + timedelta(days=day)) for day in (0, 1)] == [1, 1]

    (notice,) = Notice.objects.filter(person=alice)
    assert (
        notice.sentence
        == f"{rosa.alias}: Demonstrations in “Day shift” come to 4.00 EUR per hour; the minimum is"
        " 12.00 EUR."
    )
    assert notice.path == f"/pay/raters/{rosa.pk}/?since=2026-03-01&until=2026-03-02"
    assert (
        pay_services.warn_of_floors(now=NOON + timedelta(days=40)) == 0
    )  # of a later month, nothing yet


def test_work_of_a_months_last_evening_alarms_in_the_next_ones_first_days(
    alice: User, day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    rate(day_shift, amount="200", basis="item", floor=Decimal(1200))
    evening = NOON.replace(day=31, hour=22)
    write(demonstration_campaign, rosa, active_s=1800, in_hand_s=1800, at=evening)

    assert [
        pay_services.warn_of_floors(now=evening + timedelta(days=day)) for day in (1, 6, 7, 8)
    ] == [
        1,
        1,
        1,
        0,
    ]

    assert (
        Notice.objects.get(person=alice).path
        == f"/pay/raters/{rosa.pk}/?since=2026-03-01&until=2026-03-31"
    )


def test_each_pool_and_kind_of_work_below_its_floor_is_told(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    demonstration_campaign: Campaign,
) -> None:
    night = pools_services.create_pool(name="Night shift", by=None, now=NOON)
    pools_services.add_raters(pool=night, raters=[rosa], by=None, now=NOON)
    at_night = open_demonstration_campaign(pool=night, guideline=guideline, name="At night")
    for pool in (day_shift, night):
        rate(pool, amount="200", basis="item", floor=Decimal(1200))
    write(demonstration_campaign, rosa, active_s=1800, in_hand_s=1800)
    pay_services.warn_of_floors(now=NOON + timedelta(hours=1))

    write(at_night, rosa, active_s=1800, in_hand_s=1800, at=NOON + timedelta(hours=2))

    assert [pay_services.warn_of_floors(now=NOON + timedelta(hours=hours)) for hours in (3, 9)] == [
        2,
        2,
    ]
    told = Notice.objects.filter(person=alice).order_by("pk").values_list("sentence", flat=True)
    assert ["Day shift" in told[0], "Night shift" in told[1], len(told)] == [True, True, 2]


@pytest.mark.parametrize(
    ("days_later", "sentence"), [(0, "The period is not over"), (3, "Some lines have no rate")]
)
def test_what_cannot_be_paid_yet_says_why(
    days_later: int, sentence: str, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    write(demonstration_campaign, rosa, active_s=5, in_hand_s=10)

    with pytest.raises(pay_services.UnableToPay) as raised:
        pay_services.mark_paid(
            rater=rosa, since=DAY, until=DAY, by=None, now=NOON + timedelta(days=days_later)
        )

    assert sentence in raised.value.sentence


def test_an_answered_dispute_may_correct_the_pay(alice: User, rosa: Rater) -> None:
    dispute = pay_services.raise_dispute(
        rater=rosa, since=DAY, until=DAY, text="An hour is missing.", now=NOON
    )
    assert Notice.objects.filter(person=alice).count() == 1

    pay_services.answer_dispute(
        dispute=dispute,
        text="You are right.",
        correction=Decimal(1200),
        currency="EUR",
        by=alice,
        now=NOON,
    )

    assert [(line.kind, line.amount_words) for line in sheet(rosa).lines] == [
        ("correction", "12.00 EUR")
    ]
    assert AuditEvent.objects.filter(
        by=alice, action="answer", after__correction="12.00 EUR"
    ).exists()


def test_a_dispute_is_answered_once(alice: User, rosa: Rater) -> None:
    dispute = pay_services.raise_dispute(
        rater=rosa, since=DAY, until=DAY, text="An hour is missing.", now=NOON
    )

    assert pay_services.answer_dispute(dispute=dispute, text="First.", by=alice, now=NOON)
    assert not pay_services.answer_dispute(
        dispute=dispute, text="Second.", correction=Decimal(1), currency="EUR", by=alice, now=NOON
    )


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        ("1250", "EUR", "12.50 EUR"),
        ("1250", "JPY", "1,250 JPY"),
        ("1250", "KWD", "1.250 KWD"),
        ("12.5", "EUR", "0.125 EUR"),
        ("0", "EUR", "0.00 EUR"),
    ],
)
def test_amounts_are_said_in_the_currencys_own_units(minor: str, currency: str, words: str) -> None:
    assert money.words(Decimal(minor), currency) == words
