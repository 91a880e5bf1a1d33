"""Budgets: raters never hold more work than the budget can pay for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Pool, Rate, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of, rater_called
from tests.html import page_of
from tests.labeling.pay.budgeted_campaigns import budgeted, rate, write

N_RATERS = 8


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
    # savepoint, withdrawn, slot, fill, judgment, text, draft; the row, rate, counted, rate now;
    # savepoint
    with django_assert_num_queries(12):
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
