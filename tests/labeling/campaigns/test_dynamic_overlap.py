"""How sure an item's votes are, and overlap that grows until they are."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from arithmetic.consensus import certainty
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue import slots as queue_slots
from labeling.queue.claiming import claim
from labeling.votes.item_consensus import certainty_of
from tests.cast import NOON
from tests.labeling.campaigns.judging import comparing, judge_one, prefer, raters_in

MAX_OVERLAP = 5


def votes(campaign: Campaign, raters: Sequence[Rater], numbers: Sequence[int | None]) -> None:
    for rater, number in zip(raters, numbers, strict=True):
        assert judge_one(campaign, rater, number=number) is not None


# --- how sure votes are ---------------------------------------------------------------------------


def test_two_usual_raters_who_agree_are_surer_than_two_against_one() -> None:
    agree = certainty.certainty(units=[0, 0], raters=[1, 2], labels=[1, 1], accuracy={})
    apart = certainty.certainty(units=[0, 0, 0], raters=[1, 2, 3], labels=[1, 1, -1], accuracy={})

    # 0.75² against two labels of 0.125² each; 0.75² · 0.125 against 0.125² · 0.75 and 0.125³
    assert agree == pytest.approx(0.5625 / (0.5625 + 2 * 0.015625))
    assert apart == pytest.approx(0.0703125 / (0.0703125 + 0.01171875 + 0.001953125))


def test_a_reliable_rater_outweighs_two_that_hardly_beat_chance() -> None:
    sure = certainty.certainty(
        units=[0] * 3, raters=[1, 2, 3], labels=[1, -1, -1], accuracy={1: 0.95, 2: 0.4, 3: 0.4}
    )

    assert sure == pytest.approx(0.95 * 0.09 / (0.95 * 0.09 + 0.025 * 0.16 + 0.025 * 0.09))


def test_nothing_is_certain_without_votes() -> None:
    assert certainty.certainty(units=[], raters=[], labels=[], accuracy={}) == 0.0


# --- dynamic overlap ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_item_on_which_raters_agree_keeps_its_overlap(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP)

    votes(campaign, raters_in(day_shift, 2), [0, 0])

    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_a_doubtful_item_is_judged_once_more_until_raters_are_sure(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP)
    raters = raters_in(day_shift, 6)

    votes(campaign, raters[:2], [0, 1])
    assert campaign.slots.count() == 3
    votes(campaign, raters[2:3], [0])  # two against one: 0.84
    assert campaign.slots.count() == 4
    votes(campaign, raters[3:4], [0])  # three against one: 0.97

    assert campaign.slots.count() == 4
    assert claim.claim(campaign=campaign, rater=raters[4], now=NOON) is None


@pytest.mark.django_db
def test_an_item_that_stays_doubtful_ends_at_the_most(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP)
    raters = raters_in(day_shift, 7)

    votes(campaign, raters[:5], [0, 1, None, 0, 1])

    assert judge_one(campaign, raters[5]) is None
    assert Judgment.of_people.filter(is_extra=False).count() == 5


@pytest.mark.django_db
def test_a_correction_that_settles_a_doubt_takes_the_free_slot_back(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP)
    raters = raters_in(day_shift, 2)
    votes(campaign, raters, [0, 1])
    second = Judgment.of_people.get(rater=raters[1])
    assert second.lease is not None

    shown = second.comparison.ranked.order_by("position").select_related("response")
    ranks: dict[int, int | None] = {row.position: 1 + row.response.number for row in shown}
    ratings = {place: {"overall": 4} for place in ranks}
    correct.correct(
        lease=second.lease,
        rater=raters[1],
        version=1,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOON,
    )

    assert set(campaign.slots.values_list("state", flat=True)) == {"submitted"}
    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_raters_who_call_all_bad_agree(day_shift: Pool, guideline: Guideline) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP)
    for rater in raters_in(day_shift, 2):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
        assert slot is not None
        assert slot.lease is not None
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(
                ranks={},
                ratings={place: {"overall": 1} for place in range(2)},
                reason="Both are off.",
                is_all_bad=True,
            ),
            now=NOON,
        )

    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_deciding_costs_the_same_whatever_the_campaign_holds(
    day_shift: Pool, guideline: Guideline, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    campaign = comparing(day_shift, guideline, max_overlap=MAX_OVERLAP, n_items=30)
    first, second = raters_in(day_shift, 2)
    for _ in range(30):
        judge_one(campaign, first)
    slot = claim.claim(campaign=campaign, rater=second, now=NOON)

    with django_assert_max_num_queries(24):
        prefer(slot, number=1)


def drain(campaign: Campaign, rater: Rater, seed: int, start: threading.Barrier) -> None:
    """Judges at random until three claims in a row find nothing; gives one item in ten back."""
    chance = random.Random(seed)
    now, n_empty = NOON, 0
    start.wait()
    try:
        while n_empty < 3:
            slot = claim.claim(campaign=campaign, rater=rater, now=now)
            now += timedelta(seconds=90 if slot is None else 1)
            n_empty = n_empty + 1 if slot is None else 0
            if slot is not None and chance.random() < 0.1:
                assert slot.lease is not None
                queue_slots.release(lease=slot.lease, rater=rater, now=now)
            elif slot is not None:
                prefer(slot, number=chance.choice([0, 1, None]), now=now)
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_twenty_raters_at_once_never_exceed_the_most(day_shift: Pool, guideline: Guideline) -> None:
    campaign = comparing(
        day_shift, guideline, max_overlap=5, calibration_percent=20, repeat_percent=20, n_items=20
    )
    raters = raters_in(day_shift, 20)
    start = threading.Barrier(len(raters))

    with ThreadPoolExecutor(len(raters)) as threads:
        futures = [
            threads.submit(drain, campaign, rater, seed, start) for seed, rater in enumerate(raters)
        ]
        for future in futures:
            future.result()

    given = Counter(Judgment.of_people.filter(is_extra=False).values_list("item", flat=True))
    plain = campaign.items.filter(is_calibration=False, repeat_of=None)
    assert all(2 <= given[item.pk] <= 5 for item in plain)
    assert all(
        given[item.pk] == len(raters) for item in campaign.items.filter(is_calibration=True)
    ), "everybody, once"
    pairs = Counter(Judgment.of_people.values_list("item", "rater"))
    assert set(pairs.values()) == {1}
    assert not Judgment.of_people.filter(is_extra=True).exists()
    assert not campaign.slots.exclude(state="submitted").filter(reserved_for=None).exists(), (
        "nothing is left"
    )
    for item in plain:
        if given[item.pk] < 5:
            assert certainty_of(item=item) >= 0.9
