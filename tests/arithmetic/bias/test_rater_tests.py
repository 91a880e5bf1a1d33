"""The formulas behind flags: worked examples, and slow twins that count one by one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, norm

from arithmetic.bias import copying, flagging, sittings, tastes
from arithmetic.bias.copying import SharedItems, expected_same
from arithmetic.bias.following import (
    Following,
    NumberedVotes,
    expected_votes,
    following,
)
from arithmetic.bias.judgment_table import table_of
from arithmetic.bias.thresholds import THRESHOLDS
from tests.arithmetic.bias.test_bias_flags import pairs_pool, pool


def votes(seed: int = 0, n_raters: int = 8, n_units: int = 40) -> NumberedVotes:
    random = np.random.default_rng(seed)
    truth = random.choice([-1, 1], n_units)
    unit, rater = (grid.reshape(-1) for grid in np.mgrid[:n_units, :n_raters])
    label = np.where(random.random(len(unit)) < 0.75, truth[unit], -truth[unit])
    # Two pairs of responses to a judgment.
    judgment = rater * (n_units // 2) + unit // 2
    return NumberedVotes(unit, rater, label, judgment, n_raters, n_raters * n_units // 2)


# --- following ------------------------------------------------------------------------------------


def test_a_slope_by_hand() -> None:
    """Two judgments: (2 + 1) / (4 + 2) = ½, and error √(1.5 · (8 − 1² · 2)) / 6 = ½."""
    found = Following(
        product=np.array([2.0, 1.0]),
        square=np.array([4.0, 2.0]),
        noise=np.array([5.0, 3.0]),
        settled=np.array([1.5, 0.5]),
        related=1.5,
    )

    assert found.slope(np.array([0, 1])) == (0.5, 0.5)
    assert found.slope(np.array([0, 1]), skill=0.0)[1] == pytest.approx(math.sqrt(12) / 6)


def test_a_slope_is_that_of_a_slow_twin() -> None:
    given = votes()
    expected = expected_votes(given)
    product = square = noise = settled = 0.0
    for at in range(len(given.unit)):
        if given.rater[at] == 3:
            weight = 1 / max(1 - expected[at] ** 2, 0.35)
            product += weight * expected[at] * given.label[at]
            square += weight * expected[at] ** 2
            noise += weight**2 * expected[at] ** 2
            settled += weight**2 * expected[at] ** 4

    found = following(given)
    slope, se = found.slope(np.unique(given.judgment[given.rater == 3]), skill=0.8)

    assert slope == pytest.approx(product / square)
    assert se == pytest.approx(math.sqrt(found.related * (noise - 0.64 * settled)) / square)


def test_votes_outside_the_group_do_not_move_its_tendency() -> None:
    given = votes()
    voters = np.arange(8) < 5
    turned = replace(given, label=np.where(voters[given.rater], given.label, -given.label))

    ours = voters[given.rater]
    assert expected_votes(given, voters)[ours] == pytest.approx(
        expected_votes(turned, voters)[ours]
    )


# --- copies ---------------------------------------------------------------------------------------


def test_two_good_raters_agree_as_often_as_their_skill_says() -> None:
    """Chance ½ of 100, and a typical pair adds 12.5. Raters 0 and 1 agree with each of six typical
    raters in 75 of 100 items, twice that excess, so their skill is 2: 50 + 12.5 · 2 · 2 = 100.
    """
    one, other = np.triu_indices(8, k=1)
    skill = np.where(np.arange(8) < 2, 2.0, 1.0)
    same = 50 + 12.5 * skill[one] * skill[other]
    shared = SharedItems(one, other, np.full(28, 100.0), same, np.full(28, 50.0), np.full(28, 12.5))

    found = expected_same(shared, 8)

    assert found[0] == pytest.approx(100, abs=1)
    assert found[-1] == pytest.approx(62.5, abs=0.5)


def test_a_pair_does_not_explain_itself() -> None:
    """The same pool, all typical, but raters 0 and 1 agree in 95 of 100 items: 62.5 is expected."""
    one, other = np.triu_indices(8, k=1)
    same = np.where((one == 0) & (other == 1), 95.0, 62.5)
    shared = SharedItems(one, other, np.full(28, 100.0), same, np.full(28, 50.0), np.full(28, 12.5))

    assert expected_same(shared, 8)[0] < 67


def test_shared_items_are_those_a_slow_twin_counts() -> None:
    table = table_of(pairs_pool([0.8] * 6, n_shared=10, n_own=20, seed=1))
    assert table is not None
    item, order = table.item.tolist(), table.order.tolist()
    by_item: dict[int, list[int]] = {}
    for at, which in enumerate(item):
        by_item.setdefault(which, []).append(order[at])
    equal = {
        which: sum(one == other for place, one in enumerate(found) for other in found[:place])
        for which, found in by_item.items()
    }
    n_pairs = {which: len(found) * (len(found) - 1) / 2 for which, found in by_item.items()}
    pooled = sum(equal.values()) / sum(n_pairs.values())
    share = {which: (equal[which] + 10 * pooled) / (n_pairs[which] + 10) for which in by_item}

    found = copying.shared_items(table, np.zeros(6, dtype=np.int64))

    for at, (one, other) in enumerate(zip(found.one.tolist(), found.other.tolist(), strict=True)):
        mine, theirs = (
            {item[row]: order[row] for row in table.of_rater[rater]} for rater in (one, other)
        )
        both = set(mine) & set(theirs)
        assert found.n[at] == len(both)
        assert found.same[at] == sum(mine[which] == theirs[which] for which in both)
        assert found.by_chance[at] == pytest.approx(len(both) / 2)
        assert found.by_skill[at] == pytest.approx(sum(share[which] - 0.5 for which in both))


# --- tastes ---------------------------------------------------------------------------------------


def test_a_second_slope_is_that_of_least_squares() -> None:
    given = votes()
    random = np.random.default_rng(2)
    first, second = random.standard_normal((2, len(given.unit)))

    slope, p = tastes._second_slopes(given, first, second)

    mine = given.rater == 4
    design = np.column_stack([first[mine], second[mine]])
    fit = np.linalg.lstsq(design, given.label[mine].astype(float), rcond=None)[0]
    assert slope[4] == pytest.approx(fit[1])
    rest = second[mine] - (first[mine] @ second[mine]) / (first[mine] @ first[mine]) * first[mine]
    noise = rest * (given.label[mine] - design @ fit)
    by_judgment = {
        judgment: sum(noise[given.judgment[mine] == judgment])
        for judgment in set(given.judgment[mine].tolist())
    }
    se = math.sqrt(sum(value**2 for value in by_judgment.values())) / (rest @ rest)
    assert p[4] == pytest.approx(norm.sf(fit[1] / se))


# --- parts and sittings ---------------------------------------------------------------------------


def test_sittings_differ_by_cochrans_q() -> None:
    """Slopes 1 and 0, both with error ½: mean ½, Q = 4 · ¼ + 4 · ¼ = 2 with one degree."""
    found = Following(
        product=np.array([1.0, 0.0]),
        square=np.ones(2),
        noise=np.full(2, 0.25),
        settled=np.zeros(2),
        related=1.0,
    )

    differ = sittings._sittings_differ(found, 0.5, [np.array([0]), np.array([1])])

    assert differ is not None
    low, high, judgments, p = differ
    assert (low, high, judgments.tolist()) == (0.0, 1.0, [1])
    assert p == pytest.approx(chi2.sf(2, 1))


def test_a_spread_of_skill_starts_from_the_usual_one() -> None:
    """Two raters at 1 and 1.4, errors ½: 1.2533 · 0.2 is below the error, so nothing is observed;
    (2 · 0 + 8 · 0.04) / 10 = 0.032.
    """
    found = Following(
        product=np.array([1.0, 1.4]),
        square=np.ones(2),
        noise=np.full(2, 0.25),
        settled=np.zeros(2),
        related=1.0,
    )
    thresholds = replace(THRESHOLDS, n_judgments=1)

    spread = sittings.skill_spread(found, (np.array([0]), np.array([1])), thresholds)

    assert spread == pytest.approx(math.sqrt(0.032))


# --- places and times -----------------------------------------------------------------------------


def test_positions_in_turn_by_hand() -> None:
    """A B A B A B: all five steps go to the other side, where ½ is expected: p = 1/32."""
    place = np.array([0, 1, 0, 1, 0, 1])

    found = flagging._rhythm(0, place, np.arange(6), 2, THRESHOLDS)

    assert (found.value, found.usual, found.n) == (1.0, 0.5, 5)
    assert found.p == pytest.approx(1 / 32)


def test_the_last_of_what_is_ranked_is_the_last() -> None:
    rankings = pool(n_raters=1, n_items=1, k=4)
    rank, position = np.array([2.0, 1.0, 3.0, np.nan]), np.array([0, 2, 1, 3])

    table = table_of(replace(rankings, rank=rank, position=position))

    assert table is not None
    assert (table.top_place.tolist(), table.n_ranked.tolist()) == ([2.0], [3])


def test_a_spread_of_times_ignores_a_long_pause() -> None:
    """Deviations from the median 3: 2, 1, 0, 1, 97, and their median is 1."""
    assert flagging._spread(np.array([1.0, 2, 3, 4, 100])) == pytest.approx(1.4826)
