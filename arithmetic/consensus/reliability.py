"""How often each rater is right, judged by the other raters, and the weight of their votes.

A rater with few judgments says little about themselves, and the pool says more: the estimate is
shrunk towards the pool by empirical Bayes (Efron and Morris 1975). How far raters differ from each
other is estimated from all of them (DerSimonian and Laird 1986). The interval is that of the
rater's own estimate: around the shrunk one it would miss the careless, whom shrinkage moves up.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from arithmetic import cluster_variance, clustering
from arithmetic.consensus.votes import TINY, Consensus
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop


@dataclass(frozen=True)
class Reliability:
    """How often a rater is right, judged by the others, and the weight of their votes."""

    rater: int
    accuracy: Figure
    """shrunk towards the pool; the interval is not"""
    weight: float
    """0 for no better than chance, 1 for always right"""


def reliability(
    consensus: Consensus,
    *,
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    prompts: ArrayLike,
) -> dict[int, Reliability]:
    """Each rater against the consensus **of the others**: their own votes are removed from the
    posterior they are compared with. Interval over prompts; chance is one over the number of
    labels.
    """
    if not consensus.posterior.size or len(consensus.labels) < 2:
        return {}
    unit, rater, label = (
        np.searchsorted(names, np.asarray(column))
        for names, column in (
            (consensus.units, units),
            (consensus.raters, raters),
            (consensus.labels, labels),
        )
    )
    match, certain, shared = _matches(consensus, unit, rater, label)
    # E[match] = a·sure + (1 − a)·(1 − sure)/(labels − 1), solved for a over each rater's votes.
    even = (1 - certain) / (len(consensus.labels) - 1)
    votes = _Votes.of(
        rater,
        codes(prompts)[0],
        (match - even) * shared,
        (certain - even) * shared,
        shared,
        len(consensus.raters),
    )
    shrunk = _shrunk(votes)
    chance = 1 / len(consensus.labels)
    return {
        int(name): _of_rater(int(name), votes, at, shrunk[at], chance)
        for at, name in enumerate(consensus.raters)
    }


@dataclass(frozen=True)
class _Votes:
    """By rater: sums over the votes that others can judge."""

    n: Ints
    n_prompts: Ints
    right: Floats
    worth: Floats
    """the number of votes, with a certain consensus, that they are worth"""
    between: Floats
    """the variance of `right` − share × `worth`, between the rater's prompts"""

    @classmethod
    def of(
        cls, rater: Ints, prompt: Ints, right: Floats, worth: Floats, shared: Floats, n_raters: int
    ) -> "_Votes":
        def by_rater(values: Floats) -> Floats:
            return np.asarray(np.bincount(rater, weights=values, minlength=n_raters), dtype=float)

        n_right, n_worth = by_rater(right), by_rater(worth)
        share = n_right / np.maximum(n_worth, TINY)
        size = int(prompt.max(initial=0)) + 1
        cell, cells = codes(rater * size + prompt)
        of_cell = cells.astype(np.int64) // size
        residual = np.bincount(cell, weights=right - share[rater] * worth)
        n_prompts = np.bincount(
            of_cell, weights=np.bincount(cell, weights=shared) > 0, minlength=n_raters
        ).astype(np.int64)
        between = cluster_variance.by_group(residual, of_cell, n_prompts)
        return cls(by_rater(shared).astype(np.int64), n_prompts, n_right, n_worth, between)


def _shrunk(votes: _Votes) -> Floats:
    """Each rater's accuracy, shrunk towards the pool; NaN for raters whom nobody can judge."""
    value = np.full(len(votes.n), np.nan)
    known = (votes.n > 0) & (votes.worth > 0)
    if not known.any():
        return value
    own = votes.right[known] / votes.worth[known]
    pooled = float(np.clip(votes.right[known].sum() / votes.worth[known].sum(), 0, 1))
    # The variance of one vote: raters have too few prompts to estimate it for each of them.
    several = known & (votes.n_prompts > 1)
    clustered = votes.between[several].sum() / max(votes.worth[several].sum(), TINY)
    error = max(clustered, pooled * (1 - pooled)) / votes.worth[known]
    mean, apart = between_raters(own, error)
    if not error.any():
        value[known] = np.clip(own, 0, 1)
        return value
    # The share of a rater's distance from the pool that is error.
    pull = error / (error + apart)
    value[known] = np.clip(own + pull * (mean - own), 0, 1)
    return value


def between_raters(values: Floats, variances: Floats) -> tuple[float, float]:
    """The mean of values with known variances, and the variance of what they estimate (DerSimonian
    and Laird 1986, equations 8 and 9).
    """
    if not variances.any():
        return float(values.mean()), float(values.var(ddof=1)) if len(values) > 1 else 0.0
    weight = 1 / variances
    mean = float((weight * values).sum() / weight.sum())
    excess = float((weight * (values - mean) ** 2).sum()) - (len(values) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    apart = max(0.0, excess / scale) if scale > 0 else 0.0
    weight = 1 / (variances + apart)
    return float((weight * values).sum() / weight.sum()), apart


def _of_rater(rater: int, votes: _Votes, at: int, value: float, chance: float) -> Reliability:
    if math.isnan(value):
        return Reliability(
            rater, absent(gettext_noop("No one else rated what this rater rated.")), 0.0
        )
    worth = float(votes.worth[at])
    own = min(1.0, max(0.0, float(votes.right[at]) / worth))
    accuracy = clustering.drawn_in(
        float(value),
        int(votes.n[at]),
        estimate=own,
        variance=max(float(votes.between[at]) / worth**2, own * (1 - own) / worth),
        n_prompts=int(votes.n_prompts[at]),
    )
    weight = float(np.clip((value - chance) / (1 - chance), 0, 1))
    return Reliability(rater, accuracy, weight)


def _matches(
    consensus: Consensus, unit: Ints, rater: Ints, label: Ints
) -> tuple[Floats, Floats, Floats]:
    """By vote: the probability of its label given the others, the expected probability of a true
    label, and whether there are others.
    """
    log_errors = np.log(np.maximum(consensus.errors, 1e-12))
    # Dividing a rater's own factor out of the posterior leaves what the others say.
    own = log_errors[rater, :, label]  # (N, T)
    others = np.log(np.maximum(consensus.posterior, TINY))[unit] - own
    others = np.exp(others - others.max(axis=1, keepdims=True))
    others /= others.sum(axis=1, keepdims=True)
    n_votes = np.bincount(unit, minlength=len(consensus.units))
    return (
        others[np.arange(len(label)), label],
        (others**2).sum(axis=1),
        (n_votes[unit] > 1).astype(float),
    )
