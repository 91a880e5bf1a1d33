"""A ranking against the right one, pair by pair: for golds and adjudicated orders."""

from dataclasses import dataclass
from itertools import combinations

from labeling.response_orders import Ranks, credit, direction


@dataclass(frozen=True)
class Match:
    """`agreed` of the `n` pairs that the right order decides were given the same way round; a tie
    on one is half.
    """

    agreed: float
    n: int

    def reaches(self, percent: int) -> bool:
        """Whether at least `percent` of the decided pairs agree. Without a decided pair nothing
        does.
        """
        return self.n > 0 and 100 * self.agreed >= percent * self.n


def n_decided(right: Ranks) -> int:
    """Pairs that an order puts one way round."""
    return sum(one != other for one, other in combinations(_ranked(right), 2))


def match(right: Ranks, given: Ranks) -> Match:
    """Pairs that `right` ties or leaves open ask nothing of anybody. One that it decides and
    `given` leaves open is not agreed: who ranks nothing must not pass half of a gold.
    """
    agreed, n = 0.0, 0
    for one, other in combinations(right, 2):
        expected = _direction(right[one], right[other])
        if not expected:
            continue
        n += 1
        answer = _direction(given.get(one), given.get(other))
        if answer is not None:
            agreed += credit(answer, expected)
    return Match(agreed, n)


def _direction(one: int | None, other: int | None) -> int | None:
    """−1 where the first is better, 1 where the second is, 0 for a tie, None where a rank is
    missing.
    """
    if one is None or other is None:
        return None
    return direction(one, other)


def _ranked(ranks: Ranks) -> list[int]:
    return [rank for rank in ranks.values() if rank is not None]
