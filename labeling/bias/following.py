"""How far each rater's votes follow what colleagues say of the same pairs: 1 as a typical rater's
do, 0 not at all.

A vote (−1, 0, +1) is taken as slope × tendency + noise, where a pair's tendency is what raters lean
to on average. From the colleagues' votes the tendency is estimated (best linear predictor, each
colleague weighed by their own slope), and the rater's votes are regressed on it. Hard pairs have
small tendencies and so count little; a rater is never held against their own vote; and two
colleagues or ninety are used for what they are worth.
"""

from dataclasses import dataclass

import numpy as np

from labeling.figures import Floats, Ints

_ROUNDS = 6


@dataclass(frozen=True)
class Following:
    """By judgment, sums over its pairs: `product` of vote and expected vote, `square` of the
    expected vote.
    """

    product: Floats
    square: Floats

    def slope(self, judgments: Ints) -> tuple[float, float]:
        """(slope, standard error) over some judgments; a judgment's pairs belong together. (0, inf)
        where nothing is known.
        """
        product, square = self.product[judgments], self.square[judgments]
        total = float(square.sum())
        if total <= 0:
            return 0.0, float("inf")
        slope = float(product.sum()) / total
        n = len(judgments)
        noise = float(((product - slope * square) ** 2).sum()) * n / max(1, n - 1)
        return slope, noise**0.5 / total


def following(
    *, unit: Ints, rater: Ints, label: Ints, judgment: Ints, n_raters: int, n_judgments: int
) -> Following:
    """From votes on pairs, all numbered from 0."""
    vote = label.astype(float)
    slopes = np.ones(n_raters)
    expected = np.zeros(len(vote))
    for _ in range(_ROUNDS):
        shared = _shared_variance(unit, vote, slopes[rater])
        expected = _expected(unit, vote, slopes[rater], shared)
        square = _sums(rater, expected**2, n_raters)
        product = _sums(rater, expected * vote, n_raters)
        # Each starts as a typical rater, worth one sure pair, so that a newcomer is neither praised
        # nor blamed.
        slopes = (product + 1) / (square + 1)
        slopes = np.clip(slopes / (_typical(slopes, square) or 1.0), 0.02, 1.5)
    return Following(
        _sums(judgment, expected * vote, n_judgments),
        _sums(judgment, expected**2, n_judgments),
    )


def _sums(group: Ints, values: Floats, n_groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=float)


def _typical(slopes: Floats, weight: Floats) -> float:
    """The weighted median: planted or sleepy raters do not move it while they are few."""
    order = np.argsort(slopes)
    reached = np.cumsum(weight[order])
    return (
        float(slopes[order][np.searchsorted(reached, reached[-1] / 2)]) if reached[-1] > 0 else 1.0
    )


def _shared_variance(unit: Ints, vote: Floats, slope: Floats) -> float:
    """How much of a vote the pair explains: products of different raters' votes on one pair,
    against their slopes'.
    """
    votes, slopes = np.bincount(unit, weights=vote), np.bincount(unit, weights=slope)
    product = (votes**2 - np.bincount(unit, weights=vote**2)).sum()
    scale = (slopes**2 - np.bincount(unit, weights=slope**2)).sum()
    return float(np.clip(product / scale if scale > 0 else 0.0, 0.01, 0.99))


def _expected(unit: Ints, vote: Floats, slope: Floats, shared: float) -> Floats:
    """The tendency of each vote's pair as the other raters' votes tell it."""
    noise = np.maximum(1 - slope**2 * shared, 0.05)
    said, told = slope * vote / noise, slope**2 / noise
    others_said = np.bincount(unit, weights=said)[unit] - said
    others_told = np.bincount(unit, weights=told)[unit] - told
    return np.asarray(others_said / (1 / shared + others_told), dtype=float)
