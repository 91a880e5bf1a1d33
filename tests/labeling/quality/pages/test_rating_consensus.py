"""The consensus of ratings: of imported and own scales, flags and categories."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from scipy import stats

from accounts.models import User
from arithmetic.consensus import ratings
from arithmetic.consensus.ratings import Noise
from labeling.data.exports import shapes
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Item, Rater
from labeling.people.withdrawals import withdrawal
from labeling.quality.services import compute_quality
from labeling.queue.claiming import claim
from labeling.votes import rating_consensus
from tests.api.conftest import client_with, secret_of
from tests.cast import NOON, lease_of
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

# The arithmetic


def test_the_interval_of_a_mean_is_students() -> None:
    given = [2, 4, 5, 5, 3]

    found = ratings.together(given, [1] * 5, lowest=-100, highest=100)

    rounded = math.sqrt((np.var(given, ddof=1) + 1 / 12) / 5)
    low, high = stats.t.interval(0.95, 4, loc=3.8, scale=rounded)
    assert (found.mean, found.median) == (pytest.approx(3.8), 4)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.spread == pytest.approx(stats.tstd(given))


def test_an_interval_stays_on_the_scale_and_is_never_empty() -> None:
    found = ratings.together([5, 5, 5], [1] * 3, lowest=1, highest=5)

    assert found.low is not None
    assert found.high == 5
    assert found.low < 5


def test_one_answer_has_no_interval_and_no_spread() -> None:
    found = ratings.together([3], [1], lowest=1, highest=5)

    assert (found.mean, found.low, found.high, found.spread) == (3, None, None, None)


def test_the_noise_of_raters_who_are_alike_is_their_variance() -> None:
    chance = random.Random(1)
    rows = [(unit, rater, chance.gauss(0, 2)) for unit in range(4_000) for rater in range(3)]
    units, raters, scores = zip(*rows, strict=True)

    found = ratings.noise(units=units, raters=raters, scores=scores)

    for rater in range(3):
        assert found[rater].variance == pytest.approx(4, rel=0.06)
        assert found[rater].n == 4_000


def test_who_answers_alone_has_no_noise() -> None:
    assert ratings.noise(units=[1, 2], raters=[1, 2], scores=[3, 4]) == {}


def test_categories_are_compared_by_how_often_others_say_something_else() -> None:
    found = ratings.unlikeness(units=[1, 1, 1], raters=[1, 2, 3], answers=[7, 7, 9])

    assert {rater: each.variance for rater, each in found.items()} == {1: 0.5, 2: 0.5, 3: 1.0}


def test_a_closer_rater_weighs_more_within_limits_and_a_few_answers_say_little() -> None:
    known = {1: Noise(0.1, 1_000), 2: Noise(4, 1_000), 3: Noise(0.1, 2)}

    found = ratings.weights(known)

    assert found[1] == ratings.MOST_WEIGHT
    assert 1 / ratings.MOST_WEIGHT <= found[2] < 1
    assert 1 < found[3] < 1.2


# Imported


def imported(rows: str, folder: Path) -> Campaign:
    path = folder / "answers.csv"
    path.write_text(f"item,rater,rating,verdict,harmful\n{rows}")
    call_command("import_judgments", path, source="crowd", licence="CC0-1.0")
    campaign = Campaign.objects.get()
    compute_quality(campaign_id=campaign.pk, now=NOON)
    return campaign


def lines() -> str:
    """Ann and Bob agree about thirty items, and Carl answers at random; last comes item 99."""
    chance = random.Random(2)
    found = []
    for item in range(30):
        level = 1 + item % 7
        verdict = ("refusal", "answer", "other")[item % 3]
        found += [f"{item},{rater},{level},{verdict},no" for rater in ("ann", "bob")]
        guess = chance.choice(["refusal", "answer", "other"])
        found.append(f"{item},carl,{chance.randint(1, 7)},{guess},no")
    found += ["99,ann,6,answer,yes", "99,bob,7,answer,no", "99,carl,1,refusal,yes"]
    return "\n".join(found) + "\n"


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return imported(lines(), tmp_path)


@pytest.fixture
def last(campaign: Campaign) -> Item:
    return campaign.items.order_by("-position")[0]


def of_item(item: Item) -> dict[str, Any]:
    found = rating_consensus.ratings_of_items(campaign=item.campaign, items=[item])
    return {one.question.name: one for one in found[item.pk]}


@pytest.mark.django_db
def test_the_weighted_mean_follows_those_who_answer_alike(last: Item) -> None:
    rating = of_item(last)["rating"]

    assert rating.numbers.mean == pytest.approx(14 / 3)
    assert rating.numbers.median == 6
    assert rating.numbers.low < rating.numbers.mean < rating.numbers.high
    assert rating.numbers.weighted > 5.5
    assert (rating.n, rating.n_known) == (3, 3)


@pytest.mark.django_db
def test_flags_have_a_share_and_categories_the_commonest(last: Item) -> None:
    found = of_item(last)

    assert found["harmful"].numbers.mean == pytest.approx(2 / 3)
    assert 0 < found["harmful"].numbers.low < 2 / 3 < found["harmful"].numbers.high < 1
    assert (found["verdict"].numbers, found["verdict"].answer) == (None, "answer")


@pytest.mark.django_db
def test_the_page_the_file_and_the_api_say_the_same(
    last: Item, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{last.campaign_id}/items/{last.pk}/"))
    rows = {
        row["question"]: row for row in shapes.records("rating_consensus") if row["item"] == last.pk
    }
    calling = client_with(secret_of(alice))
    listed = calling.get(f"/api/v1/campaigns/{last.campaign_id}/consensus").json()["results"]
    [item] = [one for one in listed if one["item"] == last.pk]
    by_api = {one["question"]: one for one in item["ratings"]}

    expected = of_item(last)["rating"].numbers
    assert f"{expected.mean:.2f}" in page
    assert f"{expected.low:.2f} – {expected.high:.2f}" in page
    assert f"{expected.weighted:.2f}" in page
    assert "No one has ranked two of these responses" not in page
    assert rows["rating"]["mean"] == by_api["rating"]["mean"] == expected.mean
    assert rows["rating"]["mean_low"] == by_api["rating"]["low"] == expected.low
    assert rows["rating"]["weighted_mean"] == by_api["rating"]["weighted"] == expected.weighted
    assert rows["verdict"]["answer"] == by_api["verdict"]["answer"] == "answer"
    assert (rows["verdict"]["mean"], by_api["verdict"]["mean"]) == (None, None)


@pytest.mark.django_db
def test_a_rater_who_withdrew_is_in_no_mean(last: Item) -> None:
    carl = Rater.everyone.get(origin__endswith="carl")
    withdrawal.withdraw_rater(rater=carl, by=None, now=NOON)

    assert of_item(last)["rating"].numbers.mean == 6.5


# Own scales


@pytest.mark.django_db
def test_own_scales_have_one_too_and_unticked_flags_are_not_listed(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    for rater, overall in ((rosa, 7), (raul, 4)):
        slot = claim.claim(campaign=comparison_campaign, rater=rater, now=NOON)
        answer = ComparisonAnswer(
            ranks=dict.fromkeys(range(4), 1),
            ratings={place: {"overall": overall} for place in range(4)},
        )
        judgment = submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=NOON)
    assert judgment.item is not None

    found = rating_consensus.ratings_of_items(campaign=comparison_campaign, items=[judgment.item])
    page = signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{judgment.item_id}/")

    of_scale = [one for one in found[judgment.item.pk] if one.question.name == "overall"]
    assert [one.numbers.mean for one in of_scale if one.numbers] == [5.5] * 4
    assert "5.50" in words(page)
    assert "Answers to each question" in words(page)
