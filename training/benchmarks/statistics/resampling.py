"""The mean of paired differences that come in clusters: an interval and a p-value by bootstrap.

Whole clusters are drawn again with replacement, so items of one cluster stay together. Quantiles
of the drawn means are taken a little further out than 2.5 % (Hesterberg 2015, section 3.2, the
expanded percentile interval): plain ones are too narrow when clusters are few.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from arithmetic import cluster_variance

N_DRAWN = 2000
MANY = 200
"""From so many clusters on, means are normally distributed: Student's interval is taken, which
costs no draws."""
_SEED = 20261128
_AT_ONCE = 500_000
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
    if error == 0 or k >= MANY:
        return _by_student(mean, error, k)
    drawn = _drawn_means(sums, sizes, np.random.default_rng(seed))
    low, high = np.quantile(drawn, [_level(0.025, k), 1 - _level(0.025, k)])
    return MeanDifference(mean, float(low), float(high), _p(drawn, k), error, k)


def standard_error(sums: Floats, sizes: Floats) -> float:
    """Of the mean over items, between clusters with these sums and sizes."""
    k, n = len(sums), sizes.sum()
    residuals = sums - sizes * (sums.sum() / n)
    return math.sqrt(cluster_variance.of_sums(residuals, k)) / float(n)


def _by_student(mean: float, error: float, k: int) -> MeanDifference:
    reach = float(stdtrit(k - 1, 0.975)) * error
    p = float(2 * stdtr(k - 1, -abs(mean) / error)) if error else float(mean == 0)
    return MeanDifference(mean, mean - reach, mean + reach, p, error, k)


def _drawn_means(sums: Floats, sizes: Floats, rng: np.random.Generator) -> Floats:
    k = len(sums)
    rows = max(1, _AT_ONCE // k)
    parts = []
    for start in range(0, N_DRAWN, rows):
        chosen = rng.integers(0, k, size=(min(rows, N_DRAWN - start), k))
        parts.append(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
    return np.concatenate(parts)


def _level(tail: float, k: int) -> float:
    """The quantile that stands for `tail` of Student's distribution between `k` clusters."""
    return float(ndtr(math.sqrt(k / (k - 1)) * stdtrit(k - 1, tail)))


def _p(drawn: Floats, k: int) -> float:
    """The level at which the interval would just reach 0."""
    below = ((drawn < 0).sum() + 0.5 * (drawn == 0).sum() + 0.5) / (len(drawn) + 1)
    tail = min(below, 1 - below)
    return min(1.0, float(2 * stdtr(k - 1, ndtri(tail) / math.sqrt(k / (k - 1)))))
