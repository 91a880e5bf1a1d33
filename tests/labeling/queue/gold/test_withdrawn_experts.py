"""A gold that is an expert's answer is retired when the expert withdraws."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Campaign, Gold, GoldAnswer, Guideline, Judgment, Pool, Rater, Slot
from labeling.people.withdrawals import withdrawal
from labeling.queue.claiming import claim
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.answers import words
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order, next_gold, rank_by
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
OTHER = [1, 0, 2, 3]


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Four items of four responses, overlap 3; every second item of a rater may be a gold."""
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=4)
    gold_services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    return campaign


def judged(campaign: Campaign, rater: Rater, order: list[int]) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    return rank_by(slot, order, rater=rater)


@pytest.fixture
@recorded
def gold(campaign: Campaign, rosa: Rater) -> Gold:
    """Rosa's answer to the first item."""
    answer = judged(campaign, rosa, OTHER)
    return gold_services.make_gold_of_answer(judgment=answer, by=None, now=NOON)


def withdraw(rater: Rater) -> None:
    assert withdrawal.withdraw_rater(rater=rater, by=rater.user, now=LATER)


def test_it_is_retired_and_its_item_takes_answers_again(
    campaign: Campaign, gold: Gold, rosa: Rater
) -> None:
    assert not Slot.objects.filter(item=gold.made_from, state=Slot.State.FREE).exists()

    withdraw(rosa)

    gold.refresh_from_db()
    assert gold.retired_at == LATER
    assert Slot.objects.filter(item=gold.made_from, state=Slot.State.FREE).count() == 3
    assert AuditEvent.objects.filter(action="retire", target_id=gold.pk).exists()


def test_results_on_it_no_longer_count_but_are_kept(
    campaign: Campaign, gold: Gold, rosa: Rater, raul: Rater
) -> None:
    rank_by(next_gold(campaign, raul), WRONG, rater=raul, at=30)
    before = {row.rater: row.passed.n for row in gold_selectors.gold_scores(campaign=campaign)}

    withdraw(rosa)

    assert before == {raul: 1}
    assert gold_selectors.gold_scores(campaign=campaign) == []
    assert GoldAnswer.objects.filter(gold=gold, rater=raul).exists()


def test_an_order_that_somebody_else_gave_too_stays(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    answer = judged(campaign, rosa, OTHER)
    same = judged(campaign, raul, OTHER)
    assert same.item_id == answer.item_id
    gold = gold_services.make_gold_of_answer(judgment=answer, by=None, now=NOON)

    withdraw(rosa)

    gold.refresh_from_db()
    assert gold.retired_at is None


def test_an_adjudicated_order_stays(campaign: Campaign, rosa: Rater) -> None:
    answer = judged(campaign, rosa, RIGHT)
    assert answer.item is not None
    gold = gold_services.make_gold(
        item=answer.item,
        ranks=gold_order(answer.item),
        origin=Gold.Origin.ADJUDICATION,
        by=None,
        now=NOON,
    )

    withdraw(rosa)

    gold.refresh_from_db()
    assert gold.retired_at is None


def test_the_page_says_so_and_leads_to_the_adjudication(
    campaign: Campaign, gold: Gold, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    withdraw(rosa)
    client, url = signed_in(alice), f"/campaigns/{campaign.pk}/gold/"

    page = words(client.get(url))
    refused = words(client.post(f"{url}{gold.pk}/bring-back", follow=True))

    assert "1 gold item was the answer of an expert who has withdrawn" in page
    assert f'href="/campaigns/{campaign.pk}/review/{gold.made_from_id}/"' in page
    assert "expert withdrew" in page
    assert "Adjudicate the item, and promote that order." in refused
    gold.refresh_from_db()
    assert gold.retired_at is not None


def test_an_order_that_was_confirmed_since_ends_the_warning(
    campaign: Campaign, gold: Gold, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    withdraw(rosa)
    assert gold.made_from is not None
    gold_services.make_gold(
        item=gold.made_from,
        ranks=gold_order(gold.made_from),
        origin=Gold.Origin.ADJUDICATION,
        by=alice,
        now=LATER,
    )

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/gold/"))

    assert "the answer of an expert who has withdrawn" not in page


def test_undoing_the_withdrawal_brings_it_back_but_not_one_that_was_retired_before(
    campaign: Campaign, gold: Gold, rosa: Rater, alice: User
) -> None:
    second = gold_services.make_gold_of_answer(
        judgment=judged(campaign, rosa, OTHER), by=None, now=NOON
    )
    gold_services.retire_gold(gold=second, by=alice, now=NOON)
    withdraw(rosa)

    withdrawal.readmit_rater(rater=rosa, by=alice, now=LATER + timedelta(hours=1))

    gold.refresh_from_db()
    second.refresh_from_db()
    assert (gold.retired_at, second.retired_at) == (None, NOON)


def test_others_who_withdraw_leave_it(campaign: Campaign, gold: Gold, raul: Rater) -> None:
    judged(campaign, raul, RIGHT)
    rater_called("Rita", pool=campaign.pool)

    withdraw(raul)

    gold.refresh_from_db()
    assert gold.retired_at is None
