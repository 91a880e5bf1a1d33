"""The mean of paired differences that come in clusters: an interval and a p-value by sign flips.

If two models are equally good, which of them is ours is arbitrary: the differences of a cluster are
as likely with the other sign. The signs of whole clusters are flipped, so items of one cluster stay
together, and p is the share of flips with a mean as far from 0 as the observed one (Fisher 1935;
Winkler et al. 2014 for clusters). It is exact for any number and any sizes of clusters, where a
bootstrap or Student's t calls too many equal models different.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from arithmetic import cluster_variance

N_DRAWN = 2000
MANY = 200
"""From so many clusters on, means are normally distributed: Student's interval is taken, which
costs no draws."""
_ALL_UP_TO = 12
"""So few clusters have no more flips than are drawn, so each is taken once."""
_LEVEL = 0.05
_SEED = 20261128
_AT_ONCE = 500_000
_DIGITS = 9
"""Sums of the same shares in another order are equal to so many digits."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeanDifference:
    """`error` is the standard error between clusters."""

    mean: float
    low: float
    high: float
    p: float
    error: float
    n_clusters: int


def mean_difference(differences: Floats, clusters: Ints, *, seed: int = _SEED) -> MeanDifference:
    """`clusters` holds a number from 0 for each difference. Needs two clusters."""
    sums: Floats = np.bincount(clusters, weights=differences).astype(np.float64)
    sizes = np.bincount(clusters).astype(np.float64)
    k, mean = len(sums), float(differences.mean())
    error = standard_error(sums, sizes)
    if k >= MANY:
        return _by_student(mean, error, k)
    flipped = _flipped_sums(np.stack([sums, sizes], axis=1), np.random.default_rng(seed))
    low, high, p = _interval(float(sums.sum()), float(sizes.sum()), flipped)
    return MeanDifference(mean, low, high, p, error, k)


def standard_error(sums: Floats, sizes: Floats) -> float:
    """Of the mean over items, between clusters with these sums and sizes."""
    k, n = len(sums), sizes.sum()
    residuals = sums - sizes * (sums.sum() / n)
    return math.sqrt(cluster_variance.of_sums(residuals, k)) / float(n)


def _by_student(mean: float, error: float, k: int) -> MeanDifference:
    reach = float(stdtrit(k - 1, 0.975)) * error
    p = float(2 * stdtr(k - 1, -abs(mean) / error)) if error else float(mean == 0)
    return MeanDifference(mean, mean - reach, mean + reach, p, error, k)


def _flipped_sums(columns: Floats, rng: np.random.Generator) -> Floats:
    """The sums of the columns with the signs of rows flipped: unflipped first, then in each of the
    other ways, or in N_DRAWN drawn ones.
    """
    k = len(columns)
    if k <= _ALL_UP_TO:
        # Flipping all of them changes no distance from 0, so the first keeps its sign.
        signs = 1 - 2 * ((np.arange(2 ** (k - 1))[:, None] >> np.arange(k)) & 1)
        return np.asarray(signs @ columns, dtype=np.float64)
    rows = max(1, _AT_ONCE // k)
    parts = [columns.sum(axis=0)[None]]
    for start in range(0, N_DRAWN, rows):
        drawn = rng.integers(0, 2, size=(min(rows, N_DRAWN - start), k))
        parts.append((1 - 2 * drawn) @ columns)
    return np.concatenate(parts)


def _interval(total: float, n: float, flipped: Floats) -> tuple[float, float, float]:
    """(low, high, p). The interval holds the differences that the test does not reject.

    With a supposed difference d, a flip is as far from it as what was observed if
    |sum − d · size| ≥ |total − d · n|: between the two d for which both sides are equal.
    """
    sums, sizes = flipped.T
    is_unlike = np.abs(sizes) < n
    ends = np.full((2, len(sums)), np.inf) * [[-1], [1]]
    same, opposite = (
        (total - sign * sums[is_unlike]) / (n - sign * sizes[is_unlike]) for sign in (1, -1)
    )
    ends[:, is_unlike] = np.sort(np.round([same, opposite], _DIGITS), axis=0)
    lows, highs = ends
    place = math.ceil(_LEVEL * len(sums)) - 1
    p = float(((lows <= 0) & (highs >= 0)).mean())
    return float(np.sort(lows)[place]), float(-np.sort(-highs)[place]), p
