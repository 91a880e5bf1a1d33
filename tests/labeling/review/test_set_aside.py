"""A judgment that is set aside asks for another in its place, and taken back it never makes an
item's overlap too large.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.services import Effort
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Item, Judgment, Pool, Rater, Slot
from labeling.queue import items
from labeling.queue.claiming import claim
from labeling.queue.gold import services as gold_services
from labeling.queue.stuck import stuck
from labeling.review import set_aside
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
)
from tests.html import page_of
from tests.labeling.campaigns.judging import judge_one, raters_in

pytestmark = pytest.mark.django_db


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def written(
    campaign: Campaign, rater: Rater, *, text: str = "Four.", minutes: float = 0
) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=after(minutes))
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=after(minutes)
    )


def counted(campaign: Campaign) -> dict[int, int]:
    """By item, the judgments that fill its overlap."""
    found = Judgment.objects.filter(campaign=campaign, is_extra=False, set_aside=None).values_list(
        "item_id", flat=True
    )
    return dict(Counter(pk for pk in found if pk is not None))


@pytest.fixture
def one_item(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, one item, overlap 2."""
    return open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=2)


def test_another_rater_is_asked_and_never_the_same_again(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)

    set_aside.set_aside(judgment=judgment, reason="Guessed.", by=None, now=after(1))

    assert claim.claim(campaign=one_item, rater=rosa, now=after(2)) is None
    assert claim.claim(campaign=one_item, rater=raul, now=after(2)) is None
    written(one_item, rita, minutes=2)
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_it_comes_before_what_nobody_has_had(
    day_shift: Pool, guideline: Guideline, rosa: Rater, rita: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=3, overlap=1
    )
    judgment = written(campaign, rosa)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    slot = claim.claim(campaign=campaign, rater=rita, now=after(2))
    assert slot is not None
    assert slot.item_id == judgment.item_id


def test_whoever_holds_the_item_keeps_it(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    held = claim.claim(campaign=one_item, rater=raul, now=NOON)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    given = submit.submit(
        lease=lease_of(held), rater=raul, answer=DemonstrationAnswer(text="Four."), now=after(2)
    )
    assert not given.is_extra
    assert not written(one_item, rita, minutes=3).is_extra
    assert list(counted(one_item).values()) == [2]


def test_a_closed_campaign_hands_nothing_out_until_it_is_opened_again(
    one_item: Campaign, rosa: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, rater_called("Rut", pool=one_item.pool))
    campaigns_services.close_campaign(campaign=one_item, by=None, now=after(1))

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(2))
    while_closed = claim.claim(campaign=one_item, rater=rita, now=after(3))
    campaigns_services.reopen_campaign(campaign=one_item, by=None, now=after(4))

    assert while_closed is None
    assert claim.claim(campaign=one_item, rater=rita, now=after(5)) is not None


def test_a_spent_budget_hands_nothing_out_until_it_is_raised(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    effort = Effort(budget_unit="judgments", budget=Decimal(2))
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2, effort=effort
    )
    judgment = written(campaign, rosa)
    written(campaign, raul)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    campaign.refresh_from_db()
    while_spent = claim.claim(campaign=campaign, rater=rita, now=after(2))
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(3)}, by=None, now=after(3)
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=after(3))

    assert while_spent is None
    written(campaign, rita, minutes=4)
    assert list(counted(campaign).values()) == [2]


# --- taking the decision back ---------------------------------------------------------------------


def test_taken_back_before_anybody_took_it_the_open_slot_is_withdrawn(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    back = set_aside.take_back(judgment=judgment, by=None, now=after(2))

    assert back is not None
    assert not Judgment.objects.get(pk=judgment.pk).is_extra
    assert claim.claim(campaign=one_item, rater=rita, now=after(3)) is None
    assert set(one_item.slots.values_list("state", "rater")) == {
        ("submitted", rosa.pk),
        ("submitted", raul.pk),
    }


def test_taken_back_while_another_holds_the_slot_it_is_an_extra(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    held = claim.claim(campaign=one_item, rater=rita, now=after(2))

    set_aside.take_back(judgment=judgment, by=None, now=after(3))
    instead = submit.submit(
        lease=lease_of(held), rater=rita, answer=DemonstrationAnswer(text="Four."), now=after(4)
    )

    assert Judgment.objects.get(pk=judgment.pk).is_extra
    assert not instead.is_extra
    assert list(counted(one_item).values()) == [2]


def test_taken_back_after_another_has_judged_it_is_an_extra_and_stays_one(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    written(one_item, rita, minutes=2)

    for minutes in (3, 5):
        set_aside.take_back(judgment=judgment, by=None, now=after(minutes))
        set_aside.set_aside(judgment=judgment, reason="Again.", by=None, now=after(minutes + 1))
    set_aside.take_back(judgment=judgment, by=None, now=after(7))

    assert Judgment.objects.get(pk=judgment.pk).is_extra
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_set_aside_and_taken_back_again_and_again_leaves_things_as_they_were(
    one_item: Campaign, rosa: Rater
) -> None:
    judgment = written(one_item, rosa)

    for minutes in (1, 3, 5):
        set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(minutes))
        set_aside.take_back(judgment=judgment, by=None, now=after(minutes + 1))

    stored = Judgment.objects.select_related("slot").get(pk=judgment.pk)
    assert stored.slot is not None
    assert (stored.slot.state, stored.slot.rater_id, stored.is_extra) == (
        "submitted",
        rosa.pk,
        False,
    )
    assert sorted(one_item.slots.values_list("state", flat=True)) == ["free", "submitted"]


@pytest.mark.parametrize(("is_taken", "is_extra"), [(False, False), (True, True)])
def test_a_correction_of_what_was_set_aside_counts_where_there_is_room(
    is_taken: bool, is_extra: bool, one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    if is_taken:
        written(one_item, rita, minutes=2)

    corrected = correct.correct(
        lease=lease_of(judgment),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Five."),
        now=after(3),
    )

    assert corrected.is_extra is is_extra
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_the_rater_still_finds_and_corrects_the_answer(
    one_item: Campaign, rosa: Rater, signed_in: Callable[..., Client]
) -> None:
    judgment = written(one_item, rosa)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    page = signed_in(rosa).get(f"/desk/item/{lease_of(judgment)}/correct")

    assert page.status_code == 200
    assert "Four." in page_of(page)


def test_the_same_submit_sent_again_is_still_the_same_judgment(
    one_item: Campaign, rosa: Rater
) -> None:
    judgment = written(one_item, rosa)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    again = submit.submit(
        lease=lease_of(judgment), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(2)
    )

    assert again == judgment


def test_the_reviewer_is_told_whether_it_counts_in_full(
    one_item: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    judgment = written(one_item, rosa)
    client = signed_in(alice)
    address = f"/campaigns/{one_item.pk}/review/{judgment.item_id}"

    aside = page_of(client.post(f"{address}/aside/{judgment.pk}", follow=True))
    back = page_of(client.post(f"{address}/back/{judgment.pk}", follow=True))
    client.post(f"{address}/aside/{judgment.pk}")
    written(one_item, raul)
    written(one_item, rater_called("Rut", pool=one_item.pool))
    as_extra = page_of(client.post(f"{address}/back/{judgment.pk}", follow=True))

    assert "If its item needs another answer, another rater gets it." in aside
    assert "Restored. It counts again." in back
    assert (
        "Restored as an extra: another rater has answered the item in its place, or is doing so."
        in as_extra
    )


# --- items that ask nobody else -------------------------------------------------------------------


def test_an_item_that_everybody_judges_asks_nobody_else(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    effort = Effort(calibration_percent=50)
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=1, n_responses=2, effort=effort
    )
    judgment = judge_one(campaign, rosa)
    assert judgment is not None
    judge_one(campaign, raul)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    assert not campaign.slots.exclude(state="submitted").exists()


def test_an_item_that_became_a_gold_asks_nobody_else(
    comparison_campaign: Campaign, rosa: Rater, rita: Rater
) -> None:
    judgment = judge_one(comparison_campaign, rosa)
    assert judgment is not None
    gold_services.make_gold_of_answer(judgment=judgment, by=None, now=NOON)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    assert list(Slot.objects.filter(item=judgment.item).values_list("state", flat=True)) == [
        "submitted"
    ]


def test_a_gold_made_meanwhile_leaves_room_for_what_is_taken_back(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judgment, better = judge_one(comparison_campaign, rosa), judge_one(comparison_campaign, raul)
    assert judgment is not None
    assert better is not None
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    gold_services.make_gold_of_answer(judgment=better, by=None, now=after(2))

    set_aside.take_back(judgment=judgment, by=None, now=after(3))

    assert not Judgment.objects.get(pk=judgment.pk).is_extra
    assert (
        list(Slot.objects.filter(item=judgment.item).values_list("state", flat=True))
        == ["submitted"] * 2
    )


def test_a_held_item_asks_when_it_is_let_go(one_item: Campaign, rosa: Rater, rita: Rater) -> None:
    judgment = written(one_item, rosa)
    assert judgment.item_id is not None
    items.hold(item_ids=[judgment.item_id], now=NOON)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    while_held = claim.claim(campaign=one_item, rater=rita, now=after(2))
    items.end_hold(item_ids=[judgment.item_id], now=after(3))

    assert while_held is None
    assert sorted(one_item.slots.values_list("state", flat=True)) == ["free", "free"]


def test_another_overlap_still_leaves_room_for_it(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    campaigns_services.change_campaign(
        campaign=one_item, values={"overlap": 3}, by=None, now=after(2)
    )

    assert sorted(one_item.slots.values_list("state", flat=True)) == ["free", "free", "submitted"]


# --- overlap that follows doubt -------------------------------------------------------------------


@pytest.fixture
def doubtful(day_shift: Pool, guideline: Guideline) -> tuple[Campaign, list[Judgment]]:
    """One item, overlap 2 and at most 5; two raters against one, so that a fourth slot is open."""
    campaign = open_comparison_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=1,
        n_responses=2,
        overlap=2,
        effort=Effort(max_overlap=5),
    )
    given = [
        judge_one(campaign, rater, number=number)
        for rater, number in zip(raters_in(day_shift, 3), (0, 1, 0), strict=True)
    ]
    return campaign, [judgment for judgment in given if judgment is not None]


def test_where_the_others_agree_nobody_is_asked_in_its_place(
    doubtful: tuple[Campaign, list[Judgment]],
) -> None:
    campaign, given = doubtful
    before = sorted(campaign.slots.values_list("state", flat=True))

    set_aside.set_aside(judgment=given[1], reason="", by=None, now=after(1))

    assert before == ["free", "submitted", "submitted", "submitted"]
    assert sorted(campaign.slots.values_list("state", flat=True)) == ["submitted", "submitted"]


def test_where_the_others_doubt_somebody_is(doubtful: tuple[Campaign, list[Judgment]]) -> None:
    campaign, given = doubtful

    set_aside.set_aside(judgment=given[0], reason="", by=None, now=after(1))

    assert "free" in campaign.slots.values_list("state", flat=True)


def test_a_doubt_that_is_taken_back_counts_and_asks_again(
    doubtful: tuple[Campaign, list[Judgment]],
) -> None:
    campaign, given = doubtful
    set_aside.set_aside(judgment=given[1], reason="", by=None, now=after(1))

    set_aside.take_back(judgment=given[1], by=None, now=after(2))

    assert not Judgment.objects.get(pk=given[1].pk).is_extra
    assert sorted(campaign.slots.values_list("state", flat=True)) == [
        "free",
        "submitted",
        "submitted",
        "submitted",
    ]


# --- who is left, and many at once ----------------------------------------------------------------


def test_the_board_says_that_nobody_is_left_for_it(
    one_item: Campaign, rosa: Rater, raul: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    assert stuck(campaign=one_item, now=after(2)).n_nobody == 1


def test_the_board_knows_when_somebody_is(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    assert stuck(campaign=one_item, now=after(2)).n_nobody == 0


N_RATERS, N_REVIEWERS = 12, 3


@pytest.mark.django_db(transaction=True)
def test_reviewers_and_raters_at_once_never_exceed_the_overlap(
    day_shift: Pool, guideline: Guideline, alice: User
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=8, overlap=3
    )
    raters = raters_in(day_shift, N_RATERS)
    start, is_over = threading.Barrier(N_RATERS + N_REVIEWERS), threading.Event()

    def rate(rater: Rater) -> None:
        start.wait()
        n_empty, minutes = 0, 0.0
        try:
            while n_empty < 5:
                minutes += 2
                slot = claim.claim(campaign=campaign, rater=rater, now=after(minutes))
                if slot is None:
                    n_empty += 1
                else:
                    submit.submit(
                        lease=lease_of(slot),
                        rater=rater,
                        answer=DemonstrationAnswer(text="Four."),
                        now=after(minutes),
                    )
        finally:
            connection.close()

    def review(seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        try:
            while not is_over.is_set():
                for judgment in chance.sample(
                    found := list(Judgment.objects.filter(campaign=campaign)), len(found)
                ):
                    if chance.random() < 0.4:
                        set_aside.set_aside(judgment=judgment, reason="", by=alice, now=NOON)
                    if chance.random() < 0.7:
                        set_aside.take_back(judgment=judgment, by=alice, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(N_RATERS + N_REVIEWERS) as threads:
        reviewing = [threads.submit(review, seed) for seed in range(N_REVIEWERS)]
        rating = [threads.submit(rate, rater) for rater in raters]
        try:
            for done in rating:
                done.result()
        finally:
            is_over.set()
        for done in reviewing:
            done.result()

    assert_every_judgment_has_its_place(campaign)
    for rater in raters_in_addition(day_shift, 3):
        while (slot := claim.claim(campaign=campaign, rater=rater, now=after(999))) is not None:
            submit.submit(
                lease=lease_of(slot),
                rater=rater,
                answer=DemonstrationAnswer(text="Four."),
                now=after(999),
            )
    assert_every_judgment_has_its_place(campaign)
    assert set(counted(campaign).values()) == {3}, "every item has its overlap"
    assert len(counted(campaign)) == 8


def raters_in_addition(pool: Pool, n: int) -> list[Rater]:
    return [rater_called(f"Later {number}", pool=pool) for number in range(n)]


def assert_every_judgment_has_its_place(campaign: Campaign) -> None:
    """Three slots an item, each submitted one with the judgment of its rater, and no judgment
    counts without one.
    """
    assert set(Item.objects.filter(campaign=campaign).values_list("pk", flat=True)) == set(
        Slot.objects.filter(campaign=campaign).values_list("item", flat=True)
    )
    assert set(Counter(campaign.slots.values_list("item", flat=True)).values()) == {3}
    for slot in campaign.slots.filter(state="submitted").select_related("judgment"):
        assert (slot.judgment.rater_id, slot.judgment.item_id) == (slot.rater_id, slot.item_id)
        assert not hasattr(slot.judgment, "set_aside")
    unseated = Judgment.objects.filter(campaign=campaign, slot=None, set_aside=None)
    assert not unseated.filter(is_extra=False).exists()
    pairs = Counter(Judgment.objects.filter(campaign=campaign).values_list("item", "rater"))
    assert set(pairs.values()) == {1}, "nobody twice on an item"
