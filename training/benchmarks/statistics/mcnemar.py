"""Two models, right or wrong on the same independent items: McNemar's exact test, and an interval
for the difference of their shares.

Only items that one model has right and the other wrong tell the models apart.
"""

import math

from scipy.optimize import brentq
from scipy.special import bdtr

from arithmetic.intervals import Z_95


def exact_p(only_ours: int, only_theirs: int) -> float:
    """The two-sided exact p-value (McNemar 1947): a binomial test of ½ among the items on which
    the models differ.
    """
    n = only_ours + only_theirs
    return min(1.0, 2 * float(bdtr(min(only_ours, only_theirs), n, 0.5))) if n else 1.0


def interval(only_ours: int, only_theirs: int, n: int) -> tuple[float, float]:
    """A 95 % interval of the difference of shares among `n` items: Tango's score interval (1998).

    It never has zero width. The exact test is more careful near 0, so the interval is extended to
    0 where the test finds no difference: page and p never contradict each other.
    """
    observed = (only_ours - only_theirs) / n
    low = _bound(only_ours, only_theirs, n, observed, -1.0)
    high = _bound(only_ours, only_theirs, n, observed, 1.0)
    if exact_p(only_ours, only_theirs) >= 0.05:
        low, high = min(low, 0.0), max(high, 0.0)
    return low, high


def _bound(only_ours: int, only_theirs: int, n: int, observed: float, end: float) -> float:
    """Where the score statistic reaches the normal quantile, between the observed value and
    `end`.
    """

    def beyond(difference: float) -> float:
        return abs(_score(only_ours, only_theirs, n, difference)) - Z_95

    # A hair inside, since the statistic has no variance at the end itself.
    end *= 1 - 1e-12
    if abs(observed) >= abs(end) and observed * end > 0:
        return math.copysign(1.0, end)
    return float(brentq(beyond, observed, end, xtol=1e-12))


def _score(only_ours: int, only_theirs: int, n: int, difference: float) -> float:
    """Tango's statistic: the observed minus a supposed difference, by its standard deviation under
    that difference (Tango 1998, equation 4).
    """
    gap = only_ours - only_theirs - n * difference
    if gap == 0:
        return 0.0
    b = -only_ours - only_theirs + (2 * n - only_ours + only_theirs) * difference
    c = -only_theirs * difference * (1 - difference)
    share = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)
