"""Chance-corrected agreement on categories: Cohen's, Fleiss's and Conger's kappa, Gwet's AC,
Brennan and Prediger.

They differ in how they define chance. When labels are skewed, kappa falls although raters agree
(Feinstein and Cicchetti 1990), and Gwet's AC does not; in turn, a high AC on skewed labels can hide
raters who never look.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from labeling.figures import Figure, Floats, absent, answered, codes, gettext_noop, with_error

Weighting = Literal["identity", "linear", "quadratic"]


def weights_for(values: Floats, weighting: Weighting) -> Floats:
    """The credit that label i gets against label j: 1 for equal labels, less the farther apart they
    are. (V, V)
    """
    if weighting == "identity" or len(values) < 2:
        return np.eye(len(values))
    apart = np.abs(values[:, None] - values[None, :]) / (np.ptp(values) or 1.0)
    return np.asarray(1 - (apart if weighting == "linear" else apart**2), dtype=float)


def cohen(
    one: ArrayLike,
    other: ArrayLike,
    *,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Kappa of two raters' labels for the same units in the same order; `values` is the whole scale
    if some of it is unused.
    """
    given = np.concatenate([np.asarray(one).reshape(-1), np.asarray(other).reshape(-1)])
    n = len(given) // 2
    if not n:
        return absent(gettext_noop("The two raters share no unit."))
    place, distinct = codes(given)
    if values is not None:
        scale = np.asarray(sorted(values), dtype=float)
        place = np.searchsorted(scale, distinct.astype(float))[place].astype(np.int64)
    else:
        scale = (
            distinct.astype(float)
            if distinct.dtype.kind in "biuf"
            else np.arange(len(distinct), dtype=float)
        )
    size = len(scale)
    table = np.bincount(place[:n] * size + place[n:], minlength=size * size).reshape(size, size)
    return cohen_of_table(table, weighting=weighting, values=scale)


def cohen_of_table(
    table: ArrayLike, *, weighting: Weighting = "identity", values: Floats | None = None
) -> Figure:
    """Kappa of a square table of counts; standard error by Fleiss, Cohen and Everitt (1969)."""
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    if n <= 0:
        return absent(gettext_noop("The two raters share no unit."))
    scale = np.arange(len(counts), dtype=float) if values is None else values
    weights = weights_for(scale, weighting)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float((weights * shares).sum()), float(rows @ weights @ columns)
    if math.isclose(chance, 1.0):
        return absent(
            gettext_noop(
                "Both raters used one and the same label; kappa cannot be told from that."
            ),
            int(n),
        )
    kappa = (observed - chance) / (1 - chance)
    mean = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    spread = (
        float((shares * (weights - mean * (1 - kappa)) ** 2).sum())
        - (kappa - chance * (1 - kappa)) ** 2
    )
    return with_error(kappa, math.sqrt(max(spread, 0.0) / n) / (1 - chance), int(n))


def fleiss_of_table(table: ArrayLike) -> Figure:
    """Fleiss's kappa (1971) of units by categories, with the same number of labels per unit."""
    counts = np.asarray(table, dtype=float)
    if counts.size and len(set(counts.sum(axis=1).tolist())) > 1:
        return absent(
            gettext_noop(
                "Fleiss's kappa needs the same number of labels for every unit; use alpha or"
                " Gwet's AC."
            ),
            len(counts),
        )
    return _chance_corrected(
        counts, "fleiss", np.eye(counts.shape[1]) if counts.size else np.zeros((0, 0))
    )


@dataclass(frozen=True)
class Chance:
    """One way to correct for chance: the probability of agreement by chance, overall and by
    unit.
    """

    overall: float
    by_unit: Floats


def fleiss(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Fleiss's kappa, generalised to missing labels (Gwet 2014, chapter 2)."""
    table, scale = _table(units, labels, values)
    return _chance_corrected(table, "fleiss", weights_for(scale, weighting))


def gwet(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Gwet's AC1 (2008), or AC2 with weights."""
    table, scale = _table(units, labels, values)
    return _chance_corrected(table, "gwet", weights_for(scale, weighting))


def brennan_prediger(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Brennan and Prediger: chance as if every label were equally likely."""
    table, scale = _table(units, labels, values)
    return _chance_corrected(table, "brennan", weights_for(scale, weighting))


def conger(
    *,
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Conger's kappa (1980): Cohen's for many raters, with chance from each rater's own label
    frequencies. No interval.
    """
    table, scale = _table(units, labels, values)
    if problem := _problem(table):
        return problem
    rater, _ = codes(raters)
    place = np.searchsorted(scale, _numbers(labels, values))
    used = (
        np.bincount(rater * len(scale) + place, minlength=(rater.max() + 1) * len(scale))
        .reshape(-1, len(scale))
        .astype(float)
    )
    if len(used) < 2:
        return absent(gettext_noop("One rater cannot agree with anybody."), len(table))
    shares = used / used.sum(axis=1, keepdims=True)
    weights = weights_for(scale, weighting)
    mean = shares.mean(axis=0)
    # Averaged over pairs of different raters: the product of their label frequencies.
    chance = float(
        (weights * (np.outer(mean, mean) - np.cov(shares.T, ddof=1) / len(shares))).sum()
    )
    observed, _ = _observed(table, weights)
    if math.isclose(chance, 1.0):
        return absent(gettext_noop("Everybody used one and the same label."), len(table))
    return Figure(
        value=float((observed - chance) / (1 - chance)), n=int((table.sum(axis=1) >= 2).sum())
    )


def _numbers(labels: ArrayLike, values: Sequence[float] | None) -> Floats:
    place, distinct = codes(labels)
    numeric = distinct.dtype.kind in "biuf"
    return distinct.astype(float)[place] if numeric or values is not None else place.astype(float)


def _table(
    units: ArrayLike, labels: ArrayLike, values: Sequence[float] | None
) -> tuple[Floats, Floats]:
    """Counts of units by labels, and the labels as sorted numbers."""
    units, labels = answered(units, labels)
    unit, unit_names = codes(units)
    numbers = _numbers(labels, values)
    scale = np.unique(np.asarray(values, dtype=float) if values is not None else numbers)
    if not unit.size:
        return np.zeros((0, len(scale))), scale
    place = np.searchsorted(scale, numbers)
    flat = np.bincount(unit * len(scale) + place, minlength=len(unit_names) * len(scale))
    return flat.reshape(len(unit_names), len(scale)).astype(float), scale


def _problem(table: Floats) -> Figure | None:
    if not table.size:
        return absent(gettext_noop("There are no labels yet."))
    if not (table.sum(axis=1) >= 2).any():
        return absent(gettext_noop("No unit was labeled twice, so there is nothing to compare."))
    if (table.sum(axis=0) > 0).sum() < 2:
        return absent(
            gettext_noop(
                "Everybody gave the same label everywhere; agreement beyond chance cannot be told"
                " from that."
            ),
            len(table),
        )
    return None


def _observed(table: Floats, weights: Floats) -> tuple[float, Floats]:
    """Agreement over the units with at least two labels, and by unit (0 for the others)."""
    n_each = table.sum(axis=1)
    pairs = n_each * (n_each - 1)
    by_unit = np.divide(
        (table * (table @ weights - 1)).sum(axis=1),
        pairs,
        out=np.zeros(len(table)),
        where=pairs > 0,
    )
    return float(by_unit.sum() / (pairs > 0).sum()), by_unit


def _chance(kind: str, table: Floats, weights: Floats) -> Chance:
    shares = table / table.sum(axis=1, keepdims=True)
    used = shares.mean(axis=0)
    size = len(used)
    if kind == "gwet":
        # Gwet's chance agreement: unlike kappa's, it is small when one label dominates.
        factor = weights.sum() / (size * (size - 1))
        return Chance(float(factor * (used * (1 - used)).sum()), factor * (shares @ (1 - used)))
    if kind == "brennan":
        even = float(weights.sum() / size**2)
        return Chance(even, np.full(len(table), even))
    return Chance(float(used @ weights @ used), shares @ ((weights @ used + weights.T @ used) / 2))


def _chance_corrected(table: Floats, kind: str, weights: Floats) -> Figure:
    """The coefficient with its standard error by linearisation over units (Gwet 2014), and a t
    interval with n − 1 degrees of freedom.
    """
    if problem := _problem(table):
        return problem
    chance = _chance(kind, table, weights)
    if math.isclose(chance.overall, 1.0):
        return absent(gettext_noop("Chance alone would make everybody agree here."), len(table))
    observed, by_unit = _observed(table, weights)
    n, is_shared = len(table), table.sum(axis=1) >= 2
    value = (observed - chance.overall) / (1 - chance.overall)
    # Each unit's contribution to the coefficient to first order (Gwet 2014).
    linearised = (
        n
        / is_shared.sum()
        * np.where(is_shared, by_unit - chance.overall, 0.0)
        / (1 - chance.overall)
    )
    linearised = linearised - 2 * (1 - value) * (chance.by_unit - chance.overall) / (
        1 - chance.overall
    )
    if n < 2:
        return Figure(value=value, n=1)
    se = math.sqrt(float(((linearised - value) ** 2).sum()) / (n * (n - 1)))
    reach = float(student.ppf(0.975, n - 1)) * se
    return Figure(
        value=value, n=int(is_shared.sum()), low=value - reach, high=min(1.0, value + reach), se=se
    )
