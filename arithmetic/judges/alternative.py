"""Could a judge answer in place of a rater? The alternative annotator test (Calderon, Reichart and
Dror 2025, arXiv 2501.10970).

Each rater in turn is left out. On each pair that this rater answered, it is asked whose answer is
nearer to those of the others: the judge's or this rater's; both, if they are equally near. The
judge does as well as this rater if it is nearer in as many pairs, less `epsilon`, which stands for
what a person costs more. The tests of all raters are corrected together (Benjamini and Yekutieli
2001).

Someone who always says “tie” does well where people tie often. Decided answers alone are compared,
unless a caller wants to see how well that does.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.special import stdtr

from arithmetic import figures
from arithmetic.figures import Floats
from arithmetic.response_orders import credit

CROWD, SKILLED, EXPERT = 0.1, 0.15, 0.2
"""The `epsilon` of a kind of raters."""
FEWEST_RATERS, FEWEST_PAIRS = 3, 40
ERROR = 0.05
Pair = TypeVar("Pair", bound=Hashable)


@dataclass(frozen=True)
class AgainstRater:
    """`advantage` is the share of `n` pairs in which the judge is as near as this rater."""

    n: int
    advantage: float
    p_value: float
    is_matched: bool
    """whether the judge does as well"""


@dataclass(frozen=True)
class AgainstRaters:
    by_rater: dict[Hashable, AgainstRater]

    @property
    def share_matched(self) -> float:
        """ω. From a half on, the method says that the judge could take raters' place."""
        return sum(one.is_matched for one in self.by_rater.values()) / len(self.by_rater)

    @property
    def advantage(self) -> float:
        """ρ: the mean over raters."""
        return math.fsum(one.advantage for one in self.by_rater.values()) / len(self.by_rater)


def against_raters(
    votes: Iterable[tuple[Pair, Hashable, int]],
    judge: Mapping[Pair, int],
    *,
    epsilon: float,
    decided_only: bool = True,
) -> AgainstRaters | None:
    """Votes as (pair, rater, direction), the judge's direction by pair: −1 or 1, and 0 for a tie.
    None if fewer than FEWEST_RATERS have FEWEST_PAIRS pairs with the judge and another rater.
    """
    by_pair: defaultdict[Pair, dict[Hashable, int]] = defaultdict(dict)
    for pair, rater, direction in votes:
        if pair in judge and not (decided_only and 0 in (direction, judge[pair])):
            by_pair[pair][rater] = direction
    nearer: defaultdict[Hashable, list[int]] = defaultdict(list)
    for pair, answers in by_pair.items():
        for rater, own in answers.items():
            others = [answer for name, answer in answers.items() if name != rater]
            if others:
                nearer[rater].append(_sign(_near(judge[pair], others) - _near(own, others)))
    signs = {rater: np.array(of) for rater, of in nearer.items() if len(of) >= FEWEST_PAIRS}
    if len(signs) < FEWEST_RATERS:
        return None
    p_values = np.array([_p_value(of, epsilon) for of in signs.values()])
    matched = benjamini_yekutieli(p_values) <= ERROR
    return AgainstRaters(
        {
            rater: AgainstRater(len(of), float((of >= 0).mean()), float(p_value), bool(is_matched))
            for (rater, of), p_value, is_matched in zip(
                signs.items(), p_values, matched, strict=True
            )
        }
    )


def benjamini_yekutieli(p_values: Floats) -> Floats:
    """Adjusted p-values, of tests that may depend on each other in any way."""
    return figures.adjusted(p_values * (1 / np.arange(1, len(p_values) + 1)).sum())


def _near(answer: int, others: list[int]) -> float:
    return sum(credit(answer, other) for other in others) / len(others)


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _p_value(signs: np.ndarray, epsilon: float) -> float:
    """Of the rater being nearer more often by `epsilon` or more; one-sided, Student's."""
    lead = float(-signs.mean()) - epsilon
    error = float(signs.std(ddof=1)) / math.sqrt(len(signs))
    if error == 0:
        return float(lead >= 0)
    return float(stdtr(len(signs) - 1, lead / error))
