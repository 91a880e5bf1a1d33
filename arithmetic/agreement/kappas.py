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

from arithmetic import clustering
from arithmetic.figures import (
    Figure,
    Floats,
    Ints,
    absent,
    answered,
    codes,
    first_of,
    gettext_noop,
    with_error,
)

Weighting = Literal["identity", "linear", "quadratic"]
_NOTHING_SHARED = gettext_noop("These two raters have no items in common.")
_ONE_LABEL = gettext_noop("Both raters always gave the same label, so kappa is undefined.")


def weights_for(values: Floats, weighting: Weighting) -> Floats:
    """The credit that label i gets against label j: 1 for equal labels, less the farther apart they
    are. (V, V)
    """
    if weighting == "identity" or len(values) < 2:
        return np.eye(len(values))
    apart = np.abs(values[:, None] - values[None, :]) / (np.ptp(values) or 1.0)
    return np.asarray(1 - (apart if weighting == "linear" else apart**2), dtype=float)


@dataclass(frozen=True)
class _Kappa:
    """Cohen's kappa of a table of counts, and by cell how far one unit more in it moves the kappa,
    times the number of units: the delta method of Fleiss, Cohen and Everitt (1969).
    """

    value: float
    moves: Floats

    @classmethod
    def of(cls, table: Floats, weights: Floats) -> "_Kappa | None":
        """None if chance alone would be full agreement."""
        shares = table / table.sum()
        rows, columns = shares.sum(axis=1), shares.sum(axis=0)
        observed, chance = float((weights * shares).sum()), float(rows @ weights @ columns)
        if math.isclose(chance, 1.0):
            return None
        kappa = (observed - chance) / (1 - chance)
        expected = (weights @ columns)[:, None] + (rows @ weights)[None, :]
        moves = weights - expected * (1 - kappa) - (kappa - chance * (1 - kappa))
        return cls(kappa, moves / (1 - chance))


def cohen_of_table(
    table: ArrayLike, *, weighting: Weighting = "identity", values: Floats | None = None
) -> Figure:
    """Kappa of a square table of counts, with the error of independent units."""
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    if n <= 0:
        return absent(_NOTHING_SHARED)
    scale = np.arange(len(counts), dtype=float) if values is None else values
    kappa = _Kappa.of(counts, weights_for(scale, weighting))
    if kappa is None:
        return absent(_ONE_LABEL, int(n))
    return with_error(kappa.value, math.sqrt(float((counts * kappa.moves**2).sum())) / n, int(n))


def cohen(
    first: ArrayLike,
    second: ArrayLike,
    *,
    prompts: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float],
) -> Figure:
    """Kappa of two raters' labels of the same units, with a jackknifed interval over prompts.
    Labels are among `values`, which are the scale of the weights.
    """
    scale = np.asarray(sorted(values), dtype=float)
    a = np.searchsorted(scale, np.asarray(first, dtype=float))
    b = np.searchsorted(scale, np.asarray(second, dtype=float))
    if not a.size:
        return absent(_NOTHING_SHARED)
    size = len(scale)
    table = np.bincount(a * size + b, minlength=size**2).reshape(size, size).astype(float)
    weights = weights_for(scale, weighting)
    kappa = _Kappa.of(table, weights)
    if kappa is None:
        return absent(_ONE_LABEL, len(a))
    influence = kappa.moves[a, b] / len(a)
    without = _without_each(a, b, codes(prompts)[0], weights)
    # A prompt without which chance is full agreement says nothing.
    without[np.isnan(without)] = kappa.value
    return clustering.jackknifed(kappa.value, len(a), without, alone=float((influence**2).sum()))


def _without_each(a: Ints, b: Ints, prompt: Ints, weights: Floats) -> Floats:
    """The kappa without the units of each prompt; NaN where it is undefined. (prompts,)"""
    size, n_prompts = len(weights), int(prompt.max()) + 1
    n = len(a) - np.bincount(prompt)
    agreed = float(weights[a, b].sum()) - np.bincount(prompt, weights=weights[a, b])
    shares = []
    for label in (a, b):
        own = np.bincount(prompt * size + label, minlength=n_prompts * size)
        rest = np.bincount(label, minlength=size) - own.reshape(n_prompts, size)
        shares.append(rest / np.maximum(n, 1)[:, None])
    chance = np.einsum("pi,ij,pj->p", shares[0], weights, shares[1])
    is_defined = (n > 0) & ~np.isclose(chance, 1.0)
    without = np.full(n_prompts, np.nan)
    observed = agreed[is_defined] / n[is_defined]
    without[is_defined] = (observed - chance[is_defined]) / (1 - chance[is_defined])
    return without


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
    prompts: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Fleiss's kappa, generalised to missing labels (Gwet 2014, chapter 2)."""
    table, scale, prompt = _table(units, labels, prompts, values)
    return _chance_corrected(table, "fleiss", weights_for(scale, weighting), prompt)


def gwet(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    prompts: ArrayLike,
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
) -> Figure:
    """Gwet's AC1 (2008), or AC2 with weights."""
    table, scale, prompt = _table(units, labels, prompts, values)
    return _chance_corrected(table, "gwet", weights_for(scale, weighting), prompt)


def _numbers(labels: ArrayLike, values: Sequence[float] | None) -> Floats:
    place, distinct = codes(labels)
    numeric = distinct.dtype.kind in "biuf"
    return distinct.astype(float)[place] if numeric or values is not None else place.astype(float)


def _table(
    units: ArrayLike, labels: ArrayLike, prompts: ArrayLike, values: Sequence[float] | None
) -> tuple[Floats, Floats, np.ndarray]:
    """Counts of units by labels, the labels as sorted numbers, and each unit's prompt."""
    prompts, _ = answered(prompts, labels)
    units, labels = answered(units, labels)
    unit, unit_names = codes(units)
    numbers = _numbers(labels, values)
    scale = np.unique(np.asarray(values, dtype=float) if values is not None else numbers)
    if not unit.size:
        return np.zeros((0, len(scale))), scale, np.zeros(0)
    place = np.searchsorted(scale, numbers)
    flat = np.bincount(unit * len(scale) + place, minlength=len(unit_names) * len(scale))
    table = flat.reshape(len(unit_names), len(scale)).astype(float)
    return table, scale, first_of(unit, prompts)


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


def _chance_corrected(table: Floats, kind: str, weights: Floats, prompt: np.ndarray) -> Figure:
    """The coefficient, linearised over units (Gwet 2014) and clustered by prompt."""
    if problem := _problem(table):
        return problem
    chance = _chance(kind, table, weights)
    if math.isclose(chance.overall, 1.0):
        return absent(gettext_noop("Chance alone would produce full agreement here."), len(table))
    observed, by_unit = _observed(table, weights)
    n, is_shared = len(table), table.sum(axis=1) >= 2
    n_shared = int(is_shared.sum())
    value = (observed - chance.overall) / (1 - chance.overall)
    # Each unit's contribution to the coefficient to first order (Gwet 2014).
    linearised = n / n_shared * np.where(is_shared, by_unit - chance.overall, 0.0)
    linearised = linearised - 2 * (1 - value) * (chance.by_unit - chance.overall)
    influence = (linearised / (1 - chance.overall) - value) / n
    return clustering.coefficient(
        value,
        n_shared,
        influence,
        prompts=prompt,
        alone=_alone(table, weights) / (1 - chance.overall) ** 2,
        is_compared=is_shared,
    )


def _alone(table: Floats, weights: Floats) -> float:
    """The variance of the mean credit of two labels of a unit, if all these pairs of labels were
    independent.
    """
    pairs = table.T @ table - np.diag(table.sum(axis=0))
    n = float(pairs.sum())
    mean = float((pairs * weights).sum()) / n
    return max(0.0, float((pairs * weights**2).sum()) / n - mean**2) / (n / 2)
