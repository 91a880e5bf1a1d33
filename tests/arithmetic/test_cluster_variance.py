"""The variance between clusters: against published examples, and a slow twin that goes over every
two rows.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from arithmetic import cluster_variance
from tests.arithmetic.households import HOUSEHOLDS, SAW_DOCTOR


def slow(scores: np.ndarray, cluster: Sequence[object]) -> np.ndarray:
    """Every two rows of one cluster, their influences multiplied."""
    total = np.zeros((scores.shape[1], scores.shape[1]))
    for one, of_one in zip(scores, cluster, strict=True):
        for other, of_other in zip(scores, cluster, strict=True):
            if of_one == of_other:
                total += np.outer(one, other)
    n_clusters = len(set(cluster))
    return total * n_clusters / (n_clusters - 1)


def rows(seed: int, k: int) -> tuple[np.ndarray, list[int], list[int]]:
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(60, k)),
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
    scores, cluster, rater = rows(seed, k=1)
    both = list(zip(cluster, rater, strict=True))
    by_cluster, by_rater, by_both = (slow(scores, of)[0, 0] for of in (cluster, rater, both))

    assert cluster_variance.of_rows(scores[:, 0], cluster) == pytest.approx(by_cluster)
    assert cluster_variance.of_rows(scores[:, 0], cluster, rater) == pytest.approx(
        max(by_cluster, by_cluster + by_rater - by_both)
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_variance_of_several_sums_is_their_slow_twin_s(seed: int) -> None:
    scores, cluster, rater = rows(seed, k=3)
    clusterings = (cluster, rater, list(zip(cluster, rater, strict=True)))

    found = cluster_variance.of_scores(scores, cluster, rater)

    for matrix, of in zip(found, clusterings, strict=True):
        assert matrix == pytest.approx(slow(scores, of))


def test_two_clusterings_never_have_less_than_one() -> None:
    """Rows of one rater that cancel out: together they would seem to have no variance."""
    influence, prompts, raters = np.array([1.0, 1.0, -1.0, -1.0]), [1, 1, 2, 2], [1, 2, 1, 2]

    assert cluster_variance.of_rows(influence, prompts, raters) == pytest.approx(
        slow(influence[:, None], prompts)[0, 0]
    )


def test_the_variances_of_groups_are_those_of_each_alone() -> None:
    scores, cluster, group = rows(7, k=1)
    own = np.array(group) - 100
    cells, cell = np.unique(own * 12 + np.array(cluster), return_inverse=True)
    sums = np.bincount(cell, weights=scores[:, 0])

    found = cluster_variance.by_group(sums, cells // 12, np.bincount(cells // 12))

    for at, variance in enumerate(found):
        rows_of = own == at
        alone = cluster_variance.of_rows(scores[rows_of, 0], np.array(cluster)[rows_of])
        assert variance == pytest.approx(alone)


def test_a_single_cluster_is_taken_as_it_is() -> None:
    assert cluster_variance.of_sums(np.array([3.0]), 1) == 9
    assert cluster_variance.by_group([3.0], np.array([0]), np.array([1])).tolist() == [9]
