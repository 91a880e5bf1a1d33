"""The measures of a report on very small campaigns: a number or a sentence, never NaN."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arithmetic.bias import looks as bias_looks
from labeling.guidelines import rating_form
from labeling.quality.measures import against, agreeing, contests, groups, habits, strengths
from labeling.quality.measures import behind as measures_behind
from labeling.quality.measures import raters as measures_raters
from labeling.votes import arrays

QUESTIONS = rating_form.default().questions
Rank = Callable[[int, int], float]
"""of (rater, response)"""


def votes_of(
    *, n_items: int, raters: Sequence[int], k: int, rank: Rank, n_sources: int = 1
) -> arrays.Votes:
    """Every rater ranks every item; nobody answers a question, no time is measured, and no response
    looks like anything.
    """
    rows = [
        (item * 10 + rater, item, rater, item * k + place, rank(rater, place), place)
        for item in range(n_items)
        for rater in raters
        for place in range(k)
    ]
    table = np.array(rows, dtype=float).reshape(-1, 6)
    judgment, item, rater, response, position = table[:, [0, 1, 2, 3, 5]].astype(np.int64).T
    n = len(rows)
    return arrays.Votes(
        judgment=judgment,
        item=item,
        prompt=item,
        rater=rater,
        response=response,
        source=1 + position % n_sources,
        rank=table[:, 4],
        position=position,
        at_s=np.arange(n, dtype=float),
        active_s=np.full(n, np.nan),
        looks=bias_looks.looks([bias_looks.features("Because.")] * n),
        answers={},
        groups={"category": arrays.Grouping(("chat",), np.zeros(n, dtype=np.int64))},
        is_repeat=np.zeros(n, dtype=bool),
    )


def none_of_others() -> arrays.OtherVotes:
    none = np.zeros(0, dtype=np.int64)
    return arrays.OtherVotes(none, none, none, none, np.zeros(0), none)


def everything(votes: arrays.Votes) -> dict[str, Any]:
    one, both = frozenset({1}), frozenset({1, 2})
    behind = measures_behind.judgments_behind(votes)
    members = [
        groups.RaterGroup("yes", both, question="New?"),
        groups.RaterGroup("Night", one, pool=1),
    ]
    return {
        "agreement": agreeing.agreement_of(votes, QUESTIONS),
        "matrix": agreeing.matrix_of(votes),
        "items": agreeing.split_items(votes),
        "habits": habits.habits_of(votes),
        "contests": contests.contests_of(votes, {}),
        "strengths": strengths.strengths_of(votes, {}, measures_raters.rater_measures(votes, {})),
        "behind": behind.everybody,
        "raters": measures_raters.rater_measures(votes, {}, behind.raters),
        "order": arrays.as_record(against.with_order(votes, votes.rank)),
        "pools": against.with_pools(votes, none_of_others(), {}),
        "groups": groups.groups_of(votes, members, none_of_others(), {}, fewest=1),
    }


def figures(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        return (
            [found]
            if "note" in found
            else [figure for value in found.values() for figure in figures(value)]
        )
    return (
        [figure for value in found for figure in figures(value)] if isinstance(found, list) else []
    )


@pytest.mark.parametrize("n_sources", [1, 2, 4])
@pytest.mark.parametrize(
    ("n_items", "raters", "k", "rank"),
    [
        (0, (), 4, lambda rater, place: 1),
        (3, (1,), 4, lambda rater, place: place + 1),
        (3, (1, 2), 4, lambda rater, place: 1),
        (3, (1, 2), 4, lambda rater, place: float("nan")),
        (3, (1, 2, 3), 4, lambda rater, place: place + 1),
        (1, (1, 2), 2, lambda rater, place: place + 1),
        (2, (1, 2), 2, lambda rater, place: place + 1 if rater == 1 else 2 - place),
    ],
    ids=[
        "nothing",
        "one rater",
        "all tied",
        "nothing ranked",
        "all alike",
        "one pair",
        "opposite ways",
    ],
)
def test_a_thin_campaign_gives_numbers_or_sentences(
    n_items: int, raters: Sequence[int], k: int, rank: Rank, n_sources: int
) -> None:
    found = everything(
        votes_of(n_items=n_items, raters=raters, k=k, rank=rank, n_sources=n_sources)
    )

    json.dumps(found, allow_nan=False)
    assert [
        figure for figure in figures(found) if figure["value"] is None and not figure["note"]
    ] == []


def test_orders_of_two_responses_are_said_to_be_choices() -> None:
    found = agreeing.agreement_of(
        votes_of(n_items=2, raters=(1, 2), k=2, rank=lambda rater, place: place + 1), QUESTIONS
    )

    assert found["tau"]["value"] is None
    assert "single choices" in found["tau"]["note"]


def in_weeks(n_weeks: int, *, busiest: int) -> arrays.Votes:
    """Two items a week by two raters, and ten items in each of the first `busiest` weeks."""
    week = [number for number in range(n_weeks) for _ in range(10 if number < busiest else 2)]
    votes = votes_of(n_items=len(week), raters=(1, 2), k=2, rank=lambda rater, place: place + 1)
    names = tuple(f"2026-W{number + 1:02}" for number in range(n_weeks))
    return replace(votes, groups={"week": arrays.Grouping(names, np.array(week)[votes.item])})


def test_of_many_weeks_the_latest_are_shown_however_few_votes_they_have() -> None:
    found = agreeing.agreement_of(in_weeks(15, busiest=13), QUESTIONS)

    assert [group["value"] for group in found["groups"]] == [
        f"2026-W{number:02}" for number in range(4, 16)
    ]
    assert found["groups_left_out"] == {"week": 3}


def test_a_part_has_every_measure_that_the_whole_has_of_its_own_votes() -> None:
    """The latest week alone, measured as if there were no other."""
    votes = votes_of(
        n_items=30, raters=(1, 2, 3), k=4, rank=lambda rater, place: (rater * place) % 4 + 1
    )
    names, place = ("2026-W01", "2026-W02"), (votes.item % 2).astype(np.int64)
    votes = replace(votes, groups={"week": arrays.Grouping(names, place)})

    whole = agreeing.agreement_of(votes, QUESTIONS)
    alone = agreeing.agreement_of(votes.where(place == 1), QUESTIONS)
    part = next(group for group in whole["groups"] if group["value"] == "2026-W02")

    measured = {
        "raw_half",
        "raw_out",
        "raw_in",
        "alpha_ordinal",
        "alpha_nominal",
        "fleiss",
        "gwet",
        "tau",
        "w",
    }
    assert part == {"kind": "week", "value": "2026-W02"} | {name: alone[name] for name in measured}
    assert part["raw_half"] != whole["raw_half"]


def test_of_many_categories_those_with_the_most_votes_are_shown() -> None:
    votes = in_weeks(15, busiest=11)
    category = arrays.Grouping(tuple("abcdefghijklmno"), votes.groups["week"].place)

    found = agreeing.agreement_of(replace(votes, groups={"category": category}), QUESTIONS)

    assert "".join(group["value"] for group in found["groups"]) == "abcdefghijkl"
    assert found["groups_left_out"] == {"category": 3}


# --- each rater's habits, and the judgments behind them -------------------------------------------


def sights() -> arrays.Votes:
    """Twelve items of two by raters 1 and 2; the first response is longer and alone has a list.
    Rater 1 takes it in every item, rater 2 in the first three alone. Items 10 and 11 repeat 0 and 1
    with the sides swapped.
    """
    votes = votes_of(n_items=12, raters=(1, 2), k=2, rank=lambda rater, place: place + 1)
    turned = (votes.rater == 2) & (votes.item >= 3)
    again = votes.item >= 10
    response = np.where(again, votes.response - 20, votes.response)
    looks = bias_looks.looks(
        [bias_looks.features("- one " + "x" * 90), bias_looks.features("Short.")] * 24
    )
    return replace(
        votes,
        rank=np.where(turned, 3 - votes.rank, votes.rank),
        response=response,
        position=np.where(again, 1 - votes.position, votes.position),
        looks=looks,
        is_repeat=again,
    )


def test_each_rater_has_the_habits_that_the_campaign_has() -> None:
    found = measures_raters.rater_measures(sights(), {})

    assert {name: found[1][name]["value"] for name in ("longer", "list", "ties")} == {
        "longer": 1.0,
        "list": 1.0,
        "ties": 0.0,
    }
    assert (found[2]["list"]["value"], found[2]["list"]["n"]) == (3 / 12, 12)
    assert found[1]["first"]["value"] == 10 / 12
    assert found[1]["emoji"]["note"] == "No decided pair has this in only one response."
    assert found[1]["per_doubling"]["note"].startswith("Fewer than 30 decided votes")


def test_each_rater_has_their_own_swap_consistency() -> None:
    found = measures_raters.rater_measures(sights(), {})

    assert (found[1]["consistent"]["value"], found[1]["consistent"]["n"]) == (1.0, 2)
    assert (found[2]["consistent"]["value"], found[2]["first_twice"]["value"]) == (0.0, 1.0)


def test_the_interval_of_a_rater_s_share_knows_that_votes_on_one_prompt_belong_together() -> None:
    votes = votes_of(n_items=20, raters=(1,), k=4, rank=lambda rater, place: place + 1)
    turned = votes.item % 2 == 1
    votes = replace(votes, rank=np.where(turned, 5 - votes.rank, votes.rank))

    first = measures_raters.rater_measures(votes, {})[1]["first"]

    assert (first["value"], first["n"]) == (0.5, 120)
    assert first["high"] - first["low"] > 0.4  # of 120 votes by themselves it would be 0.18


def test_each_rater_has_the_judgments_behind_a_row() -> None:
    found = measures_behind.judgments_behind(sights())

    assert found.everybody["list"] == {
        "n": 15,
        "judgments": [111, 101, 91, 81, 71, 61, 51, 41, 31, 22, 21, 12, 11, 2, 1],
    }
    assert found.raters[2]["list"] == {"n": 3, "judgments": [22, 12, 2]}
    assert found.raters[1]["consistent"] == {"n": 2, "judgments": [111, 101]}
    assert "ties" not in found.raters[1]


def test_no_more_judgments_are_listed_than_pages_can_open_with() -> None:
    votes = votes_of(n_items=1_100, raters=(1,), k=2, rank=lambda rater, place: place + 1)

    found = measures_behind.judgments_behind(votes)

    assert (found.everybody["first"]["n"], len(found.everybody["first"]["judgments"])) == (
        1_100,
        1_000,
    )
    assert (found.raters[1]["first"]["n"], len(found.raters[1]["first"]["judgments"])) == (
        1_100,
        100,
    )
    assert found.raters[1]["first"]["judgments"][0] == 1_099 * 10 + 1


# --- rater by rater, and with golds ---------------------------------------------------------------


def test_pairs_of_raters_are_listed_with_their_numbers_the_busiest_first() -> None:
    votes = votes_of(
        n_items=12,
        raters=(1, 2, 3),
        k=2,
        rank=lambda rater, place: 2 - place if rater == 2 else place + 1,
    )
    votes = votes.where((votes.rater != 3) | (votes.item < 10))

    found = agreeing.matrix_of(votes)

    assert [(pair["one"], pair["other"], pair["score"], pair["n"]) for pair in found["pairs"]] == [
        (1, 2, 0.0, 12),
        (1, 3, 10.0, 10),
        (2, 3, 0.0, 10),
    ]
    assert found["pairs"][1]["kappa"] == pytest.approx(1.0)
    assert found["pairs"][0]["kappa"] == found["kappa"][0][1]
    assert (found["n_pairs_few"], found["n_pairs_more"]) == (0, 0)


def test_pairs_of_raters_with_few_votes_or_beyond_the_list_are_counted() -> None:
    few = agreeing.matrix_of(
        votes_of(n_items=9, raters=(1, 2), k=2, rank=lambda rater, place: place + 1)
    )
    many = agreeing.matrix_of(
        votes_of(n_items=10, raters=range(1, 26), k=2, rank=lambda rater, place: place + 1)
    )

    assert (few["pairs"], few["n_pairs_few"]) == ([], 1)
    assert (len(many["pairs"]), many["n_pairs_more"], many["n_left_out"]) == (300, 0, 1)
    assert (25, 24) in {
        (pair["other"], pair["one"]) for pair in many["pairs"]
    }  # who is too much for the heat map is listed


def test_agreement_with_golds_has_an_interval_over_golds() -> None:
    agreed, n = np.array([6.0, 3.0, 5.5, 6.0, 4.0, 0.0]), np.array([6.0, 6, 6, 6, 6, 0])

    found, few = (
        against.with_golds(agreed[some], n[some], some) for some in (np.arange(6), np.arange(4))
    )

    assert (found.value, found.n) == (pytest.approx(24.5 / 30), 30)
    assert found.low is not None
    assert found.high is not None
    assert 0.4 <= found.low < 24.5 / 30 < found.high <= 1
    assert (few.low, few.note) == (None, "Fewer than 5 prompts: too few for an interval.")
    none, no_prompts = np.zeros(0), np.zeros(0, dtype=np.int64)
    assert (
        against.with_golds(none, none, no_prompts).note == "No gold items have been answered yet."
    )


def test_raters_with_a_taste_of_their_own_keep_a_weight() -> None:
    """Sixteen raters want one thing, four another, and all are equally careful."""
    chance = np.random.default_rng(5)
    usual, other = chance.standard_normal((2, 60, 4))
    scores: dict[tuple[int, int], Any] = {}

    def score(item: int, rater: int) -> Any:
        if (item, rater) not in scores:
            believed = other if rater > 16 else usual
            scores[item, rater] = believed[item] + 0.8 * chance.standard_normal(4)
        return scores[item, rater]

    votes = votes_of(n_items=60, raters=range(1, 21), k=4, rank=lambda _rater, place: place)
    rank = [
        float((score(item, rater) > score(item, rater)[response % 4]).sum() + 1)
        for item, rater, response in zip(votes.item, votes.rater, votes.response, strict=True)
    ]

    votes = replace(votes, judgment=votes.item * 100 + votes.rater, rank=np.array(rank))

    found = measures_raters.rater_measures(votes, {})

    tastes = {rater: record["taste"] for rater, record in found.items()}
    assert [rater for rater, taste in tastes.items() if taste] == [17, 18, 19, 20]
    assert tastes[17]["within"]["value"] > 0.65
    assert abs(tastes[17]["outside"]["value"] - 0.5) < 0.1
    assert all(found[rater]["weight"] > 0.2 for rater in (17, 18, 19, 20))
    assert [found[rater]["flags"] for rater in (17, 18, 19, 20)] == [[], [], [], []]
