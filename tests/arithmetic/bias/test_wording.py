"""Confident wording: how it is measured, and whether raters take it for quality where an expert
disagrees.
"""

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from arithmetic.bias import shares
from arithmetic.bias import wording as bias_wording
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rater, Response
from labeling.quality import services as quality_services
from labeling.quality.measures import wording
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db
NAN = float("nan")

# --- how sure a text sounds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("12 + 12 = 24", 0),
        ("It is blue.", 0),
        ("It is certainly blue.", 100 / 4),
        ("Perhaps it is blue.", -100 / 4),
        ("It is certainly blue, or perhaps green.", 0),
        ("It is not always so.", -100 / 5),
        ("It is ALWAYS so, of\ncourse.", 200 / 6),
        ("I’m not sure about it.", -100 / 5),
        ("He may go in May.", -100 / 4),
        ("So.\n```\nassert always or never\n```\nIt may be.", -100 / 4),
        ("Clearlywater is a place.", 0),
        ("Das ist sicher blau.", 0),
    ],
)
def test_confidence_is_boosters_less_hedges_in_a_hundred_words(text: str, expected: float) -> None:
    assert bias_wording.confidence(text) == pytest.approx(expected)


def slow_confidence(words: Sequence[str]) -> float:
    """Word by word, the longest entry of either list that starts here."""
    entries = {tuple(entry.split()): 1 for entry in bias_wording.BOOSTERS}
    entries |= {tuple(entry.lower().split()): -1 for entry in bias_wording.HEDGES}
    longest = max(map(len, entries))
    at, total = 0, 0
    while at < len(words):
        for n in range(longest, 0, -1):
            if tuple(words[at : at + n]) in entries:
                total += entries[tuple(words[at : at + n])]
                at += n
                break
        else:
            at += 1
    return 100 * total / len(words)


def test_confidence_is_what_reading_word_by_word_gives() -> None:
    chance = random.Random(5)
    others = (
        "the",
        "a",
        "sea",
        "is",
        "blue",
        "not",
        "i",
        "sure",
        "in",
        "fact",
        "of",
        "tend",
        "as",
        "far",
        "no",
    )
    vocabulary = [*bias_wording.BOOSTERS, *bias_wording.HEDGES, *others]
    for _ in range(300):
        words = " ".join(chance.choices(vocabulary, k=chance.randrange(1, 40))).lower().split()

        assert bias_wording.confidence(" ".join(words).upper()) == pytest.approx(
            slow_confidence(words)
        )


def test_no_word_is_on_both_lists() -> None:
    assert set(bias_wording.BOOSTERS).isdisjoint(bias_wording.HEDGES)


def test_the_surer_one_is_so_by_half_a_word_in_a_hundred() -> None:
    found = bias_wording.surer(
        np.array([2.0, 2.0, -1.0, 0.0, NAN]), np.array([1.5, 1.6, 1.0, 0.0, 0.0])
    )

    assert found[:4].tolist() == [1, 0, -1, 0]
    assert math.isnan(found[4])


# --- two shares apart -----------------------------------------------------------------------------


def slow_variance(residuals: Sequence[float], groups: Sequence[Any]) -> float:
    sums: dict[Any, float] = defaultdict(float)
    for residual, group in zip(residuals, groups, strict=True):
        sums[group] += residual
    return sum(value**2 for value in sums.values()) * len(sums) / (len(sums) - 1)


def test_two_shares_apart_are_clustered_both_ways() -> None:
    random = np.random.default_rng(3)
    n = 400
    among, prompts, raters = (
        random.random(n) < 0.4,
        random.integers(0, 40, n),
        random.integers(0, 15, n),
    )
    wrong = (random.random(n) < 0.3 + 0.2 * among + 0.1 * (raters % 2)).astype(float)
    rates = {kind: float(np.mean(wrong[among == kind])) for kind in (True, False)}
    sign = {True: 1 / among.sum(), False: -1 / (~among).sum()}
    residuals = [
        sign[kind] * (one - rates[kind])
        for one, kind in zip(wrong.tolist(), among.tolist(), strict=True)
    ]
    both = list(zip(prompts.tolist(), raters.tolist(), strict=True))
    one, other, joint = (
        slow_variance(residuals, groups) for groups in (prompts.tolist(), raters.tolist(), both)
    )

    found = shares.gap(wrong, among=among, prompts=prompts, raters=raters)

    assert found.value == pytest.approx(rates[True] - rates[False])
    alone = sum(rates[kind] * (1 - rates[kind]) / np.sum(among == kind) for kind in (True, False))
    assert found.se == pytest.approx(math.sqrt(max(alone, one, one + other - joint)))
    assert found.low is not None
    assert found.high is not None
    assert -1 < found.low < found.value < found.high < 1


@pytest.mark.parametrize(("wrong", "among"), [([], []), ([1, 0], [True, True]), ([1], [False])])
def test_one_share_alone_is_a_sentence(wrong: list[float], among: list[bool]) -> None:
    found = shares.gap(wrong, among=among, prompts=range(len(wrong)))

    assert (found.value, found.note) == (None, "Nothing to compare yet.")


# --- raters against experts -----------------------------------------------------------------------


def expert_votes(rows: Sequence[tuple[float, ...]]) -> wording.ExpertVotes:
    """(judgment, item, rater, response, rank, expert's rank, confidence); a prompt an item."""
    table = np.array(rows, dtype=float).reshape(-1, 7)
    judgment, item, rater, response = table[:, :4].astype(np.int64).T
    rank, expert_rank, confidence = table[:, 4:].T
    return wording.ExpertVotes(judgment, item, item, rater, response, rank, expert_rank, confidence)


def some_rows(seed: int) -> list[tuple[float, ...]]:
    """Twenty items of four by five raters; raters and expert tie now and then, and leave responses
    out.
    """
    chance = random.Random(seed)
    rows: list[tuple[float, ...]] = []
    for item in range(20):
        confidence = [
            NAN if item % 5 == 0 else chance.choice([-2.0, -1.0, -0.8, 0.0, 0.3, 2.0])
            for _ in range(4)
        ]
        expert = [chance.choice([1.0, 2.0, 2.0, 3.0, NAN]) for _ in range(4)]
        for rater in range(5):
            for place in range(4):
                rank = chance.choice([1.0, 2.0, 3.0, 3.0, NAN])
                number = item * 5 + rater
                rows.append(
                    (number, item, rater, item * 4 + place, rank, expert[place], confidence[place])
                )
    return rows


def slow_wording(rows: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """By loops over every pair of responses of every ranking."""
    rankings: dict[float, list[tuple[float, ...]]] = defaultdict(list)
    for row in rows:
        rankings[row[0]].append(row)
    wrong: dict[str, list[bool]] = {"towards": [], "away": []}
    behind: dict[str, set[int]] = {"surer": set(), "modest": set()}
    n = {"told": 0, "alike": 0, "not_english": 0}
    for judgment, ranked in rankings.items():
        for one, other in itertools.permutations(ranked, 2):  # `one` is the expert's choice
            if not one[5] < other[5] or one[4] == other[4] or math.isnan(one[4] + other[4]):
                continue
            n["told"] += 1
            is_wrong = one[4] > other[4]
            if math.isnan(one[6] + other[6]):
                n["not_english"] += 1
            elif abs(one[6] - other[6]) < bias_wording.CONFIDENCE_MARGIN:
                n["alike"] += 1
            else:
                kind, name = ("away", "modest") if one[6] > other[6] else ("towards", "surer")
                wrong[kind].append(is_wrong)
                behind[name] |= {int(judgment)} if is_wrong else set()
    return {"wrong": wrong, "behind": behind, "n": n}


@pytest.mark.parametrize("seed", range(5))
def test_the_rates_are_those_of_loops_over_every_pair(seed: int) -> None:
    rows = some_rows(seed)
    slow = slow_wording(rows)

    found = wording.confident_wording(expert_votes(rows))

    for name, given in slow["wrong"].items():
        assert (found[name]["value"], found[name]["n"]) == (
            pytest.approx(sum(given) / len(given)),
            len(given),
        )
    apart = found["towards"]["value"] - found["away"]["value"]
    assert found["gap"]["value"] == pytest.approx(apart)
    assert {name: found[f"n_{name}"] for name in slow["n"]} == slow["n"]
    assert {name: entry["n"] for name, entry in found["behind"].items()} == {
        name: len(judgments) for name, judgments in slow["behind"].items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_each_raters_rates_are_those_of_their_votes_alone(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.quality.measures.wording.LEAST_VOTES", 6)
    rows = some_rows(seed)
    given = {
        rater: slow_wording([row for row in rows if row[2] == rater])["wrong"] for rater in range(5)
    }

    found = wording.confident_wording(expert_votes(rows))["raters"]

    assert set(found) == {
        str(rater)
        for rater, wrong in given.items()
        if len(wrong["towards"]) + len(wrong["away"]) >= 6
    }
    assert found
    for rater, record in found.items():
        for name, wrong in given[int(rater)].items():
            assert (record[name]["value"], record[name]["n"]) == (
                pytest.approx(sum(wrong) / len(wrong)),
                len(wrong),
            )
        assert record["gap"]["value"] == pytest.approx(
            record["towards"]["value"] - record["away"]["value"]
        )


def gap_where(*, charmed: float, seed: int) -> dict[str, Any]:
    """Six raters on sixty pairs err in 20 %, and in `charmed` where the worse response is the surer
    one.
    """
    chance = random.Random(seed)
    rows = []
    for item, rater in itertools.product(range(60), range(6)):
        sure_is_worse = item % 2
        is_wrong = chance.random() < (charmed if sure_is_worse else 0.2)
        for place, expert in enumerate((1.0, 2.0)):
            rank = 3 - expert if is_wrong else expert
            confidence = 3.0 if place == sure_is_worse else -1.0
            rows.append((item * 6 + rater, item, rater, item * 2 + place, rank, expert, confidence))
    gap: dict[str, Any] = wording.confident_wording(expert_votes(rows))["gap"]
    return gap


def test_raters_who_fall_for_confidence_are_found() -> None:
    assert all(gap_where(charmed=0.5, seed=seed)["low"] > 0 for seed in range(10))


def test_raters_who_do_not_are_rarely_accused() -> None:
    found = [gap_where(charmed=0.2, seed=seed) for seed in range(40)]

    assert sum(not gap["low"] < 0 < gap["high"] for gap in found) <= 8


def test_without_an_expert_there_is_nothing_to_tell() -> None:
    assert wording.confident_wording(expert_votes([])) == {}
    assert (
        wording.confident_wording(expert_votes([(1, 1, 1, 1, 1, NAN, 1), (1, 1, 1, 2, 2, NAN, 0)]))
        == {}
    )


# --- through the product --------------------------------------------------------------------------

SURE, MODEST = (
    "It is certainly and obviously the moon.",
    "It might be the moon, perhaps, or so it seems.",
)
Ranks = Callable[[Response], int]


def sure_first(response: Response) -> int:
    return 1 if response.text == SURE else 2


def modest_first(response: Response) -> int:
    return 3 - sure_first(response)


@recorded
def judge(campaign: Campaign, rater: Rater, ranks: Ranks) -> list[Judgment]:
    given = []
    while (slot := claim.claim(campaign=campaign, rater=rater, now=NOON)) is not None:
        order: dict[int, int | None] = {
            place: ranks(response) for place, response in enumerate(claiming_order.presented(slot))
        }
        assert slot.lease is not None
        given.append(
            submit.submit(
                lease=slot.lease,
                rater=rater,
                answer=ComparisonAnswer(
                    ranks=order, ratings={place: {"overall": 4} for place in order}
                ),
                now=NOON,
            )
        )
    return given


@pytest.fixture
@recorded
def two_each(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, three items of a sure and a modest response, overlap 2."""
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=3, overlap=2, n_responses=2
    )
    Response.objects.filter(number=0).update(text=SURE)
    Response.objects.filter(number=1).update(text=MODEST)
    return campaign


def wording_of(campaign: Campaign) -> Any:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return report.results["wording"], report.results["behind"]


@recorded
def decide(campaign: Campaign, ranks: Ranks, *, promotes: bool = False) -> None:
    for item in campaign.items.filter(gold_use=None):
        given = {response.pk: ranks(response) for response in item.responses.all()}
        review_services.adjudicate(
            item=item, ranks=given, reason="rater_error", promotes=promotes, by=None, now=NOON
        )


def test_votes_are_held_against_what_a_reviewer_decided(
    two_each: Campaign, rosa: Rater, raul: Rater
) -> None:
    charmed = judge(two_each, rosa, sure_first)
    judge(two_each, raul, modest_first)
    decide(two_each, modest_first)

    found, behind = wording_of(two_each)

    assert (found["towards"]["value"], found["towards"]["n"]) == (0.5, 6)
    assert found["away"]["value"] is None
    assert sorted(behind["surer"]["judgments"]) == sorted(judgment.pk for judgment in charmed)


def test_the_page_of_a_rater_tells_it_once_there_are_enough_votes(
    two_each: Campaign,
    rosa: Rater,
    raul: Rater,
    alice: User,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge(two_each, rosa, sure_first)
    judge(two_each, raul, modest_first)
    decide(two_each, modest_first)
    wording_of(two_each)
    address = f"/campaigns/{two_each.pk}/raters/{rosa.pk}/"
    assert "Confident wording" not in signed_in(alice).get(address).content.decode()

    monkeypatch.setattr("labeling.quality.measures.wording.LEAST_VOTES", 3)
    wording_of(two_each)

    page = " ".join(signed_in(alice).get(address).content.decode().split())
    assert "Confident wording" in page
    assert "Errors towards the surer response" in page
    assert "100 %" in page.split("Errors towards the surer response")[1][:200]
    assert "There are votes of only one of the two kinds." in page


def test_other_languages_than_english_are_not_measured(two_each: Campaign, rosa: Rater) -> None:
    judge(two_each, rosa, sure_first)
    decide(two_each, modest_first)
    for language, prompt in zip(("de", "", "en-gb"), Prompt.objects.order_by("pk"), strict=True):
        Prompt.objects.filter(pk=prompt.pk).update(language=language)

    found, _behind = wording_of(two_each)

    assert (found["n_told"], found["n_not_english"], found["towards"]["n"]) == (3, 2, 1)


def test_answers_to_golds_count_in_their_first_version(
    two_each: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge(two_each, rosa, sure_first)
    decide(two_each, modest_first, promotes=True)
    gold_services.set_golds(campaign=two_each, values={"gold_share": 50}, by=alice, now=NOON)
    before, _behind = wording_of(two_each)
    other = rater_called("Rex", pool=two_each.pool)
    again = open_comparison_campaign(
        pool=two_each.pool,
        guideline=two_each.guideline,
        n_items=6,
        overlap=1,
        n_responses=2,
        name="More",
    )
    gold_services.use_other_golds(campaign=again, by=alice, now=NOON)
    gold_services.set_golds(campaign=again, values={"gold_share": 50}, by=alice, now=NOON)
    on_golds = [judgment for judgment in judge(again, other, sure_first) if judgment.is_gold]
    for judgment in on_golds:
        assert judgment.lease is not None
        ranks = {
            row.position: modest_first(row.response)
            for row in judgment.comparison.ranked.select_related("response")
        }
        correct.correct(
            lease=judgment.lease,
            rater=other,
            version=1,
            answer=ComparisonAnswer(
                ranks=dict(ranks), ratings={0: {"overall": 4}, 1: {"overall": 4}}
            ),
            now=NOON,
        )

    found, _behind = wording_of(again)

    assert on_golds
    assert (before["towards"]["value"], before["towards"]["n"]) == (1.0, 3)
    assert (found["towards"]["value"], found["towards"]["n"]) == (1.0, len(on_golds))
