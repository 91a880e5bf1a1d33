"""Items whose set-aside judgments nobody replaces, items in doubt, and many reviewers and raters at
once.
"""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
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
from tests.labeling.campaigns.judging import judge_one, raters_in
from tests.labeling.review.set_aside_work import after, counted, written
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db


# --- items that ask nobody else -------------------------------------------------------------------


def test_an_item_that_everybody_judges_asks_nobody_else(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=1,
        overlap=1,
        n_responses=2,
        calibration_percent=50,
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

    assert not Judgment.of_people.get(pk=judgment.pk).is_extra
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
@recorded
def doubtful(day_shift: Pool, guideline: Guideline) -> tuple[Campaign, list[Judgment]]:
    """One item, overlap 2 and at most 5; two raters against one, so that a fourth slot is open."""
    campaign = open_comparison_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=1,
        n_responses=2,
        overlap=2,
        max_overlap=5,
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

    assert not Judgment.of_people.get(pk=given[1].pk).is_extra
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


@pytest.mark.slow
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
                    found := list(Judgment.of_people.filter(campaign=campaign)), len(found)
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


@recorded
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
    unseated = Judgment.of_people.filter(campaign=campaign, slot=None, set_aside=None)
    assert not unseated.filter(is_extra=False).exists()
    pairs = Counter(Judgment.of_people.filter(campaign=campaign).values_list("item", "rater"))
    assert set(pairs.values()) == {1}, "nobody twice on an item"
