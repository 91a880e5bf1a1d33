"""Agreement corrected for chance on categories: Cohen's and Fleiss's kappa, and Gwet's AC.

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

from labeling.statistics.figures import (
    Figure,
    Floats,
    absent,
    answered,
    codes,
    gettext_noop,
    with_error,
)

Weighting = Literal["identity", "linear", "quadratic"]


def weights_for(values: Floats, weighting: Weighting) -> Floats:
    """The credit that label i gets against label j: 1 for equal labels, less the farther apart they
    are. (V, V)
    """
    if weighting == "identity" or len(values) < 2:
        return np.eye(len(values))
    apart = np.abs(values[:, None] - values[None, :]) / (np.ptp(values) or 1.0)
    return np.asarray(1 - (apart if weighting == "linear" else apart**2), dtype=float)


def cohen_of_table(
    table: ArrayLike, *, weighting: Weighting = "identity", values: Floats | None = None
) -> Figure:
    """Kappa of a square table of counts; standard error by Fleiss, Cohen and Everitt (1969)."""
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    if n <= 0:
        return absent(gettext_noop("These two raters have no items in common."))
    scale = np.arange(len(counts), dtype=float) if values is None else values
    weights = weights_for(scale, weighting)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float((weights * shares).sum()), float(rows @ weights @ columns)
    if math.isclose(chance, 1.0):
        return absent(
            gettext_noop("Both raters always gave the same label, so kappa is undefined."),
            int(n),
        )
    kappa = (observed - chance) / (1 - chance)
    mean = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    spread = (
        float((shares * (weights - mean * (1 - kappa)) ** 2).sum())
        - (kappa - chance * (1 - kappa)) ** 2
    )
    return with_error(kappa, math.sqrt(max(spread, 0.0) / n) / (1 - chance), int(n))


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
        return absent(gettext_noop("No labels yet."))
    if not (table.sum(axis=1) >= 2).any():
        return absent(gettext_noop("No item was labeled twice, so there is nothing to compare."))
    if (table.sum(axis=0) > 0).sum() < 2:
        return absent(
            gettext_noop(
                "Everyone gave the same label everywhere, so agreement beyond chance is undefined."
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
    return Chance(float(used @ weights @ used), shares @ ((weights @ used + weights.T @ used) / 2))


def _chance_corrected(table: Floats, kind: str, weights: Floats) -> Figure:
    """The coefficient with its standard error by linearisation over units (Gwet 2014), and a t
    interval with n − 1 degrees of freedom.
    """
    if problem := _problem(table):
        return problem
    chance = _chance(kind, table, weights)
    if math.isclose(chance.overall, 1.0):
        return absent(gettext_noop("Chance alone would produce full agreement here."), len(table))
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
