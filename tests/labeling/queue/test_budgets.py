"""A budget is never passed by what raters hold: what is in hand is counted before the next item is
given out.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Notice, User
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.services import Effort
from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments.answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rate, Rater, Slot
from labeling.pay import services as pay_services
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.spending import budgets
from tests.cast import NOON, lease_of, open_demonstration_campaign, rater_called
from tests.html import page_of

N_RATERS = 8


def budgeted(pool: Pool, guideline: Guideline, unit: str, amount: str, **fields: Any) -> Campaign:
    effort = Effort(budget_unit=unit, budget=Decimal(amount))
    return open_demonstration_campaign(
        pool=pool, guideline=guideline, n_items=12, effort=effort, **fields
    )


def by_the_item(pool: Pool, amount: int) -> None:
    Rate.objects.create(
        pool=pool,
        kind="demonstration",
        basis="item",
        amount=amount,
        currency="EUR",
        valid_from=NOON,
    )


@pytest.mark.django_db
def test_what_raters_hold_counts_before_anything_more_is_given(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    claim.claim(campaign=campaign, rater=rosa, now=NOON)

    with pytest.raises(claim.UnableToClaim) as refused:
        claim.claim(campaign=campaign, rater=raul, now=NOON)

    assert "The rest of the budget of “Write” is reserved by others" in refused.value.sentence


@pytest.mark.django_db
def test_what_is_given_back_can_be_given_to_another(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    held = claim.claim(campaign=campaign, rater=rosa, now=NOON)

    slots.release(lease=lease_of(held), rater=rosa, now=NOON)

    assert claim.claim(campaign=campaign, rater=raul, now=NOON) is not None


@pytest.mark.django_db
def test_an_item_whose_rater_went_away_may_be_taken_over(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    held = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    later = NOON + timedelta(hours=2)

    taken = claim.claim(campaign=campaign, rater=raul, now=later)

    assert held is not None
    assert taken is not None
    assert taken.item_id == held.item_id


@pytest.mark.django_db
def test_money_that_buys_no_whole_item_more_is_spent(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    by_the_item(day_shift, 30)
    campaign = budgeted(day_shift, guideline, "money", "1.00")

    for _ in range(3):  # 0.90, and a fourth would be 1.20
        held = claim.claim(campaign=campaign, rater=rosa, now=NOON)
        submit.submit(
            lease=lease_of(held),
            rater=rosa,
            answer=DemonstrationAnswer(text="An answer."),
            now=NOON,
        )

    campaign.refresh_from_db()
    assert (campaign.state, campaign.spent_judgments) == ("paused", 3)


@pytest.mark.django_db
def test_hours_in_hand_are_counted_at_what_a_judgment_has_taken_so_far(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "hours", "1")
    Campaign.objects.filter(pk=campaign.pk).update(
        spent_judgments=20, spent_s=20 * 165.0
    )  # 300 s are left
    claim.claim(campaign=campaign, rater=rosa, now=NOON)

    with pytest.raises(claim.UnableToClaim):
        claim.claim(campaign=campaign, rater=raul, now=NOON)


@pytest.mark.django_db
def test_the_time_on_a_skip_is_spent_too(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "hours", "10")
    held = claim.claim(campaign=campaign, rater=rosa, now=NOON)

    now = NOON + timedelta(seconds=100)
    slots.skip(lease=lease_of(held), rater=rosa, reason="not_my_field", active_s=60, now=now)

    campaign.refresh_from_db()
    assert (campaign.spent_judgments, campaign.spent_s) == (0, 60.0)


@pytest.mark.django_db
def test_the_time_of_a_correction_is_spent_too(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "hours", "10")
    lease = lease_of(claim.claim(campaign=campaign, rater=rosa, now=NOON))
    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=60),
        now=NOON + timedelta(seconds=90),
    )

    now = NOON + timedelta(seconds=200)
    correct.correct(
        lease=lease,
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="A better one."),
        recorded=Recorded(active_s=40),
        now=now,
    )

    campaign.refresh_from_db()
    assert campaign.spent_s == 100.0


# --- money, each act at the rate of its own time --------------------------------------------------


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


def spent(campaign: Campaign) -> dict[str, Decimal]:
    campaign.refresh_from_db()
    return {currency: Decimal(amount) for currency, amount in campaign.spent_amounts.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("basis", ["item", "hour"])
def test_a_raise_leaves_what_was_spent_as_it_was(
    basis: str, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    rate(day_shift, amount="60", basis=basis)
    campaign = budgeted(day_shift, guideline, "money", "3.00")
    for _ in range(3):
        write(campaign, rosa, seconds=3600)

    rate(
        day_shift, amount="100", basis=basis, at=NOON + timedelta(hours=6)
    )  # at this rate the budget would be spent
    write(campaign, rosa, seconds=3600, at=NOON + timedelta(hours=7))

    assert spent(campaign) == {"EUR": 280}


@pytest.mark.django_db
def test_a_correction_is_paid_at_the_rate_of_the_first_answer(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    rate(day_shift, amount="3600", basis="hour")
    campaign = budgeted(day_shift, guideline, "money", "900")
    judgment = write(campaign, rosa, seconds=50)
    rate(day_shift, amount="36000", basis="hour", at=NOON + timedelta(hours=1))

    correct.correct(
        lease=lease_of(judgment),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Better."),
        recorded=Recorded(active_s=20),
        now=NOON + timedelta(hours=2),
    )

    assert spent(campaign) == {"EUR": 70}


@pytest.mark.django_db
def test_a_rate_for_earlier_days_counts_them_anew_and_stops_what_it_leaves_too_little(
    day_shift: Pool, guideline: Guideline, rosa: Rater, alice: User
) -> None:
    rate(day_shift, amount="100")
    campaign = budgeted(day_shift, guideline, "money", "5.00")
    write(campaign, rosa, at=NOON + timedelta(hours=1))

    rate(day_shift, amount="300", at=NOON + timedelta(hours=1), now=NOON + timedelta(hours=2))

    assert spent(campaign) == {"EUR": 300}
    assert campaign.state == "paused"
    assert Notice.objects.filter(person=alice, kind=Notice.Kind.PAUSED).count() == 1


@pytest.mark.django_db
def test_what_was_done_when_no_rate_was_in_force_is_not_spent(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline)
    write(campaign, rosa)
    rate(day_shift, amount="100", at=NOON + timedelta(hours=1))
    change = {"budget_unit": "money", "budget": Decimal(1)}
    campaigns_services.change_campaign(
        campaign=campaign, values=change, by=None, now=NOON + timedelta(hours=2)
    )

    assert spent(campaign) == {"EUR": 0}
    write(campaign, rosa, at=NOON + timedelta(hours=3))

    assert spent(campaign) == {"EUR": 100}
    assert campaign.state == "paused"


@pytest.mark.django_db
def test_a_budget_is_of_the_currency_that_the_pool_pays_now(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    rate(day_shift, amount="90")
    campaign = budgeted(day_shift, guideline, "money", "2.00")
    write(campaign, rosa)
    rate(day_shift, amount="100", currency="USD", at=NOON + timedelta(hours=1))

    write(campaign, rosa, at=NOON + timedelta(hours=2))

    assert spent(campaign) == {"EUR": 90, "USD": 100}
    assert campaign.state == "open"


@pytest.mark.django_db
def test_parts_of_an_hour_add_up_before_they_are_rounded(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    rate(day_shift, amount="1", basis="hour")
    campaign = budgeted(day_shift, guideline, "money", "100")

    for seconds in (1200, 1200, 3000):  # 1/3, 1/3, and 5/6 of a cent are a cent and a half
        write(campaign, rosa, seconds=seconds)

    campaign.refresh_from_db()
    assert budgets.spending(campaign=campaign, now=NOON + timedelta(days=1)).amounts == {"EUR": 2}
    assert budgets.Spending(3, 0.0, spent(campaign)).amounts == {"EUR": 2}


@pytest.mark.django_db
def test_an_answer_that_comes_after_the_skip_is_spent_in_its_place_and_undone_the_skip_is_again(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    rate(day_shift, amount="3600", basis="hour")
    campaign = budgeted(day_shift, guideline, "money", "9.00")
    lease = lease_of(claim.claim(campaign=campaign, rater=rosa, now=NOON))
    later = NOON + timedelta(seconds=90)
    slots.skip(lease=lease, rater=rosa, reason="not_my_field", active_s=30, now=later)

    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="After all."),
        recorded=Recorded(active_s=40),
        now=later,
    )
    answered = spent(campaign)
    undo.undo(lease=lease, rater=rosa, draft={}, now=later)

    assert answered == {"EUR": 40}
    assert (spent(campaign), campaign.spent_judgments, campaign.spent_s) == ({"EUR": 30}, 0, 30.0)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_counters_are_what_counting_finds(
    seed: int, day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    rng = random.Random(seed)
    now = NOON
    rate(day_shift, amount="1200", basis="hour", at=now)
    effort = Effort(budget_unit="money", budget=Decimal(10_000))
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=30, overlap=2, effort=effort
    )
    given: list[tuple[Rater, Judgment]] = []

    for _ in range(60):
        now += timedelta(seconds=rng.randrange(1, 2000))
        rater = rng.choice([rosa, raul])
        act = rng.choice(
            [
                "submit",
                "submit",
                "submit",
                "skip",
                "skip and answer",
                "correct",
                "undo",
                "rate",
                "lease",
            ]
        )
        active_s = rng.choice([None, rng.uniform(1, 300)])
        if act == "rate":
            amount, basis = str(rng.randrange(1, 3000)), rng.choice(["item", "hour"])
            since = now - timedelta(seconds=rng.randrange(5000))
            rate(
                day_shift,
                amount=amount,
                basis=basis,
                currency=rng.choice(["EUR", "USD"]),
                at=since,
                now=now,
            )
        elif act == "lease":
            values = {"lease_minutes": rng.randrange(1, 40)}
            campaigns_services.change_campaign(campaign=campaign, values=values, by=None, now=now)
        elif act == "correct" and given:
            who, old = given.pop()
            new = correct.correct(
                lease=lease_of(old),
                rater=who,
                version=old.version,
                answer=DemonstrationAnswer(text="Better."),
                recorded=Recorded(active_s=active_s),
                now=now,
            )
            given.insert(0, (who, new))
        elif (held := claim.claim(campaign=campaign, rater=rater, now=now)) is not None:
            lease = lease_of(held)
            now += timedelta(seconds=rng.randrange(1, 3000))
            if act.startswith("skip"):
                slots.skip(
                    lease=lease, rater=rater, reason="not_my_field", active_s=active_s, now=now
                )
            if act != "skip":
                judgment = submit.submit(
                    lease=lease,
                    rater=rater,
                    answer=DemonstrationAnswer(text="An answer."),
                    recorded=Recorded(active_s=active_s),
                    now=now,
                )
                given.append((rater, judgment))
            if act == "undo":
                undo.undo(lease=lease, rater=rater, draft={}, now=now)
                given.pop()

    counted = budgets.spending(campaign=campaign, now=now)
    assert {c: round(amount, 6) for c, amount in spent(campaign).items()} == {
        currency: round(amount, 6) for currency, amount in counted.exact.items()
    }
    assert (campaign.spent_judgments, campaign.spent_s) == (
        counted.n_judgments,
        pytest.approx(counted.active_s),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("n_before", [1, 6])
def test_asking_the_budget_costs_the_same_after_many_judgments(
    n_before: int,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rate(day_shift, amount="30")
    campaign = budgeted(day_shift, guideline, "money", "50.00")
    for _ in range(n_before):
        write(campaign, rosa)

    with django_assert_num_queries(7):  # admitted, savepoint; the row, held, rate; claim; savepoint
        held = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    with django_assert_num_queries(
        11
    ):  # savepoint, slot, fill, judgment, text, draft; the row, rate, counted, rate now; savepoint
        submit.submit(
            lease=lease_of(held),
            rater=rosa,
            answer=DemonstrationAnswer(text="An answer."),
            recorded=Recorded(active_s=9),
            now=NOON,
        )


@pytest.mark.django_db
def test_the_desk_says_why_nothing_is_given(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    signed_in: Callable[..., Client],
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    claim.claim(campaign=campaign, rater=rosa, now=timezone.now())

    page = page_of(signed_in(raul).post(f"/desk/{campaign.pk}/next", follow=True))

    assert "The rest of the budget of “Write” is reserved by others" in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="two writers at once need PostgreSQL")
@pytest.mark.parametrize(
    ("unit", "budget", "n_paid"), [("judgments", "5", 5), ("money", "1.00", 3)]
)
def test_raters_who_come_at_once_never_spend_more_than_the_budget(
    unit: str, budget: str, n_paid: int, day_shift: Pool, guideline: Guideline
) -> None:
    by_the_item(day_shift, 30)
    raters = [rater_called(f"Rater {number}", pool=day_shift) for number in range(N_RATERS)]
    campaign = budgeted(day_shift, guideline, unit, budget)
    together = Barrier(N_RATERS)

    def work(rater: Rater) -> int:
        """Claim with everybody else, then submit and claim again until nothing is given."""
        n_given = 0
        try:
            together.wait(timeout=30)
            while (lease := claimed(rater)) is not None:
                submit.submit(
                    lease=lease,
                    rater=rater,
                    answer=DemonstrationAnswer(text="An answer."),
                    now=NOON,
                )
                n_given += 1
        finally:
            connections.close_all()
        return n_given

    def claimed(rater: Rater) -> UUID | None:
        stored = Campaign.objects.get(pk=campaign.pk)
        try:
            slot = claim.claim(campaign=stored, rater=rater, now=NOON)
        except claim.UnableToClaim:
            return None
        return None if slot is None else slot.lease

    with ThreadPoolExecutor(N_RATERS) as pool:
        n_given = sum(pool.map(work, raters))

    campaign.refresh_from_db()
    assert (n_given, campaign.spent_judgments, campaign.state) == (n_paid, n_paid, "paused")
    assert not Slot.objects.filter(campaign=campaign, state=Slot.State.LEASED).exists()
