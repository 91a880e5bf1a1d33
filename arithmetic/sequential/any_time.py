"""A bound for a share that is looked at again and again, such as every week.

A 95 % interval is right 95 % of the time for one look. Over a year of weekly looks at growing data
it misses the truth far more often. This bound holds at every look at once: the normal mixture
boundary (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021, Proposition 5), for the number
of independent votes that has the share's variance (Waudby-Smith and others 2024, asymptotic).
"""

import math

from arithmetic.intervals import Z_95

# The number of independent votes at which the bound is tightest.
TIGHTEST_AT = 400


def variance_of(low: float, high: float) -> float:
    """The variance behind a 95 % interval of a share."""
    return ((high - low) / (2 * Z_95)) ** 2


def upper_bound(share: float, variance: float, *, alpha: float) -> float:
    """Above the true share at every look, except with probability `alpha` over all looks."""
    spread = max(share * (1 - share), 1e-4)
    n = spread / max(variance, 1e-12)
    # Approximately the mixture that minimises the boundary at TIGHTEST_AT (Howard 2021, §3.2).
    needed = 2 * math.log(1 / (2 * alpha))
    rho = TIGHTEST_AT / (needed + math.log(1 + needed))
    reach = 2 * (n + rho) * math.log(1 + math.sqrt((n + rho) / rho) / (2 * alpha))
    return min(1.0, share + math.sqrt(spread * reach) / n)
