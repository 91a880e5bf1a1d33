"""Krippendorff's alpha, for any number of raters and missing labels, with a bootstrap over units.

Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). Alpha is 1 − observed / expected
disagreement over the labels of units that have at least two; units with one label carry no
information and are left out.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from labeling.statistics.figures import (
    RESAMPLES,
    Figure,
    Floats,
    Ints,
    absent,
    answered,
    bootstrap,
    codes,
    gettext_noop,
    percentiles,
)

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
_MOST_VALUES = 2_000
"""With more distinct labels the table of units by labels would not fit in memory; scales and
choices have a handful.
"""


def krippendorff(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    metric: Metric = "nominal",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Figure:
    """Alpha over parallel arrays, one entry per label; `n` counts the units that could be compared.

    Labels are numbers, or anything sortable for `nominal` and `ordinal` (where their sort order is
    the scale's order). Alpha does not depend on who gave a label, so raters are not a parameter.
    NaN is a missing label.
    """
    units, labels = answered(units, labels)
    unit, _ = codes(units)
    label, distinct = codes(labels)
    if not unit.size:
        return absent(gettext_noop("No labels yet."))
    n_each = np.bincount(unit)
    shared = n_each[unit] >= 2
    n_units = int((n_each >= 2).sum())
    if not n_units:
        return absent(gettext_noop("No item was labeled twice, so there is nothing to compare."))
    label, label_codes = codes(label[shared])
    distinct = distinct[label_codes.astype(np.int64)]
    if len(distinct) == 1:
        return absent(
            gettext_noop(
                "Everyone gave the same label everywhere, so agreement beyond chance is undefined."
            ),
            n_units,
        )
    if len(distinct) > _MOST_VALUES:
        return absent(
            gettext_noop("Too many different labels. This measure is for scales and choices."),
            n_units,
        )
    values = _positions(distinct, metric)
    if metric == "ratio" and values.min() < 0:
        return absent(gettext_noop("A ratio scale has no negative values."), n_units)
    unit, _ = codes(unit[shared])
    return _figure(_counts(unit, label, n_units, len(distinct)), values, metric, resamples, seed)


def _figure(table: Floats, values: Floats, metric: Metric, resamples: int, seed: int) -> Figure:
    value = float(_alpha(np.ones((1, len(table))), table, values, metric)[0])
    interval = None
    if resamples and len(table) > 1:
        drawn = bootstrap(
            table,
            lambda weights, rows: _alpha(weights, rows, values, metric),
            resamples=resamples,
            seed=seed,
        )
        interval = percentiles(drawn)
    low, high = interval or (None, None)
    se = _error(table) if metric == "nominal" and len(table) > 1 else None
    return Figure(value=value, n=len(table), low=low, high=high, se=se)


def _error(table: Floats) -> float:
    """The standard error of a nominal alpha by linearisation over units (Gwet 2014, as in irrCAC).
    The interval comes from the bootstrap.
    """
    n, n_each = len(table), table.sum(axis=1)
    mean = n_each.mean()
    share = (table * (table - 1)).sum(axis=1) / (mean * (n_each - 1))
    used = table.mean(axis=0) / mean
    chance = float(used @ used)
    extra = (n_each - mean) / mean  # a unit with more labels than usual counts for more
    alpha = (share.mean() - chance) / (1 - chance)
    observed = share.mean() + (1 - share.mean()) / n_each.sum()
    # Each unit's contribution to alpha to first order; their spread gives the standard error.
    linearised = (share - observed * extra - chance) / (1 - chance)
    linearised = linearised - 2 * (1 - alpha) * (table @ used / mean - chance * extra - chance) / (
        1 - chance
    )
    return float(np.sqrt(((linearised - alpha) ** 2).sum() / (n * (n - 1))))


def _positions(distinct: np.ndarray, metric: Metric) -> Floats:
    """Each label's position on its scale; used only by interval and ratio."""
    if metric in ("interval", "ratio"):
        return distinct.astype(float)
    return np.arange(len(distinct), dtype=float)


def _counts(unit: Ints, label: Ints, n_units: int, n_labels: int) -> Floats:
    """How often each unit got each label. (units, labels)"""
    return (
        np.bincount(unit * n_labels + label, minlength=n_units * n_labels)
        .reshape(n_units, n_labels)
        .astype(float)
    )


def _alpha(weights: Floats, table: Floats, values: Floats, metric: Metric) -> Floats:
    """Alpha for each row of `weights` (B, P) over the units' counts `table` (P, V); NaN where only
    one label is left.
    """
    n_each = table.sum(axis=1)
    marginals = weights @ table  # (B, V)
    n = marginals.sum(axis=1)
    if metric in ("nominal", "ratio"):
        distances = _distances(values, metric)
        # Disagreement within each unit: distances over its ordered pairs of labels, by n − 1.
        within = ((table @ distances) * table).sum(axis=1) / (n_each - 1)
        observed = weights @ within
        expected = ((marginals @ distances) * marginals).sum(axis=1)
    else:
        # The ordinal distance is the interval distance between mid-ranks, which differ between
        # resamples.
        places = (
            np.cumsum(marginals, axis=1) - marginals / 2
            if metric == "ordinal"
            else np.tile(values, (len(weights), 1))
        )
        # Centred per resample, so that Σ n·place² gives the expected disagreement.
        places = places - (marginals * places).sum(axis=1, keepdims=True) / n[:, None]
        # Σ over pairs of (x − y)² is 2·(n·Σx² − (Σx)²): no V × V table per resample is needed.
        sums, squares = table @ places.T, table @ (places**2).T  # (P, B)
        spread = 2 * (n_each[:, None] * squares - sums**2) / (n_each - 1)[:, None]
        observed = (weights.T * spread).sum(axis=0)
        expected = 2 * n * (marginals * places**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            1 - (n - 1) * observed / np.where(expected > 0, expected, np.nan), dtype=float
        )


def _distances(values: Floats, metric: Metric) -> Floats:
    """Squared distances between labels. (V, V)"""
    if metric == "nominal":
        return 1.0 - np.eye(len(values))
    total = values[:, None] + values[None, :]
    return np.asarray(
        ((values[:, None] - values[None, :]) / np.where(total == 0, 1.0, total)) ** 2, dtype=float
    )
