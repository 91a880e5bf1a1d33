"""Who is flagged for their ratings: raters with planted habits are, honest ones are not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from arithmetic.bias import flagging as bias_flagging
from arithmetic.bias.flagging import NOTHING, BiasFlag
from arithmetic.ratings import flagging
from arithmetic.ratings.answers import Ratings, table_of
from arithmetic.ratings.reliability import reliability
from benchmarks.fixtures.simulated.ratings import QUESTIONS, RatedPool, simulate

NAN = float("nan")


def flags(pool: RatedPool) -> set[tuple[str, str]]:
    """(what was planted, kind of flag)"""
    return {(pool.habit[flag.rater], flag.kind) for flag in flagging.review(pool.ratings).flags}


def one_flag(pool: RatedPool, kind: str) -> BiasFlag:
    return next(flag for flag in flagging.review(pool.ratings).flags if flag.kind == kind)


@pytest.mark.parametrize(
    ("habit", "kind"),
    [("same", "same"), ("chance", "chance"), ("shuffled", "chance"), ("copy", "copy")],
)
@pytest.mark.parametrize(("n_raters", "n_items", "n_planted"), [(3, 100, 1), (20, 1_000, 3)])
def test_a_habit_is_flagged_and_nobody_beside_it(
    habit: str, kind: str, n_raters: int, n_items: int, n_planted: int
) -> None:
    pool = simulate(2, n_raters=n_raters, n_items=n_items, k=2, planted={habit: n_planted})

    review = flagging.review(pool.ratings)

    planted = {rater for rater, name in enumerate(pool.habit) if name}
    assert {flag.rater for flag in review.flags if flag.kind == kind} == planted
    assert {flag.rater for flag in review.flags} == planted


@pytest.mark.parametrize("k", [1, 2, 4])
def test_honest_raters_are_left_alone(k: int) -> None:
    """In 30 pools: of 3 raters and of 20, with few and many items, careful and not."""
    flagged: Counter[str] = Counter()
    n = 0
    for seed in range(5):
        for n_raters, n_items, noise in (
            *((3, 30, 0.8), (3, 300, 0.8), (3, 100, 0.2)),
            *((20, 100, 0.8), (20, 300, 0.8), (20, 300, 0.3)),
        ):
            pool = simulate(seed, n_raters=n_raters, n_items=n_items, k=k, noise=noise)
            found = flagging.review(pool.ratings).flags
            flagged.update({flag.rater: flag.kind for flag in found}.values())
            n += n_raters

    assert flagged.total() <= 0.02 * n, flagged


@pytest.mark.parametrize(
    ("habit", "kind"), [("same", "same"), ("chance", "chance"), ("copy", "copy")]
)
@pytest.mark.parametrize(("n_raters", "n_items", "n_planted"), [(3, 100, 1), (20, 1_000, 3)])
def test_a_habit_in_ratings_beside_careful_rankings_is_flagged(
    habit: str, kind: str, n_raters: int, n_items: int, n_planted: int
) -> None:
    pool = simulate(2, n_raters=n_raters, n_items=n_items, k=2, planted={habit: n_planted})
    rankings = bias_flagging.review(pool.rankings)

    beside = flagging.beside(rankings, pool.ratings)

    planted = {rater for rater, name in enumerate(pool.habit) if name}
    assert planted.isdisjoint(flag.rater for flag in rankings.flags)
    assert {(flag.rater, flag.kind) for flag in beside} == {(rater, kind) for rater in planted}
    assert all(flag.details["is_beside"] for flag in beside)


@pytest.mark.parametrize("k", [2, 4])
def test_ratings_beside_rankings_leave_honest_raters_alone(k: int) -> None:
    """The flags of both together, in the same pools as above."""
    n_flagged = n = 0
    for seed in range(5):
        for n_raters, n_items, noise in (
            *((3, 30, 0.8), (3, 300, 0.8), (3, 100, 0.2)),
            *((20, 100, 0.8), (20, 300, 0.8), (20, 300, 0.3)),
        ):
            pool = simulate(seed, n_raters=n_raters, n_items=n_items, k=k, noise=noise)
            rankings = bias_flagging.review(pool.rankings)
            found = [*rankings.flags, *flagging.beside(rankings, pool.ratings)]
            n_flagged += len({flag.rater for flag in found})
            n += n_raters

    assert n_flagged <= 0.02 * n


def test_what_the_rankings_say_already_is_not_said_again() -> None:
    pool = simulate(3, n_raters=3, n_items=150, k=2, planted={"copy": 1})
    [copy] = flagging.beside(NOTHING, pool.ratings)
    said = [replace(copy, details={})]

    assert flagging.beside(replace(NOTHING, flags=said), pool.ratings) == []
    assert flagging.beside(replace(NOTHING, unsure=said), pool.ratings) == []


def test_a_single_copied_question_is_named() -> None:
    pool = simulate(3, n_raters=3, n_items=150, k=1, planted={"copy_one": 1})

    flag = one_flag(pool, "copy")

    assert pool.habit[flag.rater] == "copy_one"
    assert QUESTIONS[int(flag.details["question"])] == QUESTIONS[0]
    assert (flag.value, flag.n, flag.details["is_later"]) == (1.0, 150, 1.0)
    assert flag.p < 1e-4


def test_copies_without_times_are_both_named() -> None:
    pool = simulate(3, n_raters=3, n_items=150, k=1, planted={"copy": 1}, has_times=False)

    found = [flag for flag in flagging.review(pool.ratings).flags if flag.kind == "copy"]

    assert {flag.rater for flag in found} == {flag.other for flag in found}
    assert [flag.details["is_later"] for flag in found] == [0.0, 0.0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_items", [30, 60, 150])
def test_two_who_are_equal_do_not_make_the_third_careless(seed: int, n_items: int) -> None:
    pool = simulate(seed, n_raters=3, n_items=n_items, k=1, planted={"copy": 1})

    assert ("", "chance") not in flags(pool)


@pytest.mark.parametrize("seed", range(6))
def test_two_careful_raters_beside_a_careless_one_are_no_copies(seed: int) -> None:
    """They agree far more with each other than with the third, whom nobody can follow."""
    pool = simulate(seed, n_raters=3, n_items=200, k=1, planted={"chance": 1}, noise=0.2)

    assert flags(pool) <= {("chance", kind) for kind in ("chance", "tires", "drifts")}


def test_what_is_plain_to_everybody_is_not_copied() -> None:
    """Yes or no, and two of three raters agree on all of it."""
    answers = np.random.default_rng(1).integers(0, 2, 200).astype(float)
    careless = np.random.default_rng(2).integers(0, 2, 200).astype(float)
    ratings = of_one_question(np.stack([answers, answers, careless]))

    assert "copy" not in {flag.kind for flag in flagging.review(ratings).flags}


def of_one_question(scores: np.ndarray, name: str = "spam") -> Ratings:
    """By rater and item; no times."""
    n_raters, n_items = scores.shape
    item, rater = np.tile(np.arange(n_items), n_raters), np.repeat(np.arange(n_raters), n_items)
    n = scores.size
    return Ratings(
        *(np.arange(n), item, rater, item, item, np.full(n, 100.0), np.zeros(n), np.full(n, NAN)),
        answers={name: scores.reshape(-1)},
        ordered=frozenset({name}),
    )


def test_a_scale_on_which_nearly_everything_is_a_four_accuses_nobody() -> None:
    random = np.random.default_rng(5)
    scores = random.choice([4.0, 5.0, 3.0], size=(6, 300), p=[0.96, 0.02, 0.02])

    assert flagging.review(of_one_question(scores)).flags == []


def test_categories_are_followed_too() -> None:
    random = np.random.default_rng(7)
    truth = random.integers(0, 4, 200)
    scores = np.concatenate(
        [
            np.stack(
                [
                    np.where(random.random(200) < 0.8, truth, random.integers(0, 4, 200))
                    for _ in range(5)
                ]
            ),
            random.integers(0, 4, (1, 200)),
        ]
    ).astype(float)
    ratings = replace(of_one_question(scores), ordered=frozenset())

    assert {(flag.rater, flag.kind) for flag in flagging.review(ratings).flags} == {(5, "chance")}


def test_answers_without_times_do_not_decline() -> None:
    """The last third of the lines of a file is not the last third of the work."""
    pool = simulate(3, n_raters=3, n_items=200, k=1, has_times=False)
    late = np.asarray(pool.ratings.item) > 130
    first = np.asarray(pool.ratings.rater) == 0
    noise = np.random.default_rng(3).integers(1, 6, len(late)).astype(float)
    worse = {
        name: np.where(late & first, noise, column) for name, column in pool.ratings.answers.items()
    }
    with_times = replace(pool.ratings, answers=worse, at_s=np.asarray(pool.ratings.item) * 60.0)

    kinds = {
        name: {flag.kind for flag in flagging.review(ratings).flags}
        for name, ratings in (
            ("times", with_times),
            ("none", replace(pool.ratings, answers=worse)),
        )
    }

    assert "drifts" in kinds["times"]
    assert not {"drifts", "tires", "uneven"} & kinds["none"]


def test_too_few_judgments_flag_nobody() -> None:
    pool = simulate(1, n_raters=3, n_items=19, k=2, planted={"same": 1})

    assert flagging.review(pool.ratings).flags == []


@pytest.mark.parametrize(
    "answers", [{}, {"quality": np.full(90, NAN)}, {"quality": np.full(90, 3.0)}]
)
def test_ratings_that_say_nothing_flag_nobody(answers: Mapping[str, np.ndarray]) -> None:
    ratings = replace(of_one_question(np.zeros((3, 30))), answers=answers)

    assert flagging.review(ratings).flags == []
    table = table_of(ratings)
    assert table is not None
    assert {figure.accuracy.value for figure in reliability(table).values()} == {None}


def test_no_ratings_flag_nobody() -> None:
    none: list[int] = []
    nothing = Ratings(
        *(none, none, none, none, none, none, none, none), answers={}, ordered=frozenset()
    )

    assert flagging.review(nothing) == NOTHING


def test_very_fast_raters_are_flagged_by_the_fixed_limit() -> None:
    pool = simulate(4, n_raters=3, n_items=60, k=2)
    active_s = np.where(np.asarray(pool.ratings.rater) == 1, 3.0, np.asarray(pool.ratings.active_s))

    found = flagging.review(replace(pool.ratings, active_s=active_s)).flags

    assert [(flag.rater, flag.p) for flag in found if flag.kind == "fast"] == [(1, None)]
