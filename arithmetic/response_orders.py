"""Rules about an order of responses: their letters, ranks without gaps, and which of two is better.

Ranks count from 1, the best; equal ranks tie; None is a response that was left out.
"""

from collections.abc import Mapping

LETTERS = "ABCDEFGHI"
"""What a page calls the responses of an item, by their place. An item has at most nine."""

Ranks = Mapping[int, int | None]
"""Rank by response: by its id, or by its place."""


def letter(place: int) -> str:
    """A, B, C, … of a response; its number for a place that no item has."""
    return LETTERS[place] if 0 <= place < len(LETTERS) else str(place + 1)


def dense(ranks: Ranks) -> dict[int, int | None]:
    """The same order in ranks without gaps: 1, 3, 3 becomes 1, 2, 2."""
    used = sorted({rank for rank in ranks.values() if rank is not None})
    place = {rank: at for at, rank in enumerate(used, start=1)}
    return {response: None if rank is None else place[rank] for response, rank in ranks.items()}


def direction(rank: int, other_rank: int) -> int:
    """−1 where rank `one` is better, 1 where `other` is, 0 for a tie."""
    return (rank > other_rank) - (rank < other_rank)


def credit(answer: int, right: int) -> float:
    """What one direction earns against another: 1 for the same, 0 for the opposite, and half where
    only one of them is a tie.
    """
    return 1 - abs(answer - right) / 2
