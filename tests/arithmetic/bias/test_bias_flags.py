"""Who is flagged: raters with planted habits are, honest ones are not."""

from dataclasses import replace

import numpy as np
import pytest

from arithmetic.bias import flagging, sittings
from arithmetic.bias.judgment_table import Rankings

NAN = float("nan")


def pool(
    n_raters: int = 12,
    n_items: int = 80,
    habits: dict[int, str] | None = None,
    seed: int = 0,
    k: int = 4,
) -> Rankings:
    """Everybody judges every item, one every three minutes from morning; those with a habit follow
    it always.
    """
    random, times = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    quality, chars = (
        random.standard_normal((n_items, k)),
        random.integers(100, 3_000, (n_items, k)).astype(float),
    )
    rows: list[tuple[float, ...]] = []
    scores: dict[tuple[int, int], np.ndarray] = {}
    for rater in range(n_raters):
        habit = (habits or {}).get(rater, "")
        for item in range(n_items):
            shown = random.permutation(k)
            score = quality[item] + random.standard_normal(k)
            if (
                habit == "chance"
                or (habit == "tires" and item > 25)
                or (habit == "drifts" and item > 53)
            ):
                score = random.standard_normal(k)
            if habit == "first":
                score[shown[0]] = score.max() + 1
            if habit == "last":
                score[shown[-1]] = score.max() + 1
            if habit == "alternates":
                score[shown[item % k]] = score.max() + 1
            if habit == "uneven" and item // 20 % 2:
                score = random.standard_normal(k)
            if habit == "longer":
                score = chars[item]
            if habit == "copy":
                score = scores[0, item]
            scores[rater, item] = score
            # who drifts rests after every ten items, so that only the calendar tells
            at = 180.0 * item + (3_600 * (item // 10) if habit == "drifts" else 0) + 60 * rater
            at += 7_200 * (item // 20) if habit == "uneven" else 0
            active = 5.0 if habit == "fast" else 150 * float(np.exp(0.4 * times.standard_normal()))
            active = 150 + times.uniform(-5, 5) if habit == "even" else active
            for response in range(k):
                rank = int((score > score[response]).sum()) + 1
                place = int(np.flatnonzero(shown == response)[0])
                number = rater * n_items + item
                rows.append(
                    (
                        number,
                        item,
                        rater,
                        item * k + response,
                        rank,
                        place,
                        chars[item, response],
                        at,
                        active,
                    )
                )
    return Rankings(*(np.array(column) for column in zip(*rows, strict=True)))


HABITS = [
    "chance",
    "first",
    "last",
    "alternates",
    "longer",
    "copy",
    "tires",
    "drifts",
    "uneven",
    "fast",
    "even",
]


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_flagged_by_its_name(habit: flagging.Kind) -> None:
    found = flagging.flags(pool(habits={5: habit}))

    assert (habit, 5) in {(flag.kind, flag.rater) for flag in found}
    assert {flag.rater for flag in found} == {5}


def test_honest_raters_are_left_alone() -> None:
    flagged = sum(
        len({flag.rater for flag in flagging.flags(pool(n_raters=20, n_items=50, seed=seed))})
        for seed in range(5)
    )

    assert flagged <= 2


def test_a_flag_has_its_numbers() -> None:
    flag = next(flag for flag in flagging.flags(pool(habits={5: "first"})) if flag.kind == "first")

    assert (flag.value, flag.n) == (1.0, 80)
    assert 0.1 < flag.usual < 0.5


def test_the_copy_is_the_one_who_came_later() -> None:
    flags = [flag for flag in flagging.flags(pool(habits={5: "copy"})) if flag.kind == "copy"]

    assert [(flag.rater, flag.other) for flag in flags] == [(5, 0)]
    assert (flags[0].value, flags[0].n, flags[0].details) == (1.0, 80, {"is_later": 1.0})


def test_copies_without_times_are_both_named() -> None:
    rankings = pool(habits={5: "copy"})
    without = replace(rankings, at_s=np.zeros(len(rankings.rank)))

    found = [flag for flag in flagging.flags(without) if flag.kind == "copy"]

    assert {(flag.rater, flag.other, flag.details["is_later"]) for flag in found} == {
        (0, 5, 0.0),
        (5, 0, 0.0),
    }


@pytest.mark.parametrize("habit", HABITS)
def test_a_flag_names_judgments_of_the_rater_s_own(habit: flagging.Kind) -> None:
    rankings = pool(habits={5: habit})
    own = set(np.asarray(rankings.judgment)[np.asarray(rankings.rater) == 5].tolist())

    flag = next(flag for flag in flagging.flags(rankings) if flag.kind == habit)

    assert flag.judgments
    assert set(flag.judgments) <= own


def test_the_judgments_behind_a_flag_are_those_that_show_it() -> None:
    found = {kind: flagging.flags(pool(habits={5: kind})) for kind in ("first", "copy", "drifts")}
    judgments = {
        kind: next(flag for flag in flags if flag.kind == kind).judgments
        for kind, flags in found.items()
    }

    everything = tuple(range(5 * 80, 6 * 80))
    assert (judgments["first"], judgments["copy"]) == (everything, everything)
    assert set(judgments["drifts"]) == set(everything[-26:])


def test_two_raters_with_one_habit_are_no_copies() -> None:
    kinds = {flag.kind for flag in flagging.flags(pool(habits={4: "longer", 5: "longer"}))}

    assert "copy" not in kinds


def test_too_few_judgments_flag_nobody() -> None:
    assert flagging.flags(pool(n_items=15, habits={5: "first", 6: "fast"})) == []


def test_pairs_are_flagged_as_rankings_are() -> None:
    found = {
        (flag.kind, flag.rater)
        for flag in flagging.flags(
            pool(n_items=150, k=2, habits={3: "first", 5: "copy", 7: "chance"})
        )
    }

    assert {("first", 3), ("copy", 5), ("chance", 7)} <= found


def test_nothing_judged_flags_nobody() -> None:
    assert flagging.flags(Rankings(*([] for _ in range(9)))) == []


@pytest.mark.parametrize("rank", [1.0, NAN], ids=["all tied", "all unranked"])
def test_rankings_that_say_nothing_flag_nobody(rank: float) -> None:
    rankings = pool(n_raters=3, n_items=30)

    assert flagging.flags(replace(rankings, rank=np.full(len(rankings.rank), rank))) == []


def test_times_that_are_not_known_are_no_pace() -> None:
    rankings = pool(habits={5: "fast"})

    assert flagging.flags(replace(rankings, active_s=np.full(len(rankings.rank), NAN))) == []


def test_a_pause_starts_a_new_sitting() -> None:
    minutes = sittings.minutes_in_sitting(np.array([0.0, 600, 1_200, 9_000, 9_060]), 1_800)

    assert minutes.tolist() == [0, 10, 20, 0, 1]


def pairs_pool(accuracies: list[float], *, n_shared: int, n_own: int, seed: int) -> Rankings:
    """Pairs of responses: all raters answer the shared ones, and three raters each of the others.
    A rater is right with a fixed probability.
    """
    random, n = np.random.default_rng(seed), len(accuracies)
    answered = [(rater, item) for item in range(n_shared) for rater in range(n)]
    answered += [
        (rater, n_shared + item)
        for item in range(n_own)
        for rater in random.choice(n, 3, replace=False).tolist()
    ]
    rows: list[tuple[float, ...]] = []
    for number, (rater, item) in enumerate(answered):
        is_right = random.random() < accuracies[rater]
        shown, active = random.permutation(2), 60 * float(np.exp(0.5 * random.standard_normal()))
        for response in range(2):
            rank = 1 + int((response == 0) != is_right)
            rows.append(
                (
                    number,
                    item,
                    rater,
                    2 * item + response,
                    rank,
                    int(shown[response]),
                    500 + 100 * float(random.standard_normal()),
                    number * 90.0,
                    active,
                )
            )
    return Rankings(*(np.array(column) for column in zip(*rows, strict=True)))


def test_honest_raters_of_pairs_are_not_called_copies() -> None:
    flagged = {
        (seed, flag.rater, flag.kind)
        for seed in range(6)
        for flag in flagging.flags(
            pairs_pool(np.linspace(0.7, 0.9, 24).tolist(), n_shared=60, n_own=300, seed=seed)
        )
    }

    assert not {entry for entry in flagged if entry[2] == "copy"}
    assert len({entry[:2] for entry in flagged}) <= 3


def test_clickers_do_not_make_the_others_look_like_copies() -> None:
    accuracies = [0.5] * 4 + np.linspace(0.7, 0.9, 20).tolist()
    found = [
        flag
        for seed in range(5)
        for flag in flagging.flags(pairs_pool(accuracies, n_shared=60, n_own=300, seed=seed))
    ]

    assert len([flag for flag in found if flag.kind == "chance" and flag.rater < 4]) >= 19
    assert not [flag for flag in found if flag.kind == "copy"]


def with_two_tastes(n_minority: int, k: int, seed: int = 0) -> Rankings:
    """Twenty equally careful raters; the first ones want something else, with nothing in
    common.
    """
    random = np.random.default_rng(seed)
    tastes = random.standard_normal((2, 60, k))
    rows: list[tuple[float, ...]] = []
    for rater in range(20):
        for item in range(60):
            score = tastes[int(rater < n_minority), item] + random.standard_normal(k)
            ranks, shown = (-score).argsort().argsort() + 1, random.permutation(k)
            active = 60 * float(np.exp(0.5 * random.standard_normal()))
            rows += [
                (
                    60 * rater + item,
                    item,
                    rater,
                    k * item + response,
                    int(ranks[response]),
                    int(shown[response]),
                    500.0,
                    90.0 * item + 9_000 * (item // 20),
                    active,
                )
                for response in range(k)
            ]
    return Rankings(*(np.array(column) for column in zip(*rows, strict=True)))


@pytest.mark.parametrize(("n_minority", "k"), [(3, 2), (3, 4), (8, 4)])
def test_a_careful_minority_is_a_group_and_not_careless(k: int, n_minority: int) -> None:
    found = flagging.review(with_two_tastes(n_minority, k))

    assert [taste.raters for taste in found.tastes] == [tuple(range(n_minority))]
    assert abs(found.tastes[0].with_pool) < 0.3
    assert [flag for flag in found.flags if flag.rater < n_minority] == []


def test_a_pool_split_nearly_in_half_accuses_nobody() -> None:
    assert flagging.flags(with_two_tastes(8, 2)) == []


def test_careless_raters_are_no_group() -> None:
    found = flagging.review(pool(habits=dict.fromkeys(range(5), "chance")))

    assert found.tastes == []
    assert {flag.rater for flag in found.flags if flag.kind == "chance"} == set(range(5))


def test_a_flag_says_how_often_luck_gives_it() -> None:
    by_kind = {
        kind: next(flag for flag in flagging.flags(pool(habits={5: kind})) if flag.kind == kind)
        for kind in ("first", "fast")
    }

    assert by_kind["first"].p is not None
    assert by_kind["first"].p < 1e-4
    assert by_kind["fast"].p is None


def test_ties_only_are_nothing_to_copy() -> None:
    rankings = pool(n_items=60, k=2)
    tied = np.isin(np.asarray(rankings.rater), [3, 4])
    rank = np.where(tied, 1, np.asarray(rankings.rank))

    assert "copy" not in {flag.kind for flag in flagging.flags(replace(rankings, rank=rank))}
