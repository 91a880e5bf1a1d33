"""How far each rater's ratings agree with the others' beyond chance, and the weight of a rater.

The agreement is a kappa: 1 − (how far the rater's ratings are from the others' on the same
responses) / (how far they would be if each rated some response at random). Distances on a scale are
squared. The same rating always, or ratings at random, give 0. Questions count equally.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arithmetic import clustering
from arithmetic.consensus.reliability import Reliability, between_raters
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop
from arithmetic.ratings.answers import Answers, RatingTable

NOBODY_ELSE = gettext_noop("No one else rated what this rater rated.")
ALL_THE_SAME = gettext_noop(
    "Everyone gave the same rating everywhere, so agreement beyond chance is undefined."
)
_NOTHING = 1e-9
"""A mean distance below this is zero up to rounding."""
FEW_PROMPTS = 50
"""With fewer, a rater's interval is jackknifed: influences miss how far the coefficient bends, and
of fifteen ratings cover 91 %.
"""


@dataclass(frozen=True)
class _Column:
    """Ratings as numbers whose squared distances count; as many columns as there are categories."""

    rater: Ints
    prompt: Ints
    own: Floats
    others: Floats
    """the mean of the others' ratings of the response"""
    others_square: Floats
    """and of their squares"""
    weight: float = 1.0


@dataclass(frozen=True)
class _Distances:
    """One entry per rating that another rater can judge."""

    rater: Ints
    prompt: Ints
    observed: Floats
    """the mean distance from the others' ratings of the same response"""
    by_chance: Floats
    """and from the others' ratings of all responses that the rater rated"""
    moves: Floats
    """by how much this response moves the sum of the distances by chance, to first order"""
    columns: tuple[_Column, ...] = ()


def reliability(table: RatingTable) -> dict[int, Reliability]:
    """By rater id. The weight is the agreement, drawn towards the pool's as far as it is uncertain,
    and at least 0.
    """
    n_raters = len(table.judgments.raters)
    distances = _joined([_distances(answers, n_raters) for answers in table.questions])
    figures = _figures(distances, n_raters)
    weights = _weights(distances, n_raters)
    return {
        int(name): Reliability(
            int(name), figures[at], 0.0 if math.isnan(weights[at]) else float(weights[at])
        )
        for at, name in enumerate(table.judgments.raters)
    }


def same_ratings(table: RatingTable) -> dict[int, Figure]:
    """By rater id, the share of the others' ratings of the same responses that are equal to the
    rater's own.
    """
    parts = [_equal(answers) for answers in table.questions if len(answers.unit)]
    if not parts:
        return {}
    rater, prompt, same, n = (np.concatenate(column) for column in zip(*parts, strict=True))
    shared = n > 0
    return clustering.share_by(
        table.judgments.raters[rater[shared]],
        same[shared],
        prompts=prompt[shared],
        counts=n[shared],
    )


def _equal(answers: Answers) -> tuple[Ints, Ints, Floats, Floats]:
    """By rating: its rater and prompt, how many others are equal to it, and how many there are."""
    score, values = codes(answers.score)
    n = np.bincount(answers.unit)[answers.unit] - 1
    same = np.bincount(answers.unit * len(values) + score)
    equal = same[answers.unit * len(values) + score] - 1
    return answers.rater, answers.prompt, equal.astype(float), n.astype(float)


def _distances(answers: Answers, n_raters: int) -> _Distances:
    """In units of the distance that chance gives over the whole question."""
    if not len(answers.unit):
        none = np.zeros(0, dtype=np.int64)
        return _Distances(none, none, np.zeros(0), np.zeros(0), np.zeros(0))
    n_others = np.bincount(answers.unit)[answers.unit] - 1
    shared = n_others > 0
    rater = answers.rater[shared]
    prompt = answers.prompt[shared]
    observed, by_chance, moves = (np.zeros(len(rater)) for _ in range(3))
    columns = []
    for column in _columns(answers):
        x = column[shared]
        # The mean of the others' ratings of the response, and of their squares.
        y, y_square = (
            _of_others(values, answers.unit, n_others)[shared] for values in (column, column**2)
        )
        mean_x, mean_x_square, mean_y, mean_y_square = (
            _mean_by(rater, values, n_raters)[rater] for values in (x, x**2, y, y_square)
        )
        columns.append(_Column(rater, prompt, x, y, y_square))
        observed += x**2 - 2 * x * y + y_square
        from_x = x**2 - 2 * x * mean_y + mean_y_square
        from_y = mean_x_square - 2 * mean_x * y + y_square
        by_chance += from_x
        moves += from_x + from_y - (mean_x_square - 2 * mean_x * mean_y + mean_y_square)
    mean = float(by_chance.mean()) if len(rater) else 0.0
    scale = mean if mean > _NOTHING else 1.0
    weighed = tuple(replace(column, weight=1 / scale) for column in columns)
    return _Distances(rater, prompt, observed / scale, by_chance / scale, moves / scale, weighed)


def _of_others(values: Floats, unit: Ints, n_others: Ints) -> Floats:
    total = np.bincount(unit, weights=values)[unit] - values
    return np.asarray(total / np.maximum(n_others, 1), dtype=float)


def _mean_by(group: Ints, values: Floats, n_groups: int) -> Floats:
    n = np.maximum(np.bincount(group, minlength=n_groups), 1)
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups) / n, dtype=float)


def _columns(answers: Answers) -> list[Floats]:
    """Numbers whose squared distances add up to that of two ratings: 1 for two categories."""
    if answers.is_ordered:
        return [answers.score]
    half = math.sqrt(0.5)
    return [half * (answers.score == value) for value in np.unique(answers.score)]


def _joined(parts: Sequence[_Distances]) -> _Distances:
    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts] or [np.zeros(0)])

    return _Distances(
        column("rater").astype(np.int64),
        column("prompt").astype(np.int64),
        column("observed"),
        column("by_chance"),
        column("moves"),
        tuple(column for part in parts for column in part.columns),
    )


def _figures(distances: _Distances, n_raters: int) -> list[Figure]:
    figures = []
    for at in range(n_raters):
        own = distances.rater == at
        n, chance = int(own.sum()), float(distances.by_chance[own].sum())
        if not n or chance <= _NOTHING * n:
            figures.append(absent(ALL_THE_SAME if n else NOBODY_ELSE, n))
            continue
        apart = float(distances.observed[own].sum()) / chance
        influence = (apart * distances.moves[own] - distances.observed[own]) / chance
        value, alone = max(1 - apart, -1.0), float((influence**2).sum())
        prompts = np.unique(distances.prompt[own])
        without = _without_each(distances, at, prompts) if len(prompts) < FEW_PROMPTS else None
        figures.append(
            clustering.coefficient(value, n, influence, prompts=distances.prompt[own], alone=alone)
            if without is None
            else clustering.jackknifed(value, n, without, alone=alone)
        )
    return figures


def _without_each(distances: _Distances, at: int, prompts: Ints) -> Floats | None:
    """A rater's agreement without each of their prompts in turn. None where it is undefined."""
    n = len(prompts)
    observed, by_chance = np.zeros(n), np.zeros(n)
    for column in distances.columns:
        own = column.rater == at
        place = np.searchsorted(prompts, column.prompt[own])
        x, y, y_square = (
            values[own] for values in (column.own, column.others, column.others_square)
        )

        def rest(values: Floats, place: Ints = place) -> Floats:
            return np.asarray(values.sum() - np.bincount(place, weights=values, minlength=n))

        observed += column.weight * rest(x**2 - 2 * x * y + y_square)
        n_left = np.maximum(rest(np.ones(len(x))), 1)
        apart = rest(x**2) - 2 * rest(x) * rest(y) / n_left + rest(y_square)
        by_chance += column.weight * apart
    if n < 2 or (by_chance <= _NOTHING).any():
        return None
    return np.clip(1 - observed / by_chance, -1, 1)


def _weights(distances: _Distances, n_raters: int) -> Floats:
    """NaN for a rater whom nobody can judge."""

    def by_rater(values: Floats) -> Floats:
        return np.asarray(np.bincount(distances.rater, weights=values, minlength=n_raters))

    chance, n = by_rater(distances.by_chance), by_rater(np.ones(len(distances.rater)))
    weights = np.full(n_raters, np.nan)
    known = (n > 0) & (chance > _NOTHING * n)
    if not known.any():
        return weights
    apart = np.divide(by_rater(distances.observed), chance, where=known, out=np.zeros(n_raters))
    residual = distances.observed - apart[distances.rater] * distances.moves
    cell, _cells = codes(distances.rater * (int(distances.prompt.max()) + 1) + distances.prompt)
    # One variance for everybody: a rater of a few prompts has too few to know their own.
    between = float((np.bincount(cell, weights=residual) ** 2).sum()) / float(n[known].sum())
    error = between * n[known] / chance[known] ** 2
    own = 1 - apart[known]
    mean, spread = between_raters(own, error)
    pull = error / (error + spread) if error.any() else np.zeros(len(own))
    weights[known] = np.clip(own + pull * (mean - own), 0, 1)
    return weights
