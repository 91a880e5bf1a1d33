"""How far each rater's votes follow the other raters' votes on the same pairs: 1 like a typical
rater, 0 not at all.

A vote (−1, 0, +1) is modelled as slope × tendency + noise, where a pair's tendency is the raters'
average lean. The tendency is estimated from the other raters' votes (best linear predictor, each
weighted by their own slope), and the rater's votes are regressed on it. Hard pairs have small
tendencies and so count little; a rater is never compared with their own vote; and the method uses
two other raters or ninety for what they are worth.
"""

from dataclasses import dataclass

import numpy as np

from labeling.statistics.figures import Floats, Ints

_ROUNDS = 6


@dataclass(frozen=True)
class Following:
    """Sums over each judgment's pairs: `product` of vote and expected vote, `square` of the
    expected vote.
    """

    product: Floats
    square: Floats

    def slope(self, judgments: Ints) -> tuple[float, float]:
        """(slope, standard error) over some judgments, clustered by judgment. (0, inf) if nothing
        is known.
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
    """Fits the model to votes on pairs, all numbered from 0."""
    vote = label.astype(float)
    slopes = np.ones(n_raters)
    expected = np.zeros(len(vote))
    # Alternate between the pairs' tendencies and the raters' slopes until both settle.
    for _ in range(_ROUNDS):
        shared = _shared_variance(unit, vote, slopes[rater])
        expected = _expected(unit, vote, slopes[rater], shared)
        square = _sums(rater, expected**2, n_raters)
        product = _sums(rater, expected * vote, n_raters)
        # Each rater starts as a typical one, worth one certain pair, so that newcomers are neither
        # praised nor blamed.
        slopes = (product + 1) / (square + 1)
        # Rescale so that the typical rater has slope 1: only products of slopes are identified.
        slopes = np.clip(slopes / (_typical(slopes, square) or 1.0), 0.02, 1.5)
    return Following(
        _sums(judgment, expected * vote, n_judgments),
        _sums(judgment, expected**2, n_judgments),
    )


def _sums(group: Ints, values: Floats, n_groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=float)


def _typical(slopes: Floats, weight: Floats) -> float:
    """The weighted median, which a few fake or inattentive raters do not move."""
    order = np.argsort(slopes)
    reached = np.cumsum(weight[order])
    return (
        float(slopes[order][np.searchsorted(reached, reached[-1] / 2)]) if reached[-1] > 0 else 1.0
    )


def _shared_variance(unit: Ints, vote: Floats, slope: Floats) -> float:
    """How much of a vote the pair explains: products of different raters' votes on one pair,
    relative to the products of their slopes.
    """
    votes, slopes = np.bincount(unit, weights=vote), np.bincount(unit, weights=slope)
    product = (votes**2 - np.bincount(unit, weights=vote**2)).sum()
    scale = (slopes**2 - np.bincount(unit, weights=slope**2)).sum()
    return float(np.clip(product / scale if scale > 0 else 0.0, 0.01, 0.99))


def _expected(unit: Ints, vote: Floats, slope: Floats, shared: float) -> Floats:
    """The tendency of each vote's pair, estimated from the other raters' votes."""
    # A vote has variance of at most 1; what the tendency does not explain is noise.
    noise = np.maximum(1 - slope**2 * shared, 0.05)
    weighted, weight = slope * vote / noise, slope**2 / noise
    others_votes = np.bincount(unit, weights=weighted)[unit] - weighted
    others_weight = np.bincount(unit, weights=weight)[unit] - weight
    # Best linear predictor: a normal prior with variance `shared`, and one noisy vote per rater.
    return np.asarray(others_votes / (1 / shared + others_weight), dtype=float)
