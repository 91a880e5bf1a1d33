"""Majority votes, and votes weighted by each rater's reliability (Dawid and Skene 1979, and its
one-coin form).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from arithmetic.figures import Floats, Ints, answered, codes

TINY = 1e-300
"""Keeps logarithms and quotients of probabilities finite."""
ROUNDS = 1_000
TOLERANCE = 1e-5
"""EM stops when a round gains less log-likelihood per vote. Later rounds creep along a flat ridge
and fit noise.
"""


@dataclass(frozen=True)
class Majority:
    """`label` is −1 if two labels share the lead; `shares` holds every label's share of the votes.
    (units, labels)
    """

    units: np.ndarray
    labels: np.ndarray
    """the distinct labels, in order: columns of `shares`"""
    label: Ints
    """index of the winner in `labels`"""
    shares: Floats
    n_votes: Ints

    @property
    def n_tied(self) -> int:
        return int((self.label < 0).sum())


def majority(*, units: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Majority:
    """The most frequent label of each unit; with `weights`, one per vote, the heaviest."""
    unit, unit_names = codes(units)
    label, label_names = codes(labels)
    size = (len(unit_names), len(label_names))
    flat = unit * max(1, size[1]) + label
    weight = None if weights is None else np.asarray(weights, dtype=float)
    totals = (
        np.bincount(flat, weights=weight, minlength=size[0] * size[1]).reshape(size).astype(float)
    )
    if not unit.size:
        return Majority(unit_names, label_names, unit, totals, unit)
    best = totals.max(axis=1, keepdims=True)
    is_best = np.isclose(totals, best, rtol=1e-12, atol=1e-12)
    winner = np.where(is_best.sum(axis=1) == 1, totals.argmax(axis=1), -1)
    shares = totals / np.maximum(totals.sum(axis=1, keepdims=True), TINY)
    return Majority(unit_names, label_names, winner.astype(np.int64), shares, np.bincount(unit))


@dataclass(frozen=True)
class Consensus:
    """The probability of each label for each unit, and each rater's error rates; `note` is a caveat
    on the result.
    """

    units: np.ndarray
    labels: np.ndarray
    raters: np.ndarray
    posterior: Floats
    """(units, labels), rows sum to 1"""
    prior: Floats
    """(labels,)"""
    errors: Floats
    """(raters, true label, given label), rows sum to 1"""
    n_votes: Ints
    """by rater"""
    log_likelihood: float
    n_rounds: int
    note: str = ""

    @property
    def label(self) -> Ints:
        """The index in `labels` of the most likely label, by unit."""
        return self.posterior.argmax(axis=1) if self.posterior.size else np.zeros(0, dtype=np.int64)


def dawid_skene(
    *,
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    smoothing: float = 0.0,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
) -> Consensus:
    """Fits labels and a table of errors for each rater together by EM, starting from the shares of
    votes.

    `smoothing` votes are added to each cell of every rater's table: 0 is the published estimate;
    about 0.5 keeps raters with few votes from looking perfect or hopeless. A rater may vote on a
    unit more than once.
    """
    return _fitted(units, raters, labels, smoothing, rounds, tolerance, is_one_coin=False)


def one_coin(
    *,
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    smoothing: float = 0.0,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
) -> Consensus:
    """Each rater is right with one probability and errs evenly over the other labels: far fewer
    parameters.
    """
    return _fitted(units, raters, labels, smoothing, rounds, tolerance, is_one_coin=True)


@dataclass(frozen=True)
class LabelledVotes:
    unit: Ints
    cell: Ints
    """rater × labels + given label, by vote"""
    n_units: int
    n_raters: int
    n_labels: int


def _fitted(
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    smoothing: float,
    rounds: int,
    tolerance: float,
    *,
    is_one_coin: bool,
) -> Consensus:
    if not np.asarray(labels).size:
        return _nothing()
    raters, _ = answered(raters, labels)
    units, labels = answered(units, labels)
    unit, unit_names = codes(units)
    rater, rater_names = codes(raters)
    label, label_names = codes(labels)
    votes = LabelledVotes(
        unit, rater * len(label_names) + label, len(unit_names), len(rater_names), len(label_names)
    )
    # Start from the shares of votes, as Dawid and Skene do.
    posterior = np.bincount(
        unit * votes.n_labels + label, minlength=votes.n_units * votes.n_labels
    ).astype(float)
    posterior = posterior.reshape(votes.n_units, votes.n_labels)
    posterior /= posterior.sum(axis=1, keepdims=True)
    before, done = -math.inf, 0
    while True:
        done += 1
        prior = posterior.mean(axis=0)
        errors = _errors(votes, posterior, smoothing, is_one_coin=is_one_coin)
        posterior, log_likelihood = posterior_of(votes, prior, errors)
        if log_likelihood - before < tolerance * len(label) or done >= rounds:
            break
        before = log_likelihood
    n_votes = np.bincount(rater)
    return Consensus(
        unit_names,
        label_names,
        rater_names,
        posterior,
        prior,
        errors,
        n_votes,
        log_likelihood,
        done,
        _caution(n_votes, done, rounds),
    )


def _nothing() -> Consensus:
    none, ids = np.zeros((0, 0)), np.zeros(0, dtype=np.int64)
    return Consensus(
        ids,
        ids,
        ids,
        none,
        np.zeros(0),
        np.zeros((0, 0, 0)),
        ids,
        0.0,
        0,
        "There are no votes yet.",
    )


def _caution(n_votes: Ints, done: int, rounds: int) -> str:
    if len(n_votes) < 2:
        return "One rater's votes are the consensus; their reliability is unknown."
    if done >= rounds:
        return f"The estimate had not settled after {rounds} rounds."
    few = int((n_votes < 5).sum())
    return (
        f"{few} of {len(n_votes)} raters have fewer than five votes; little is known about them."
        if few
        else ""
    )


def _errors(
    votes: LabelledVotes, posterior: Floats, smoothing: float, *, is_one_coin: bool
) -> Floats:
    """The M step: how often each rater gives each label for each true one. (R, T, L)"""
    size = votes.n_raters * votes.n_labels
    by_true = [
        np.bincount(votes.cell, weights=posterior[votes.unit, true], minlength=size)
        for true in range(votes.n_labels)
    ]
    counts = (
        np.stack(by_true, axis=1)
        .reshape(votes.n_raters, votes.n_labels, votes.n_labels)
        .transpose(0, 2, 1)
        + smoothing
    )
    if not is_one_coin:
        total = counts.sum(axis=2, keepdims=True)
        return np.asarray(
            np.divide(counts, total, out=np.full_like(counts, 1 / votes.n_labels), where=total > 0)
        )
    # One coin: a single accuracy on the diagonal, the rest spread evenly.
    right = np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))
    wrong = (1 - right) / max(1, votes.n_labels - 1)
    table = np.repeat(wrong[:, None], votes.n_labels, axis=1)[:, :, None].repeat(
        votes.n_labels, axis=2
    )
    for true in range(votes.n_labels):
        table[:, true, true] = right
    return table


def posterior_of(votes: LabelledVotes, prior: Floats, errors: Floats) -> tuple[Floats, float]:
    """The E step, in logarithms, and the log-likelihood of the votes."""
    by_cell = (
        np.log(np.maximum(errors, TINY)).transpose(0, 2, 1).reshape(-1, votes.n_labels)
    )  # (R × L, T)
    scores = np.stack(
        [
            np.bincount(votes.unit, weights=by_cell[votes.cell, true], minlength=votes.n_units)
            for true in range(votes.n_labels)
        ],
        axis=1,
    )
    scores += np.log(np.maximum(prior, TINY))
    # Subtract the maximum before exponentiating, so that units with many votes do not underflow.
    top = scores.max(axis=1, keepdims=True)
    likelihood = np.exp(scores - top)
    total = likelihood.sum(axis=1, keepdims=True)
    return likelihood / total, float((np.log(total) + top).sum())
