"""Compares a ranking with the correct one, pair by pair: for golds and adjudicated orders."""

from dataclasses import dataclass
from itertools import combinations

from arithmetic.response_orders import Ranks, credit, direction


@dataclass(frozen=True)
class Match:
    """Of the `n` pairs that the correct order decides, `agreed` have the same direction; a tie
    counts as half.
    """

    agreed: float
    n: int

    def reaches(self, percent: int) -> bool:
        """Whether at least `percent` of the decided pairs agree. False without a decided pair."""
        return self.n > 0 and 100 * self.agreed >= percent * self.n


def n_decided(right: Ranks) -> int:
    """How many pairs an order decides, ties excluded."""
    return sum(first != second for first, second in combinations(_ranked(right), 2))


def match(right: Ranks, answer_ranks: Ranks) -> Match:
    """Compares `given` with `right`. Pairs that `right` ties or leaves open do not count. A pair
    that it decides and `given` leaves open counts as wrong: a rater who ranks nothing must not pass
    half of a gold.
    """
    agreed, n = 0.0, 0
    for first, second in combinations(right, 2):
        expected = _direction(right[first], right[second])
        if not expected:
            continue
        n += 1
        answer = _direction(answer_ranks.get(first), answer_ranks.get(second))
        if answer is not None:
            agreed += credit(answer, expected)
    return Match(agreed, n)


def _direction(rank: int | None, other_rank: int | None) -> int | None:
    """−1 if the first is better, 1 if the second is, 0 for a tie, None if a rank is missing."""
    if rank is None or other_rank is None:
        return None
    return direction(rank, other_rank)


def _ranked(ranks: Ranks) -> list[int]:
    return [rank for rank in ranks.values() if rank is not None]
