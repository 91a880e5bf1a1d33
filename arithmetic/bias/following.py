"""How far each rater's votes follow the other raters' votes on the same pairs: 1 like a typical
rater, 0 not at all.

A vote (−1, 0, +1) is modelled as slope × tendency + noise, where a pair's tendency is the raters'
average lean. The tendency is estimated from the other raters' votes (best linear predictor, each
weighted by their own slope), and the rater's votes are regressed on it. Hard pairs have small
tendencies and so count little, pairs on which everybody agrees count most; a rater is never
compared with their own vote; and the method uses two other raters or ninety for what they are
worth.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arithmetic.figures import Floats, Ints

_ROUNDS = 6
_LEAST_NOISE = 0.35
"""A vote has at least this variance, however sure the others are: an honest rater slips too."""
_FOLLOWS = 0.75
"""A rater below this share of the median slope says nothing about what is typical."""
_NOISY = 0.75
"""The share of raters whose rankings are no noisier than the noise that tests assume."""


@dataclass(frozen=True)
class NumberedVotes:
    """Votes on pairs of responses, with everything numbered from 0."""

    unit: Ints
    rater: Ints
    label: Ints | Floats
    """−1, 0 or +1; where votes are graded, ratings as distances from the rater's own mean, in
    units of the rater's spread
    """
    judgment: Ints
    n_raters: int
    n_judgments: int
    is_graded: bool = False

    def where(self, mask: NDArray[np.bool_]) -> "NumberedVotes":
        """Some of the votes, with the same numbers."""
        return replace(
            self,
            unit=self.unit[mask],
            rater=self.rater[mask],
            label=self.label[mask],
            judgment=self.judgment[mask],
        )


@dataclass(frozen=True)
class Following:
    """Sums over each judgment's pairs, weighted by how much a vote on the pair says."""

    product: Floats
    """of vote and expected vote"""
    square: Floats
    """of the expected vote"""
    noise: Floats
    """the variance of `product` for a rater who follows nobody"""
    settled: Floats
    """and how much of it goes for one who follows with slope 1"""
    related: float
    """by how much the variance is larger because the votes of one ranking are related"""

    def slope(self, judgments: Ints, skill: float = 1.0) -> tuple[float, float]:
        """(slope, standard error) over some judgments. (0, inf) if nothing is known.

        The error is that of an honest rater with slope `skill`, since what is tested is whether
        such a rater would look like this.
        """
        total = float(self.square[judgments].sum())
        if total <= 0:
            return 0.0, float("inf")
        slope = float(self.product[judgments].sum()) / total
        return slope, float(self._variance(judgments, min(abs(skill), 1.0)) ** 0.5 / total)

    def _variance(self, judgments: Ints, skill: float) -> float:
        noise, settled = self.noise[judgments].sum(), self.settled[judgments].sum()
        return float(self.related * (noise - skill**2 * settled))


def following(votes: NumberedVotes) -> Following:
    """Each judgment compared with the other raters' votes."""
    expected = expected_votes(votes)
    explained = expected**2
    if votes.is_graded:
        # A distance from one's own mean varies as much on a clear pair as on another.
        explained = np.full(len(expected), explained.mean() if len(expected) else 0.0)
    weight = 1 / np.maximum(1 - explained, _LEAST_NOISE)
    product, square, noise, settled = (
        _sums(votes.judgment, values, votes.n_judgments)
        for values in (
            weight * expected * votes.label,
            weight * expected**2,
            weight**2 * expected**2,
            weight**2 * expected**2 * explained,
        )
    )
    related = _related(votes, product, square, noise, settled)
    return Following(product, square, noise, settled, related)


def _related(
    votes: NumberedVotes, product: Floats, square: Floats, noise: Floats, settled: Floats
) -> float:
    """Residuals of whole judgments compared with what single votes would leave."""
    rater = np.zeros(votes.n_judgments, dtype=np.int64)
    rater[votes.judgment] = votes.rater
    by_rater = [
        _sums(rater, column, votes.n_raters) for column in (product, square, noise, settled)
    ]
    known = by_rater[1] > 0
    if not known.any():
        return 1.0
    slope = np.divide(by_rater[0], by_rater[1], where=known, out=np.zeros(votes.n_raters))
    left = _sums(rater, (product - slope[rater] * square) ** 2, votes.n_raters)
    single = by_rater[2] - np.minimum(slope**2, 1) * by_rater[3]
    # One degree of freedom goes to each rater's slope.
    n = _sums(rater, (square > 0).astype(float), votes.n_raters)
    ratio = left[known] / single[known] * n[known] / np.maximum(n[known] - 1, 1)
    return float(np.quantile(ratio, _NOISY))


def expected_votes(votes: NumberedVotes, voters: NDArray[np.bool_] | None = None) -> Floats:
    """What the other raters let expect of each vote; with `voters` (by rater), only these raters'
    votes make the tendencies.
    """
    unit, rater, vote = votes.unit, votes.rater, votes.label.astype(float)
    counts = np.ones(votes.n_raters) if voters is None else voters.astype(float)
    slopes = counts
    expected = np.zeros(len(vote))
    # Alternate between the pairs' tendencies and the raters' slopes until both settle.
    for _ in range(_ROUNDS):
        shared = shared_variance(unit, vote, slopes[rater])
        expected = _expected(unit, vote, slopes[rater], shared)
        square = _sums(rater, expected**2, votes.n_raters)
        product = _sums(rater, expected * vote, votes.n_raters)
        # Each rater starts as a typical one, worth one certain pair, so that newcomers are neither
        # praised nor blamed.
        slopes = (product + 1) / (square + 1)
        # Rescale so that the typical rater has slope 1: only products of slopes are identified.
        slopes = np.clip(slopes / (_typical(slopes, square * counts) or 1.0), 0.02, 1.5) * counts
    return expected


def _sums(group: Ints, values: Floats, n_groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=float)


def _typical(slopes: Floats, weight: Floats) -> float:
    """The weighted median of those who follow at all, which fake or inattentive raters do not
    move.
    """
    follows = slopes >= _FOLLOWS * _weighted_median(slopes, weight)
    return _weighted_median(slopes[follows], weight[follows])


def _weighted_median(slopes: Floats, weight: Floats) -> float:
    order = np.argsort(slopes)
    reached = np.cumsum(weight[order])
    if not len(order) or reached[-1] <= 0:
        return 1.0
    return float(slopes[order][np.searchsorted(reached, reached[-1] / 2)])


def shared_variance(unit: Ints, vote: Floats, slope: Floats) -> float:
    """How much of a vote the pair explains: products of different raters' votes on one pair,
    relative to the products of their slopes.
    """
    # Votes with slope 0 make no tendency.
    vote = np.where(slope > 0, vote, 0.0)
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
