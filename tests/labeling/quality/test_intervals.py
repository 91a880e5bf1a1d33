"""No interval has zero width, and none is shown from fewer than five prompts: every figure of a
report, and every interval as a page prints it, on campaigns of all kinds.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arithmetic import clustering, intervals
from arithmetic.figures import Figure
from labeling.quality.measures import against, agreeing, groups, ratings, wording
from labeling.quality.measures import raters as measures_raters
from labeling.quality.pages import bias_words, figure_text, views, words
from labeling.votes.arrays import Grouping, Votes, as_figure, as_record
from tests.labeling.quality.test_measures import (
    QUESTIONS,
    everything,
    figures,
    none_of_others,
    votes_of,
)

FEWEST = 5
NAN = float("nan")


@st.composite
def campaigns(draw: st.DrawFn) -> Votes:
    """A few prompts with one or more items each, by a few raters who all agree, all tie, split
    alike on every prompt, follow their position, or choose at random.
    """
    n_items = draw(st.integers(1, 14))
    n_prompts = draw(st.integers(1, n_items))
    k = draw(st.sampled_from([2, 3, 4]))
    n_raters = draw(st.integers(1, 4))
    habit = draw(st.sampled_from(["agree", "tie", "split", "random", "unranked"]))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))

    def rank(rater: int, place: int) -> float:
        return {
            "agree": place + 1.0,
            "tie": 1.0,
            "split": k - place if rater == 1 else place + 1.0,
            "random": float(random.integers(1, 4)),
            "unranked": NAN if random.random() < 0.5 else place + 1.0,
        }[habit]

    votes = votes_of(
        n_items=n_items,
        raters=range(1, 1 + n_raters),
        k=k,
        rank=rank,
        n_sources=draw(st.sampled_from([1, 2])),
    )
    long = random.integers(0, 2, len(votes.rank)) if draw(st.booleans()) else votes.position
    return replace(
        votes,
        prompt=votes.item % n_prompts,
        looks=replace(votes.looks, n_chars=(100 + 200 * long).astype(float)),
        answers={
            "overall": random.integers(1, 8, len(votes.rank)).astype(float)
            if habit == "random"
            else np.full(len(votes.rank), 4.0)
        },
        groups={"category": Grouping(("chat", "code"), (votes.item % 2).astype(np.int64))},
        is_repeat=(votes.item >= n_items - n_items // 4),
    )


def shown(votes: Votes) -> dict[str, Any]:
    """All that a report has, and what is compared with golds and experts."""
    pairs = votes.pairs
    n_golds = len(np.unique(votes.prompt))
    expert = wording.ExpertVotes(
        judgment=votes.judgment,
        item=votes.item,
        prompt=votes.prompt,
        rater=votes.rater,
        response=votes.response,
        rank=votes.rank,
        expert_rank=1 + votes.position.astype(float),
        confidence=np.where(votes.position % 2, 2.0, -2.0),
    )
    several = [groups.RaterGroup("yes", frozenset({1, 2, 3}), question="New?")]
    return everything(votes) | {
        "golds": as_record(
            against.with_golds(np.full(n_golds, 3.0), np.full(n_golds, 3), np.arange(n_golds))
        ),
        "experts": as_record(against.with_order(votes, 1 + votes.position.astype(float))),
        "wording": wording.confident_wording(expert),
        "profile": groups.groups_of(votes, several, none_of_others(), {}, fewest=1),
        "rated": as_rated_only(votes),
        "n_pairs": len(pairs.unit),
    }


def as_rated_only(votes: Votes) -> dict[str, Any]:
    """The report's own parts if nobody had ranked anything."""
    rated = replace(votes, rank=np.full(len(votes.rank), np.nan))
    raters = measures_raters.rater_measures(rated, {}, {}, QUESTIONS)
    for record in raters.values():
        for name in WITHOUT_INTERVAL:
            del record[name]
    questions = agreeing.agreement_of(rated, QUESTIONS)["questions"]
    report = ratings.report_of(rated, QUESTIONS, raters, questions)
    return {
        "raters": raters,
        "report": report,
        "items": ratings.split_items(rated, QUESTIONS) if report else None,
    }


def intervals_of(found: Any) -> Iterator[tuple[float | None, float, float]]:
    for figure in figures(found):
        if figure["low"] is not None:
            yield figure["value"], figure["low"], figure["high"]
    matrix = found["matrix"]
    for pair in matrix["pairs"]:
        if pair["low"] is not None:
            yield pair["score"] / pair["n"], pair["low"], pair["high"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(votes=campaigns())
def test_every_interval_has_a_width_and_its_value_inside(votes: Votes) -> None:
    for value, low, high in intervals_of(shown(votes)):
        assert value is not None
        assert low < high
        assert low - 0.006 <= value <= high + 0.006  # what is rounded to protect a profile


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(votes=campaigns())
def test_no_interval_is_shown_from_fewer_than_five_prompts(votes: Votes) -> None:
    found = shown(votes)
    n_prompts = len(np.unique(votes.prompt))

    if n_prompts < FEWEST:
        assert list(intervals_of(found)) == []
    for group in found["agreement"]["groups"]:
        place = votes.groups["category"].names.index(group["value"])
        if len(np.unique(votes.prompt[votes.groups["category"].place == place])) < FEWEST:
            assert [one for one in figures(group) if one["low"] is not None] == []
    for rater, record in found["raters"].items():
        if len(np.unique(votes.prompt[votes.rater == rater])) < FEWEST:
            assert [one for one in figures(record) if one["low"] is not None] == []


WITHOUT_INTERVAL = {"seconds", "chars_per_s"}
"""Medians, which have none."""


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(votes=campaigns())
def test_a_value_without_an_interval_says_why(votes: Votes) -> None:
    found = shown(votes)
    for record in found["raters"].values():
        for name in WITHOUT_INTERVAL:
            del record[name]
    baselines = [one["by_all"] for one in found["strengths"]["sources"] if one["is_baseline"]] + [
        one["by_reliability"] for one in found["strengths"]["sources"] if one["is_baseline"]
    ]

    unexplained = [
        figure
        for figure in figures(found)
        if figure["low"] is None and not figure["note"] and figure not in baselines
    ]

    assert unexplained == []


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(votes=campaigns())
def test_a_page_prints_two_ends_that_differ_or_too_few(votes: Votes) -> None:
    found = shown(votes)
    results = found["agreement"] | {
        "gold": found["golds"],
        "adjudicated": found["experts"],
        "model": found["experts"],
        "model_name": "",
        "pools": found["pools"],
    }
    rows = [*words.agreement(results), *words.orders(results), *words.others(results)]
    if found["habits"]:
        rows += words.bias(found["habits"])
    if found["wording"]:
        rows += bias_words.wording(found["wording"])

    for row in rows:
        assert row.interval == "" if row.value == "–" else ends_differ(row.interval)


def ends_differ(interval: str) -> bool:
    low, dash, high = interval.removesuffix(" %").partition(" – ")
    return interval == "too few prompts" or (dash != "" and low != high)


@pytest.mark.parametrize(
    ("n_raters", "about", "words"),
    [
        (2, "these_raters", "for these raters only"),
        (3, "raters_like_these", "for raters like these"),
    ],
)
def test_every_figure_by_all_raters_says_whom_its_interval_is_about(
    n_raters: int, about: str, words: str
) -> None:
    """What a campaign says of its responses, by its raters together: win rates, strengths, biases,
    and what groups of raters choose.
    """
    votes = votes_of(
        n_items=40,
        raters=range(1, 1 + n_raters),
        k=2,
        rank=lambda rater, place: place + 1,
        n_sources=2,
    )
    random = np.random.default_rng(5)
    votes = replace(
        votes,
        rank=1.0 + random.permuted(np.tile([0, 1], (len(votes.rank) // 2, 1)), axis=1).reshape(-1),
        looks=replace(votes.looks, n_chars=random.integers(50, 500, len(votes.rank)).astype(float)),
    )
    found = everything(votes)
    of_raters = {name: found[name] for name in ("contests", "strengths")}
    of_raters["habits"] = {name: found["habits"][name] for name in ("first", "longer", "ties")}
    of_raters["odds"] = [found["habits"]["per_doubling"], *found["habits"]["effects"]]

    with_interval = [figure for figure in figures(of_raters) if figure["low"] is not None]

    assert len(with_interval) >= 8
    assert {figure["about"] for figure in with_interval} == {about}
    assert {figure_text.about(as_figure(figure)) for figure in with_interval} == {words}


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4, 1e-5])
def test_narrow_intervals_get_the_digits_that_show_their_width(width: float) -> None:
    figure = Figure(0.7421, 10**7, 0.7421, 0.7421 + width)

    for text in (figure_text.share_interval(figure), figure_text.coefficient_interval(figure)):
        assert ends_differ(text)
    assert ends_differ(figure_text.percent_interval(replace(figure, low=74.21, high=74.21 + width)))


def test_two_raters_who_share_few_prompts_have_no_interval() -> None:
    few, many = (
        votes_of(n_items=n, raters=(1, 2), k=4, rank=lambda rater, place: place + 1) for n in (4, 5)
    )

    texts = []
    for votes in (few, many):
        matrix = everything(votes)["matrix"]
        agree = views.agreement_of_two(
            **{name: matrix["pairs"][0][name] for name in ("score", "n", "low", "high")}
        )
        texts.append(words.two_raters(agree, None))

    assert texts == ["100 % of 24 pairs, too few prompts", "100 % of 30 pairs, 39 – 100 %"]


def test_three_of_three_wins_are_too_few_for_an_interval() -> None:
    votes = votes_of(n_items=3, raters=(1,), k=2, rank=lambda rater, place: place + 1, n_sources=2)

    (contest,) = everything(votes)["contests"]

    assert as_figure(contest["as_voted"]).value == 0.0
    assert contest["as_voted"]["low"] is None
    assert contest["as_voted"]["note"] == clustering.TOO_FEW


def test_prompts_that_all_split_alike_have_the_interval_of_independent_votes() -> None:
    """Thirty prompts of three votes, two for the new model and one against: as sure as 60 of 90."""
    votes = votes_of(
        n_items=30,
        raters=(1, 2, 3),
        k=2,
        rank=lambda rater, place: place + 1 if rater == 1 else 2 - place,
        n_sources=2,
    )
    # Another of the three is against on each prompt.
    votes = replace(votes, rater=1 + (votes.rater + votes.item) % 3)

    (contest,) = everything(votes)["contests"]

    low, high = contest["as_voted"]["low"], contest["as_voted"]["high"]
    assert contest["as_voted"]["value"] == pytest.approx(200 / 3)
    assert (low, high) == (pytest.approx(56, abs=1), pytest.approx(76, abs=1))


def test_as_many_as_are_said_to_be_enough_show_a_difference_in_eight_of_ten_cases() -> None:
    """The slow twin draws that many, of two groups that differ by so much."""
    random, error = np.random.default_rng(6), (2 * 0.25 / 50) ** 0.5
    reach = intervals.Z_95 * error
    enough = intervals.n_enough(50, (-reach, reach), 0.1)
    shown = 0
    for _draw in range(2000):
        one, other = random.random((2, enough)) < [[0.55], [0.45]]
        ends = [intervals.wilson(votes.sum(), enough) for votes in (one, other)]
        shown += intervals.of_difference(one.mean(), ends[0], other.mean(), ends[1])[0] > 0

    assert enough == 400
    assert shown / 2000 == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("n", "needed"), [(10, 8), (1000, 800), (123_456, 98_000)])
def test_what_is_enough_is_said_in_two_digits(n: int, needed: int) -> None:
    reach = intervals.Z_95 * 0.0356 / 2.8015852 * 2.5
    assert intervals.n_enough(n, (0.5 - reach, 0.5 + reach), 0.1) == needed


def test_of_several_intervals_all_hold_together_in_95_of_100_draws() -> None:
    random = np.random.default_rng(7)
    draws = random.normal(size=(4000, 6))
    all_hold = [
        all(
            low <= 0 <= high
            for low, high in (
                intervals.among(value, (value - intervals.Z_95, value + intervals.Z_95), 6)
                for value in row
            )
        )
        for row in draws.tolist()
    ]

    assert np.mean(all_hold) == pytest.approx(0.95, abs=0.012)
    assert intervals.among(0.5, (0.4, 0.7), 1) == pytest.approx((0.4, 0.7))
