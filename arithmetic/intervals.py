"""The one rule for 95 % intervals: votes on one prompt belong together, and where raters like these
are meant, so do votes by one rater. Plain arithmetic: the training process uses it too.

Votes on one prompt share how hard it is, so they tell less than as many votes on different prompts.
A figure's variance is therefore taken between prompts, and turned into a number of independent
votes: as many as have this variance. The interval is Wilson's for that number (Korn and Graubard
1998), with Student's t for the number of prompts in place of the normal quantile (Dean and Pavlou
2015). It never has zero width. From fewer than FEWEST_PROMPTS prompts there is no interval, because
nothing is known about the spread between prompts.
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from arithmetic import cluster_variance
from arithmetic.figures import Floats

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % quantile: a two-sided interval of 95 %."""
FEWEST_PROMPTS = 5
_NOTHING = 1e-15
"""A variance below this is zero up to rounding."""


def wilson(score: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval (1927) of `score` of `n`; halves are allowed. (0, 1) when n is 0."""
    if n <= 0:
        return 0.0, 1.0
    share, square = score / n, z * z / n
    centre = (share + square / 2) / (1 + square)
    # Rounding can take a share a hair below 0 or above 1.
    spread = max(share * (1 - share), 0.0)
    reach = z * math.sqrt(spread / n + square / (4 * n)) / (1 + square)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def student(n_prompts: int) -> float:
    """The 97.5 % quantile of Student's t for the spread between this many prompts."""
    return of_student(n_prompts - 1)


ERROR = 0.025
"""How often each end of an interval of 95 % may miss."""


def of_student(df: float, error: float = ERROR) -> float:
    """The 97.5 % quantile of Student's t with `df` degrees of freedom, whole or not; with `error`,
    the one that is exceeded that often.
    """
    return float(stdtrit(df, 1 - error))


def of_share(
    share: float,
    variance: float,
    n_prompts: int,
    df: float | None = None,
    error: float = ERROR,
) -> tuple[float, float] | None:
    """The interval of a share with this variance; None from fewer than FEWEST_PROMPTS prompts. `df`
    are the variance's degrees of freedom, by default those of the spread between prompts. Each end
    misses the truth in `error` of cases.

    If the votes do not vary at all, nothing shows how far a prompt's votes belong together, and
    each prompt counts as one vote.
    """
    if n_prompts < FEWEST_PROMPTS:
        return None
    share = min(max(share, 0.0), 1.0)
    spread = share * (1 - share)
    varies = spread > _NOTHING and variance > _NOTHING
    n = spread / variance if varies else float(n_prompts)
    return wilson(share * n, n, of_student(n_prompts - 1 if df is None else df, error))


def of_votes(scores: Sequence[float], prompts: Sequence[int]) -> tuple[float, float] | None:
    """The interval of the mean of scores from 0 to 1, each a vote on one of `prompts`. At least as
    wide as that of independent votes.
    """
    if not scores:
        return None
    n, share = len(scores), math.fsum(scores) / len(scores)
    between, n_prompts = _between(scores, prompts, share, np.ones(n))
    return of_share(share, max(between, share * (1 - share) / n), n_prompts)


def of_difference(
    after: float, after_ends: tuple[float, float], before: float, before_ends: tuple[float, float]
) -> tuple[float, float]:
    """The interval of after − before, from the intervals of both (Newcombe 1998, Statistics in
    Medicine 17:873, method 10). Of the same votes it is wider than it need be.
    """
    (low, high), (low_before, high_before) = after_ends, before_ends
    difference = after - before
    return (
        difference - math.hypot(after - low, high_before - before),
        difference + math.hypot(high - after, before - low_before),
    )


_SHOWN = 2.8015852181
"""So many standard errors of a difference are shown with probability 80 %."""


def n_enough(n: int, ends: tuple[float, float], difference: float) -> int:
    """About how many in place of `n` would show this difference with probability 80 %, where `n`
    gave these ends: an interval narrows with the root of its n. In two digits, rounded up.
    """
    error = (ends[1] - ends[0]) / 2 / Z_95
    needed = n * (error * _SHOWN / difference) ** 2
    if needed <= 1:
        return 1
    digit: int = 10 ** max(math.floor(math.log10(needed)) - 1, 0)
    return math.ceil(needed / digit) * digit


def among(
    value: float, ends: tuple[float, float], n: int, df: float | None = None
) -> tuple[float, float]:
    """The ends of a value that is one of `n`, so that all `n` intervals hold together in 95 % of
    cases (Bonferroni): each end is moved off by the ratio of the normal quantiles, or with `df` of
    Student's.
    """
    error = ERROR / max(n, 1)
    wider = float(ndtri(1 - error)) / Z_95 if df is None else of_student(df, error) / of_student(df)
    return value - (value - ends[0]) * wider, value + (ends[1] - value) * wider


def of_mean(
    values: Sequence[float], prompts: Sequence[Hashable], weights: Sequence[float] | None = None
) -> tuple[float, float] | None:
    """The interval of the mean of values without bounds, each of one of `prompts`: Student's, with
    the variance between prompts. A value counts as often as its weight says.
    """
    if not values:
        return None
    counts = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    mean = math.fsum(counts * values) / math.fsum(counts)
    variance, n_prompts = _between(values, prompts, mean, counts)
    if n_prompts < FEWEST_PROMPTS:
        return None
    reach = student(n_prompts) * math.sqrt(variance)
    return mean - reach, mean + reach


def _between(
    values: Sequence[float], prompts: Sequence[Hashable], mean: float, counts: Floats
) -> tuple[float, int]:
    """(the variance of the mean, taken between prompts; the number of prompts)"""
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    influence = (np.asarray(values, dtype=float) - mean) * counts / counts.sum()
    clusters = [numbers[prompt] for prompt in prompts]
    return cluster_variance.of_rows(influence, clusters), len(numbers)
