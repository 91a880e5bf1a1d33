"""Tests of one kind over all raters, and which of them survive the correction for their number."""

from dataclasses import dataclass

import numpy as np

from labeling.statistics.bias.thresholds import Thresholds
from labeling.statistics.figures import Ints, adjusted


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


def survivors(tested: list[Candidate], thresholds: Thresholds) -> list[Candidate]:
    """Those whose effect matters and is significant after correcting for all raters tested."""
    if not tested:
        return []
    q = adjusted(np.array([test.p for test in tested]))
    return [
        test
        for test, level in zip(tested, q, strict=True)
        if test.is_large and level <= thresholds.false_share
    ]
