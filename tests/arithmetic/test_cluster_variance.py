"""The variance between clusters: against published examples, and a slow twin that goes over every
two rows.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from arithmetic import cluster_variance
from arithmetic.cluster_variance import Spread
from arithmetic.figures import RATERS_LIKE_THESE, THESE_RATERS
from tests.arithmetic.households import HOUSEHOLDS, SAW_DOCTOR


def slow(influence: np.ndarray, cluster: Sequence[object]) -> float:
    """Every two rows of one cluster, their influences multiplied."""
    total = 0.0
    for one, of_one in zip(influence, cluster, strict=True):
        for other, of_other in zip(influence, cluster, strict=True):
            if of_one == of_other:
                total += one * other
    n_clusters = len(set(cluster))
    return total * n_clusters / (n_clusters - 1)


def rows(seed: int) -> tuple[np.ndarray, list[int], list[int]]:
    random = np.random.default_rng(seed)
    return (
        random.normal(size=60),
        random.integers(0, 12, 60).tolist(),
        random.integers(100, 107, 60).tolist(),
    )


def test_the_variance_of_people_in_households_is_cochran_s() -> None:
    """Cochran (1977), below table 3.5: .00520, and .00197 if each person stood alone."""
    n, share = sum(HOUSEHOLDS), sum(SAW_DOCTOR) / sum(HOUSEHOLDS)
    household = np.repeat(np.arange(30), HOUSEHOLDS)
    pairs = zip(SAW_DOCTOR, HOUSEHOLDS, strict=True)
    saw = np.concatenate([[1.0] * saw + [0.0] * (size - saw) for saw, size in pairs])

    variance = cluster_variance.of_rows((saw - share) / n, household)

    assert variance == pytest.approx(0.00520, abs=1e-5)


def test_rows_that_stand_alone_have_the_variance_of_a_mean() -> None:
    """By hand: 1, 2 and 6 have mean 3 and variance 7, so their mean has 7 / 3."""
    values = np.array([1.0, 2.0, 6.0])

    assert cluster_variance.of_rows((values - 3) / 3, [0, 1, 2]) == pytest.approx(7 / 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_variance_of_a_sum_is_its_slow_twin_s(seed: int) -> None:
    scores, cluster, _rater = rows(seed)

    assert cluster_variance.of_rows(scores, cluster) == pytest.approx(slow(scores, cluster))


def slow_of_both(
    influence: np.ndarray, prompts: Sequence[int], raters: Sequence[int], weights: Sequence[float]
) -> tuple[float, float]:
    """(variance, degrees of freedom), from what each rater's sum is expected to be."""
    total = sum(weights)
    share = {
        name: sum(w for w, rater in zip(weights, raters, strict=True) if rater == name) / total
        for name in set(raters)
    }
    of_mean = sum(own**2 for own in share.values())
    # A rater's own effect and everybody's mean effect, of raters who differ by a variance of 1.
    seen = sum(
        sum((own * ((name == other) - share[other])) ** 2 for other in share)
        for name, own in share.items()
    )
    sums = [sum(influence[np.array(raters) == name]) for name in share]
    by_rater = of_mean / seen * sum(one**2 for one in sums)
    by_both = slow(influence, list(zip(prompts, raters, strict=True)))
    by_prompt, n_prompts = slow(influence, prompts), len(set(prompts))
    excess = by_rater - of_mean / seen * (1 - of_mean) * by_both
    variance = by_prompt + max(0.0, excess)
    df = variance**2 / (by_prompt**2 / (n_prompts - 1) + by_rater**2 / (1 / of_mean - 1))
    return variance, min(n_prompts - 1, max(df, min(n_prompts - 1, 1 / of_mean - 1)))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("are_weighted", [False, True])
def test_the_variance_between_prompts_and_raters_is_its_slow_twin_s(
    seed: int, are_weighted: bool
) -> None:
    influence, prompts, raters = rows(seed)
    influence = influence + np.array(raters) / 3 * (seed % 2)
    weights = [1.0 + 3 * (rater % 3) if are_weighted else 1.0 for rater in raters]

    found = cluster_variance.by_prompts_and_raters(influence, prompts, raters, weights)

    assert (found.variance, found.df) == pytest.approx(
        slow_of_both(influence, prompts, raters, weights)
    )
    assert found.about == RATERS_LIKE_THESE


JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)
"""Shrout and Fleiss (1979), table 2: six targets by four judges. Table 3 has the mean squares:
11.24 between targets, 32.49 between judges.
"""


def test_targets_and_judges_have_the_mean_squares_of_shrout_and_fleiss() -> None:
    """By hand: 11.24 / 24 between targets, 32.49 / 24 between judges, and 7.346 / 24 between all
    24 scores (their sum of squares is 168.96). The judges give equally many scores, so the variance
    is Cameron, Gelbach and Miller's: (11.24 + 32.49 − 7.346) / 24 = 1.516, with
    1.516² / (.4683² / 5 + 1.3538² / 3) = 3.51 degrees of freedom.
    """
    influence = ((JUDGES - JUDGES.mean()) / 24).reshape(-1)
    target, judge = np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6)

    between_targets = cluster_variance.of_rows(influence, target)
    between_judges = cluster_variance.of_rows(influence, judge)
    found = cluster_variance.by_prompts_and_raters(influence, target, judge)

    assert between_targets * 24 == pytest.approx(11.24, abs=0.005)
    assert between_judges * 24 == pytest.approx(32.49, abs=0.005)
    assert found.variance == pytest.approx(1.516, abs=0.0005)
    assert found.df == pytest.approx(3.51, abs=0.005)


def test_two_clusterings_never_have_less_than_one() -> None:
    """Rows of each rater that cancel out: together they would seem to have no variance."""
    influence = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    prompts, raters = [1, 1, 1, 2, 2, 2], [1, 2, 3, 1, 2, 3]

    found = cluster_variance.by_prompts_and_raters(influence, prompts, raters)

    assert found.variance == pytest.approx(slow(influence, prompts))


@pytest.mark.parametrize(
    "votes",
    [(60,), (30, 30), (50, 10), (55, 3, 2)],
    ids=["one", "two", "two unequal", "nearly one"],
)
def test_too_few_raters_say_nothing_of_others(votes: tuple[int, ...]) -> None:
    influence, prompts, _raters = rows(1)
    raters = np.repeat(np.arange(len(votes)), votes)

    found = cluster_variance.by_prompts_and_raters(influence, prompts, raters)

    assert found == Spread(pytest.approx(slow(influence, prompts)), 11, 11, THESE_RATERS)


def test_raters_who_all_say_the_same_are_known_no_better_than_their_number_allows() -> None:
    found = cluster_variance.by_prompts_and_raters(np.zeros(60), np.arange(60), np.arange(60) % 4)

    assert found == Spread(0.0, pytest.approx(3), 59, RATERS_LIKE_THESE)


def test_what_independent_votes_add_is_known_as_well_as_prompts_allow() -> None:
    """By hand: of a variance of 2 with 3 degrees of freedom, raised to 4, the estimate is half, and
    3 · 2² = 12."""
    assert Spread(2.0, 3.0, 59).at_least(1.0) == Spread(2.0, 3.0, 59)
    assert Spread(2.0, 3.0, 59).at_least(4.0) == Spread(4.0, 12.0, 59)
    assert Spread(0.0, 3.0, 59).at_least(4.0) == Spread(4.0, 59, 59)


def test_the_variances_of_groups_are_those_of_each_alone() -> None:
    scores, cluster, group = rows(7)
    own = np.array(group) - 100
    cells, cell = np.unique(own * 12 + np.array(cluster), return_inverse=True)
    sums = np.bincount(cell, weights=scores)

    found = cluster_variance.by_group(sums, cells // 12, np.bincount(cells // 12))

    for at, variance in enumerate(found):
        rows_of = own == at
        alone = cluster_variance.of_rows(scores[rows_of], np.array(cluster)[rows_of])
        assert variance == pytest.approx(alone)


def test_a_single_cluster_is_taken_as_it_is() -> None:
    assert cluster_variance.of_sums(np.array([3.0]), 1) == 9
    assert cluster_variance.by_group([3.0], np.array([0]), np.array([1])).tolist() == [9]
