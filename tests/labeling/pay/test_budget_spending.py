"""What counts as spent of a money budget: each act at the rate of its own time."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Notice, User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.spending import budgets
from tests.cast import NOON, lease_of, open_demonstration_campaign
from tests.labeling.pay.budgeted_campaigns import budgeted, rate, write


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


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_counters_are_what_counting_finds(
    seed: int, day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    rng = random.Random(seed)
    now = NOON
    rate(day_shift, amount="1200", basis="hour", at=now)
    campaign = open_demonstration_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=30,
        overlap=2,
        budget_unit="money",
        budget=Decimal(10_000),
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
