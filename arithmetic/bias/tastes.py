"""Groups of raters with a taste of their own: they follow each other where they do not follow the
pool. Careful people can want different things, so they are compared with their own group.

A group begins with the raters who do not follow the pool. Each one's votes are regressed on two
tendencies at once: the pool's, and that of the other beginners. A rater who follows the second
beyond what the first explains is a member; one who answers at random follows neither. Then
everybody joins the group that explains their votes best.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from arithmetic.bias.following import (
    Following,
    NumberedVotes,
    expected_votes,
    following,
)
from arithmetic.figures import Floats, Ints

FEWEST_MEMBERS = 3
"""Two raters who agree with nobody else may be a rater and a copy."""
MOST_GROUPS = 3
SURE = 0.01
"""The p-value at which a rater follows a second tendency."""
_REGROUPINGS = 3

Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Tastes:
    group: Ints
    """by rater: 0 is the pool, others have a taste of their own"""
    following: Following
    """each judgment compared with the rater's own group"""
    pool: Following
    """each judgment compared with all other raters"""

    @property
    def n_groups(self) -> int:
        return int(self.group.max(initial=0))

    def members(self, group: int) -> Ints:
        return np.flatnonzero(self.group == group)


def tastes(votes: NumberedVotes, *, pool: Following, apart: Ints) -> Tastes:
    """`apart` are the raters who do not follow the pool, and have no habit that would make them
    agree with each other.
    """
    group = np.zeros(votes.n_raters, dtype=np.int64)
    left = np.isin(np.arange(votes.n_raters), apart)
    for number in range(1, MOST_GROUPS + 1):
        joined = _joined(votes, group, left)
        if joined.sum() < FEWEST_MEMBERS:
            break
        group[joined] = number
        left &= ~joined
    if not group.any():
        return Tastes(group, pool, pool)
    group = _regrouped(votes, group)
    return Tastes(group, following_own(votes, group), pool)


def following_own(votes: NumberedVotes, group: Ints) -> Following:
    """Each judgment compared with the votes of the rater's own group."""
    parts = [following(votes.where(group[votes.rater] == of)) for of in np.unique(group).tolist()]
    # A judgment belongs to one rater, and a rater to one group: the other parts have zeros.
    return Following(
        product=np.sum([part.product for part in parts], axis=0),
        square=np.sum([part.square for part in parts], axis=0),
        noise=np.sum([part.noise for part in parts], axis=0),
        settled=np.sum([part.settled for part in parts], axis=0),
        related=max(part.related for part in parts),
    )


def _joined(votes: NumberedVotes, group: Ints, beginners: Truths) -> Truths:
    """Those of the beginners who follow each other beyond what the pool explains."""
    if beginners.sum() < FEWEST_MEMBERS:
        return np.zeros(votes.n_raters, dtype=bool)
    pool = expected_votes(votes, (group == 0) & ~beginners)
    joined = beginners
    # Beginners who follow nobody blur the tendency of those who do: look again without them.
    for _ in range(_REGROUPINGS):
        own = expected_votes(votes, joined)
        slope, p = _second_slopes(votes, pool, own)
        now = beginners & (slope > 0) & (p <= SURE)
        if now.sum() < FEWEST_MEMBERS or (now == joined).all():
            return now
        joined = now
    return joined


def _second_slopes(votes: NumberedVotes, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """By rater: the slope of their votes on `second` with `first` held constant, and its one-sided
    p-value, clustered by judgment.
    """
    vote, n = votes.label.astype(float), votes.n_raters

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(votes.rater, weights=values, minlength=n), dtype=float)

    own, both = total(first**2), total(first * second)
    # Frisch and Waugh: what `first` leaves of `second`, by rater.
    rest = second - (both / np.maximum(own, 1e-9))[votes.rater] * first
    size = total(rest**2)
    slope = total(rest * vote) / np.maximum(size, 1e-9)
    fit = (total(first * vote) / np.maximum(own, 1e-9))[votes.rater] * first
    noise = rest * (vote - fit - slope[votes.rater] * rest)
    by_judgment = np.bincount(votes.judgment, weights=noise, minlength=votes.n_judgments)
    whose = np.zeros(votes.n_judgments, dtype=np.int64)
    whose[votes.judgment] = votes.rater
    se = np.sqrt(np.bincount(whose, weights=by_judgment**2, minlength=n)) / np.maximum(size, 1e-9)
    z = np.divide(slope, se, out=np.zeros(n), where=(se > 0) & (size > 1))
    return slope, ndtr(-z)


def _regrouped(votes: NumberedVotes, group: Ints) -> Ints:
    """Everybody in the group that explains their votes best; a group that falls below
    FEWEST_MEMBERS returns to the pool.
    """
    for _ in range(_REGROUPINGS):
        groups = np.unique(group)
        if len(groups) == 1:
            break
        explained = np.array(
            [_explained(votes, expected_votes(votes, group == of)) for of in groups.tolist()]
        )
        best = groups[explained.argmax(axis=0)]
        # Ties and raters without evidence stay where they are.
        now = np.where(explained.max(axis=0) > 0, best, group)
        sizes = np.bincount(now, minlength=int(groups.max()) + 1)
        now = np.where((sizes[now] < FEWEST_MEMBERS), 0, now)
        if (now == group).all():
            break
        group = now
    return np.unique(group, return_inverse=True)[1].reshape(-1) if (group == 0).any() else group


def _explained(votes: NumberedVotes, expected: Floats) -> Floats:
    """By rater: how much of their votes a tendency explains, in units of noise; 0 if they go the
    other way.
    """
    n = votes.n_raters
    product = np.bincount(votes.rater, weights=expected * votes.label, minlength=n)
    square = np.bincount(votes.rater, weights=expected**2, minlength=n)
    return np.asarray(np.maximum(product, 0) ** 2 / np.maximum(square, 1e-9), dtype=float)
