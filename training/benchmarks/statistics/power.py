"""The smallest difference that a test on this many items would find: with probability 80 %, at a
level of 5 %.
"""

import math

from scipy.optimize import brentq
from scipy.special import stdtrit

from arithmetic.intervals import Z_95

POWER = 0.8
_FEWEST = 6
"""Five items to none have p = .0625: the exact test finds nothing among fewer than six."""
_Z_POWER = 0.8416212335729143
"""The standard normal's 80 % quantile."""


def smallest_of_shares(n: int, discordant: float) -> float | None:
    """For McNemar's test on `n` items, of which a share `discordant` tells the models apart
    (Connor 1987). None if not even a difference on every item would be found.

    At least as many items must differ as the difference needs, so a share below it is raised.
    """

    def missing(difference: float) -> float:
        share = max(discordant, difference)
        reach = Z_95 * math.sqrt(share) + _Z_POWER * math.sqrt(share - difference**2)
        return reach - difference * math.sqrt(n)

    if n < _FEWEST or missing(1.0) > 0:
        return None
    return float(brentq(missing, 1e-9, 1.0, xtol=1e-9))


def smallest_of_means(error: float, n_clusters: int) -> float:
    """For a mean difference with this standard error, from `n_clusters` clusters."""
    freedom = n_clusters - 1
    return float(stdtrit(freedom, 0.975) + stdtrit(freedom, POWER)) * error
