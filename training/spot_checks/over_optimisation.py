"""How far a policy may move along a learned reward before people like it less: which checkpoint is
kept, and the curve of Gao, Schulman and Hilton (2022, "Scaling laws for reward model
overoptimization", eq. 1 and 2) through people's comparisons.

d is √KL to the policy before training. In the curve of reinforcement learning, the value over the
start is d(α − β ln d); in that of best-of-n it is d(α − β d). Both begin at 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from arithmetic import intervals
from arithmetic.figures import Floats

FEWEST_CHECKPOINTS = 8
"""Two parameters through fewer points would fit anything."""
_SURE_SHARES = (0.01, 0.99)
"""A share of 0 or 1 has no logarithm of its odds."""


def replaces(low: float | None) -> bool:
    """Whether a checkpoint replaces the kept one: the lower end of the interval of its win rate
    against the kept one is above ½. Never without an interval.

    Compared with the kept one and not with the start: against the start, every good checkpoint soon
    wins nearly always, and the best can't be told from its successors.
    """
    return low is not None and low > 0.5


def of_best_of_n(d: float, alpha: float, beta: float) -> float:
    return d * (alpha - beta * d)


def peak_of_best_of_n(alpha: float, beta: float) -> tuple[float, float]:
    """(d, the value there), for β above 0."""
    return alpha / (2 * beta), alpha * alpha / (4 * beta)


def of_reinforcement(d: float, alpha: float, beta: float) -> float:
    return d * (alpha - beta * math.log(d)) if d > 0 else 0.0


def peak_of_reinforcement(alpha: float, beta: float) -> tuple[float, float]:
    """(d, the value there), for β above 0."""
    d = math.exp(alpha / beta - 1)
    return d, beta * d


@dataclass(frozen=True)
class Compared:
    """A checkpoint at √KL `d`, which wins `share` of votes against one at `against`, an estimate
    with this variance.
    """

    d: float
    against: float
    share: float
    variance: float


@dataclass(frozen=True)
class Peak:
    """Where the fitted curve is highest, in √KL, with its 95 % interval."""

    d: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """In log-odds of being preferred to the start."""

    alpha: float
    beta: float
    peak: Peak | None
    """None as long as the comparisons fit a curve that never falls, or falls only beyond them"""


def fitted(compared: Sequence[Compared]) -> Curve | None:
    """The curve through the log-odds of the comparisons, by weighted least squares: each is a
    difference of two values of the curve, so errors do not add up along the kept ones. None with
    fewer than FEWEST_CHECKPOINTS, or if they are all at one place.
    """
    if len({one.d for one in compared}) < FEWEST_CHECKPOINTS:
        return None
    share = np.clip([one.share for one in compared], *_SURE_SHARES)
    slope = 1 / (share * (1 - share))  # of the logit: what it makes of a small error
    variance = np.array([one.variance for one in compared]) * slope**2
    weight = 1 / np.sqrt(np.maximum(variance, 1e-12))
    x = np.array([_terms(one.d) - _terms(one.against) for one in compared]) * weight[:, None]
    y = logit(share) * weight
    inner = x.T @ x
    if np.linalg.matrix_rank(inner) < 2:
        return None
    alpha, beta = np.linalg.solve(inner, x.T @ y)
    df = len(compared) - 2
    noise = max(1.0, float(((y - x @ (alpha, beta)) ** 2).sum()) / df)
    covariance = np.linalg.inv(inner) * noise
    furthest = max(one.d for one in compared)
    peak = _peak(float(alpha), float(beta), covariance, df, furthest)
    return Curve(float(alpha), float(beta), peak)


def _terms(d: float) -> Floats:
    """What α and β are multiplied with."""
    return np.array([d, -d * math.log(d)] if d > 0 else [0.0, 0.0])


def _peak(
    alpha: float,
    beta: float,
    covariance: Floats,
    df: int,
    furthest: float,
) -> Peak | None:
    """By Fieller (1954), for the quotient α/β. Without an end where β may be 0, and then there is
    no peak to draw.
    """
    t2 = intervals.of_student(df) ** 2
    aa, ab, bb = covariance[0][0] * t2, covariance[0][1] * t2, covariance[1][1] * t2
    square = beta * beta - bb
    if beta <= 0 or square <= 0:
        return None
    middle, spread = alpha * beta - ab, alpha * alpha - aa
    reach = math.sqrt(max(middle * middle - square * spread, 0.0))
    low, high = (math.exp((middle + sign * reach) / square - 1) for sign in (-1, 1))
    d = peak_of_reinforcement(alpha, beta)[0]
    return Peak(d, low, high) if d <= furthest else None
