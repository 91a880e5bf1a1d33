"""The response of an item that its judgments clearly prefer, if there is one. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from labeling.votes.consensus import PairConsensus

Z_80 = 0.8416212335729143
"""The standard normal's 80 % quantile. One first place from a rater about whom nothing is known is
enough, and two raters who contradict each other are not.
"""
EVEN = 0.5
"""What a response scores that is no better than the others."""


@dataclass(frozen=True)
class Standing:
    """How often a response would be preferred to another one of its item, ties as half."""

    response: int
    score: float
    low: float
    """the lower end, one-sided 80 %: the fewer votes, the lower"""

    @property
    def is_clear(self) -> bool:
        return self.low > EVEN


def best(pairs: Iterable[PairConsensus]) -> Standing | None:
    """The response with the highest lower end; the older one of equals. None without pairs."""
    likely = defaultdict[int, list[tuple[float, float]]](list)
    for pair in pairs:
        likely[pair.left].append((pair.p_left, pair.p_tie))
        likely[pair.right].append((pair.p_right, pair.p_tie))
    standings = [_standing(response, likely[response]) for response in sorted(likely)]
    return max(standings, key=lambda standing: (standing.low, standing.score), default=None)


def _standing(response: int, likely: list[tuple[float, float]]) -> Standing:
    """One rater's error concerns all pairs of a ranking, so the pairs' uncertainties add up as if
    they were one.
    """
    scores = [p_win + p_tie / 2 for p_win, p_tie in likely]
    spreads = [
        math.sqrt(max(0.0, p_win + p_tie / 4 - score * score))
        for (p_win, p_tie), score in zip(likely, scores, strict=True)
    ]
    score = sum(scores) / len(scores)
    return Standing(response, score, score - Z_80 * sum(spreads) / len(spreads))
