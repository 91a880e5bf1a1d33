"""The smallest difference that a test on this many items would find: with probability 80 %, at a
level of 5 %.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import bdtr, gammaln, stdtrit, xlog1py, xlogy

POWER = 0.8
_LEVEL = 0.05
_FEWEST = 6
"""Five items to none have p = .0625: the exact test finds nothing among fewer than six."""
_N_DEVIATIONS = 8
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def smallest_of_shares(n: int, discordant: float) -> float | None:
    """For McNemar's exact test on `n` items, of which a share `discordant` tells the models apart.
    None if not even a difference on every item would be found.

    At least as many items must differ as the difference needs, so a share below it is raised.
    """
    if n < _FEWEST:
        return None

    def missing(difference: float) -> float:
        return POWER - of_shares(n, max(discordant, difference), difference)

    return float(brentq(missing, 1e-9, 1.0, xtol=1e-9))


def of_shares(n: int, discordant: float, difference: float) -> float:
    """The probability that McNemar's exact test finds this difference among `n` items, each of
    which tells the models apart with probability `discordant`.

    The test is one of ½ among the items that do. Their number is binomial, so the power is a mean
    over it; numbers that are all but impossible are left out.
    """
    reach = _N_DEVIATIONS * math.sqrt(n * discordant * (1 - discordant)) + 1
    first, last = max(0, math.floor(n * discordant - reach)), math.ceil(n * discordant + reach)
    numbers = np.arange(first, min(n, last) + 1)
    most = _most_against(numbers)
    against = (discordant - difference) / (2 * discordant)
    found = _up_to(most, numbers, against) + _up_to(most, numbers, 1 - against)
    return float(_binomial(numbers, n, discordant) @ found)


def smallest_of_means(error: float, n_clusters: int) -> float:
    """For a mean difference with this standard error, from `n_clusters` clusters."""
    freedom = n_clusters - 1
    return float(stdtrit(freedom, 0.975) + stdtrit(freedom, POWER)) * error


def _most_against(numbers: Ints) -> Ints:
    """The most items against the better model with which the test still calls the models
    different, for each number of items that tell them apart; −1 where it never does.
    """
    low, high = np.full(len(numbers), -1), numbers // 2
    while (low < high).any():
        middle = (low + high + 1) // 2
        is_found = 2 * bdtr(middle, numbers, 0.5) < _LEVEL
        low, high = np.where(is_found, middle, low), np.where(is_found, high, middle - 1)
    return low


def _up_to(most: Ints, numbers: Ints, share: float) -> Floats:
    """The binomial probability of at most `most` of each number; 0 for a `most` below 0."""
    return np.where(most < 0, 0.0, bdtr(np.maximum(most, 0), numbers, share))


def _binomial(counts: Ints, n: int, share: float) -> Floats:
    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    chances: Floats = np.exp(ways + xlogy(counts, share) + xlog1py(n - counts, -share))
    return chances
