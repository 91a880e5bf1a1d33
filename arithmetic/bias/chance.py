"""Raters who do not follow the others, and which of them may have a taste of their own.

Somebody who answers at random and somebody who wants what few others want look alike from outside:
neither follows the pool. They differ in whether they follow each other. Where raters share too few
answers to tell, nobody is called careless.
"""

import math

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtr

from arithmetic.bias import sittings
from arithmetic.bias.candidates import Candidate
from arithmetic.bias.following import Following, expected_votes, shared_variance
from arithmetic.bias.judgment_table import JudgmentTable
from arithmetic.bias.thresholds import Thresholds
from arithmetic.figures import Floats, Ints

_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_SKEW = 0.12
"""Honest raters who are worse than the typical one are so by more than others are better: their
noise varies by factors.
"""
_APART = 0.1
"""The share of raters who follow nobody, before anything is known of them."""
_SURELY_FOLLOWS = 0.01
_LEAST_ERROR = 0.01


def tested(table: JudgmentTable, following: Following, thresholds: Thresholds) -> list[Candidate]:
    """Tests whether a rater follows the others less than honest raters of this pool do, who differ
    in skill.
    """
    spread = sittings.skill_spread(following, table.of_rater, thresholds)
    candidates = []
    for at, of in enumerate(table.of_rater):
        slope, se = following.slope(of)
        if len(of) >= thresholds.n_judgments and math.isfinite(se):
            p = _by_luck(following, of, spread, thresholds)
            against = of[following.product[of] < 0]
            candidates.append(
                Candidate(at, slope, 1.0, len(of), p, slope <= thresholds.chance, shown_by=against)
            )
    return candidates


def _by_luck(following: Following, of: Ints, spread: float, thresholds: Thresholds) -> float:
    """How often an honest rater's slope is as low as this one: the mean over honest raters of
    every skill. The answers of less skilled ones vary more.
    """
    skills = thresholds.careful + spread * (_POINTS - _SKEW * (_POINTS**2 - 1))
    slope = following.slope(of)[0]
    errors = np.array([following.slope(of, skill)[1] for skill in skills.tolist()])
    below = ndtr((slope - skills) / np.maximum(errors, _LEAST_ERROR))
    return float((_WEIGHTS * below).sum() / _WEIGHTS.sum())


def may_share_a_taste(table: JudgmentTable, pool: Following, thresholds: Thresholds) -> set[int]:
    """Raters (by number) who do not follow the pool, where a taste that they share with two others
    cannot be ruled out.
    """
    spread = sittings.skill_spread(pool, table.of_rater, thresholds)
    apart = _follow_nobody(table, pool, spread, thresholds)
    low = np.flatnonzero(apart > _SURELY_FOLLOWS)
    same, usual, n = _agreement(table, pool, low, apart)
    unsure = set()
    for at, rater in enumerate(low.tolist()):
        colleagues = np.delete(np.arange(len(low)), at)
        one, other = (colleagues[side] for side in np.triu_indices(len(colleagues), k=1))
        weight = apart[low[one]] * apart[low[other]]
        # That two colleagues agree says nothing about this rater; that they do not, does.
        agree = same[at, one] + same[at, other] + np.minimum(same[one, other], usual[one, other])
        expected = usual[at, one] + usual[at, other] + usual[one, other]
        by_luck = pool.related * (n[at, one] + n[at, other] + n[one, other])
        # Three raters' skills, of which each counts in two of the three sums.
        error = np.sqrt(by_luck + 4 / 3 * (spread * expected) ** 2)
        plausible = ndtr((agree - expected) / np.maximum(error, 1e-9))
        if weight.sum() >= thresholds.trio and (
            (weight * plausible).sum() >= thresholds.taste * weight.sum()
        ):
            unsure.add(rater)
    return unsure


def _follow_nobody(
    table: JudgmentTable, pool: Following, spread: float, thresholds: Thresholds
) -> Floats:
    """By rater, the probability of slope 0 in place of an honest rater's."""
    apart = np.zeros(len(table.of_rater))
    for at, of in enumerate(table.of_rater):
        slope, se = pool.slope(of, 0.0)
        if len(of) < thresholds.n_judgments or not math.isfinite(se):
            continue
        se = max(se, _LEAST_ERROR)
        honest = math.hypot(spread, pool.slope(of)[1])
        as_nobody = math.exp(-((slope / se) ** 2) / 2) / se
        as_honest = math.exp(-(((slope - thresholds.careful) / honest) ** 2) / 2) / honest
        odds = _APART / (1 - _APART) * as_nobody / max(as_honest, 1e-12)
        apart[at] = odds / (1 + odds)
    return apart


def _agreement(
    table: JudgmentTable, pool: Following, low: Ints, apart: Floats
) -> tuple[Floats, Floats, Floats]:
    """By two of the raters in `low`: how far their votes agree, beside what both owe to the pool,
    how far those of typical raters would, and how many there are.
    """
    votes, vote = table.votes, table.votes.label.astype(float)
    usual = shared_variance(votes.unit, vote, (apart < 0.5).astype(float)[votes.rater])
    slopes = np.array([pool.slope(of)[0] for of in table.of_rater])
    own = vote - slopes[votes.rater] * expected_votes(votes)
    number = np.full(votes.n_raters, -1)
    number[low] = np.arange(len(low))
    mine = number[votes.rater] >= 0
    places = number[votes.rater[mine]], votes.unit[mine]
    shape = len(low), int(votes.unit.max(initial=0)) + 1
    left, cast = (csr_matrix((values[mine], places), shape=shape) for values in (own, np.abs(vote)))
    n = (cast @ cast.T).toarray()
    return (left @ left.T).toarray(), usual * n, n
