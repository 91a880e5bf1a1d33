"""Which sources answer a turn. Pure: the same seed draws the same."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import prod


@dataclass(frozen=True)
class Share:
    """A source that may be drawn, and how often against the others."""

    source: int
    weight: float
    temperature: float


@dataclass(frozen=True)
class Drawn:
    shares: tuple[Share, ...]
    propensity: float
    """Probability that exactly these were drawn, in any order."""


def draw(shares: Sequence[Share], *, n: int, seed: str) -> Drawn:
    """`n` of `shares`, each in proportion to its weight and none twice. When there are fewer than
    `n`, all of them, and the rest from all of them again.
    """
    rng = random.Random(seed)  # noqa: S311  # a fair draw, not a secret
    ordered = sorted(shares, key=lambda share: share.source)
    drawn: list[Share] = []
    propensity = 1.0
    while len(drawn) < n:
        wanted = min(n - len(drawn), len(ordered))
        some = _without_replacement(ordered, n=wanted, rng=rng)
        propensity *= _probability(some, among=ordered)
        drawn += some
    rng.shuffle(drawn)
    return Drawn(tuple(drawn), propensity)


def another(shares: Sequence[Share], *, tried: Sequence[int], seed: str) -> Share | None:
    """A source that was not tried yet; None when all were."""
    left = [share for share in shares if share.source not in tried]
    return draw(left, n=1, seed=seed).shares[0] if left else None


def _without_replacement(shares: Sequence[Share], *, n: int, rng: random.Random) -> list[Share]:
    left, drawn = list(shares), []
    for _turn in range(n):
        share = rng.choices(left, weights=[candidate.weight for candidate in left])[0]
        left.remove(share)
        drawn.append(share)
    return drawn


def _probability(drawn: Sequence[Share], *, among: Sequence[Share]) -> float:
    """Of drawing this set: the sum over all orders, of which there are at most 24."""
    if len(drawn) == len(among):
        return 1.0
    total = sum(share.weight for share in among)
    return sum(_of_order(order, total) for order in permutations(drawn))


def _of_order(order: Sequence[Share], total: float) -> float:
    gone = [sum(share.weight for share in order[:place]) for place in range(len(order))]
    return prod(share.weight / (total - taken) for share, taken in zip(order, gone, strict=True))
