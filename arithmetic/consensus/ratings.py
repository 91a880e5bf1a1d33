"""What several answers to one question about one text say together, and how closely each rater
answers like the others.

The weight of an answer is the precision of its rater: one over the variance of their answers around
the others' (the inverse-variance mean of meta-analysis, as in Hedges and Olkin 1985). A rater with
few answers says little about themselves, so their variance is drawn towards everybody's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from arithmetic import intervals
from arithmetic.figures import codes

CAUTIOUS = 20
"""Every rater starts with this many answers that are as close to the others' as usual."""
MOST_WEIGHT = 4.0
"""Nobody counts more than this many times, or less than this part of, a usual rater."""
ROUNDED = 1 / 12
"""The variance of a whole number around what it was rounded from: answers that are all the same are
not without error.
"""


@dataclass(frozen=True)
class Noise:
    """How far a rater's answers are from the mean of the others' on the same text."""

    variance: float
    n: int


@dataclass(frozen=True)
class Together:
    """Numbers that were given to one text. The interval is Student's, at 95 %, for the mean of as
    many raters; None from a single answer.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    median: float
    spread: float | None
    """standard deviation; None from a single answer"""
    weighted: float


def together(
    values: Sequence[float], weights: Sequence[float], *, lowest: float, highest: float
) -> Together:
    """At least one value. Both ends of the interval are within the scale."""
    numbers = np.asarray(values, dtype=float)
    n, mean = len(numbers), float(numbers.mean())
    spread = float(numbers.std(ddof=1)) if n > 1 else None
    low = high = None
    if spread is not None:
        reach = intervals.student(n) * math.sqrt((spread**2 + ROUNDED) / n)
        low, high = max(lowest, mean - reach), min(highest, mean + reach)
    weighted = float(np.average(numbers, weights=np.asarray(weights, dtype=float)))
    return Together(n, mean, low, high, float(np.median(numbers)), spread, weighted)


def noise(*, units: ArrayLike, raters: ArrayLike, scores: ArrayLike) -> dict[int, Noise]:
    """By rater. With k raters on a text, the squared distance to the mean of the k − 1 others is
    k / (k − 1) times a rater's variance, if all have the same: it is divided by that.
    """
    unit, _names = codes(units)
    score = np.asarray(scores, dtype=float)
    k, total = np.bincount(unit), np.bincount(unit, weights=score)
    shared = k[unit] > 1
    unit, score = unit[shared], score[shared]
    others = (total[unit] - score) / (k[unit] - 1)
    squares = (score - others) ** 2 * (k[unit] - 1) / k[unit]
    return _means(np.asarray(raters)[shared], squares)


def unlikeness(*, units: ArrayLike, raters: ArrayLike, answers: ArrayLike) -> dict[int, Noise]:
    """The same for categories without an order: how often another rater gave another answer."""
    unit, _names = codes(units)
    answer, kinds = codes(answers)
    n_kinds = max(1, len(kinds))
    k = np.bincount(unit)
    same = np.bincount(unit * n_kinds + answer, minlength=len(k) * n_kinds)
    shared = k[unit] > 1
    unit, answer = unit[shared], answer[shared]
    others = k[unit] - same[unit * n_kinds + answer]
    return _means(np.asarray(raters)[shared], others / (k[unit] - 1))


def weights(known: Mapping[int, Noise]) -> dict[int, float]:
    """Each rater's weight, 1 for a usual one."""
    n = sum(estimate.n for estimate in known.values())
    usual = sum(estimate.variance * estimate.n for estimate in known.values()) / n if n else 0.0
    if usual <= 0:
        return dict.fromkeys(known, 1.0)
    return {rater: _weight(estimate, usual) for rater, estimate in known.items()}


def by_reliability(
    weights: Mapping[int, float], reliability: Mapping[int, float]
) -> dict[int, float]:
    """The weights times how reliable each rater is, compared with the median: a rater who always
    gives the same answer is close to the others, and says nothing.
    """
    usual = float(np.median(list(reliability.values()))) if reliability else 0.0
    if usual <= 0:
        return dict(weights)
    return {
        rater: _limited(weight * reliability.get(rater, usual) / usual)
        for rater, weight in weights.items()
    }


def _weight(own: Noise, usual: float) -> float:
    drawn = (own.variance * own.n + usual * CAUTIOUS) / (own.n + CAUTIOUS)
    return _limited(usual / drawn)


def _limited(weight: float) -> float:
    return min(MOST_WEIGHT, max(1 / MOST_WEIGHT, weight))


def _means(raters: ArrayLike, values: ArrayLike) -> dict[int, Noise]:
    if not np.asarray(values).size:
        return {}
    rater, names = codes(raters)
    n = np.bincount(rater)
    means = np.bincount(rater, weights=np.asarray(values, dtype=float)) / n
    return {
        int(name): Noise(float(means[at]), int(n[at])) for at, name in enumerate(names.tolist())
    }
