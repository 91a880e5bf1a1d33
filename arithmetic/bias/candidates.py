"""Tests of one kind over all raters, and which of them survive the correction for their number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from arithmetic.bias.thresholds import Thresholds
from arithmetic.figures import Ints, adjusted


@dataclass(frozen=True)
class Candidate:
    """A rater tested for one habit."""

    rater: int
    value: float
    usual: float
    n: int
    p: float
    """the probability that an honest rater looks like this by luck"""
    is_large: bool
    """whether the effect matters, whatever its p-value"""
    other: int | None = None
    shown_by: Ints | None = None
    """the judgments that show it, by number"""
    details: Mapping[str, float] = field(default_factory=dict)
    """further numbers of the flag"""


def chance_of_at_least(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
    """The probability of `k` or more successes in `n` tries that succeed with probability `p`.

    The same as binom.sf(k - 1, n, p) of scipy.stats, whose import takes half a second in every
    process of the site.
    """
    return betainc(k, np.subtract(n, k) + 1, p)


def survivors(
    tested: list[Candidate], thresholds: Thresholds, luck: float | None = None
) -> list[Candidate]:
    """Those whose effect matters and is significant after correcting for all raters tested; with
    a p-value of at most `luck`, in place of the usual limit.
    """
    if not tested:
        return []
    q = adjusted(np.array([test.p for test in tested]))
    return [
        test
        for test, level in zip(tested, q, strict=True)
        if test.is_large
        and level <= thresholds.false_share
        and test.p <= (thresholds.luck if luck is None else luck)
    ]
