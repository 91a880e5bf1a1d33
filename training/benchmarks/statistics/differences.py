"""How much better one model does than another on the same items, and whether that is noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arithmetic import intervals
from training.benchmarks.statistics import mcnemar, power, sign_flips

MCNEMAR = "mcnemar"
SIGN_FLIPS = "sign flips"
TOO_FEW = "too few"
FEWEST_CLUSTERS = 10
"""Among fewer, sign flips hold their level but find next to nothing."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """Mean of ours minus theirs over `n` items that both answered.

    From fewer clusters than the test needs (`method` is TOO_FEW), only the difference is known.
    `smallest`: the smallest difference that the test would find with 80 % probability, if as many
    items told the models apart as here.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    method: str
    n: int
    n_clusters: int
    n_better: int
    """items on which we score higher"""
    n_worse: int
    smallest: float | None = None


def compare(
    ours: Sequence[float] | Floats,
    theirs: Sequence[float] | Floats,
    clusters: Sequence[int] | Ints,
    *,
    is_share: bool = True,
) -> Difference | None:
    """Compares two models on the same items. None without items.

    McNemar's exact test where every score is 0 or 1 and every item its own cluster, else sign
    flips of clusters, of which it takes FEWEST_CLUSTERS. `is_share`: scores lie between 0 and 1.
    """
    first, second = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if not len(first):
        return None
    # As integers for shares, .1 + .2 is not .3, and a tie must be a tie.
    gaps = np.round(first - second, 12)
    _names, numbers = np.unique(np.asarray(clusters), return_inverse=True)
    better, worse = int((gaps > 0).sum()), int((gaps < 0).sum())
    about = (len(first), int(numbers.max()) + 1, better, worse)
    if about[1] < intervals.FEWEST_PROMPTS:
        return Difference(float(gaps.mean()), None, None, None, TOO_FEW, *about)
    is_binary = is_share and bool(np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all())
    if is_binary and about[1] == len(first):
        return _of_shares(*about)
    if about[1] < FEWEST_CLUSTERS:
        return Difference(float(gaps.mean()), None, None, None, TOO_FEW, *about)
    return _of_means(gaps, numbers.astype(np.int64), about, is_share=is_share)


def _of_shares(n: int, n_clusters: int, better: int, worse: int) -> Difference:
    low, high = mcnemar.interval(better, worse, n)
    return Difference(
        difference=(better - worse) / n,
        low=low,
        high=high,
        p=mcnemar.exact_p(better, worse),
        method=MCNEMAR,
        n=n,
        n_clusters=n_clusters,
        n_better=better,
        n_worse=worse,
        smallest=power.smallest_of_shares(n, (better + worse) / n),
    )


def _of_means(
    gaps: Floats, clusters: Ints, about: tuple[int, int, int, int], *, is_share: bool
) -> Difference:
    estimate = sign_flips.mean_difference(gaps, clusters)
    if estimate.error == 0 and not is_share:
        return Difference(estimate.mean, None, None, None, TOO_FEW, *about)
    low, high, p = estimate.low, estimate.high, estimate.p
    smallest: float | None = power.smallest_of_means(estimate.error, estimate.n_clusters)
    if estimate.error == 0:
        # No spread at all says nothing of the spread to expect: each cluster counts as one item
        # that either tells the models apart or does not.
        low, high = _without_spread(estimate.mean, estimate.n_clusters)
        smallest = power.smallest_of_shares(estimate.n_clusters, 0.0)
    if is_share:
        low, high = max(-1.0, low), min(1.0, high)
    return Difference(estimate.mean, low, high, p, SIGN_FLIPS, *about, smallest)


def _without_spread(mean: float, n_clusters: int) -> tuple[float, float]:
    """It ends at 0 at most, which every cluster speaks against."""
    reach = intervals.wilson(0, n_clusters, intervals.student(n_clusters))[1]
    low, high = mean - reach, mean + reach
    return (max(low, 0.0) if mean > 0 else low), (min(high, 0.0) if mean < 0 else high)
