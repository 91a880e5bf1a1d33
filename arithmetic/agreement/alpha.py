"""Krippendorff's alpha, for any number of raters and missing labels, with an interval over prompts.

Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). Alpha is 1 − observed / expected
disagreement over the labels of units that have at least two; units with one label carry no
information and are left out.
"""

from collections.abc import Callable
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
    prompts: ArrayLike,
    metric: Metric = "nominal",
) -> Figure:
    """Alpha over parallel arrays, one entry per label; `n` counts the units that could be compared.

    Labels are numbers, or anything sortable for `nominal` and `ordinal` (where their sort order is
    the scale's order). Alpha does not depend on who gave a label, so raters are not a parameter.
    NaN is a missing label. `prompts` has one entry per label; a unit has one prompt.
    """
    prompts, _ = answered(prompts, labels)
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
    table = _counts(unit, label, n_units, len(distinct))
    return _figure(table, values, metric, first_of(unit, prompts[shared]))


def _figure(table: Floats, values: Floats, metric: Metric, prompt: np.ndarray) -> Figure:
    """Alpha is 1 − (n − 1) O / E: O sums the distances within units, E those between all labels."""
    n_each, marginals = table.sum(axis=1), table.sum(axis=0)
    n = float(n_each.sum())
    distances, by_marginals = _distances(values, marginals, metric)
    of_labels = distances @ marginals
    within = ((table @ distances) * table).sum(axis=1) / (n_each - 1)
    observed, expected = float(within.sum()), float(marginals @ of_labels)
    value = 1 - (n - 1) * observed / expected
    # To first order, one more unit moves O and E by its own distances, and by moving the labels'
    # places on the scale.
    together = (table / (n_each - 1)[:, None]).T @ table - np.diag(
        (table / (n_each - 1)[:, None]).sum(axis=0)
    )
    to_observed = within + table @ by_marginals(together)
    to_expected = table @ (2 * of_labels + by_marginals(np.outer(marginals, marginals)))
    influence = (
        -(n_each * observed + (n - 1) * (to_observed - observed * to_expected / expected))
        / expected
    )
    return clustering.coefficient(
        value,
        len(table),
        influence,
        prompts=prompt,
        alone=_alone(table, distances) / (expected / n**2) ** 2,
    )


def _alone(table: Floats, distances: Floats) -> float:
    """The variance of the mean distance between two labels of a unit, if all these pairs of labels
    were independent.
    """
    pairs = table.T @ table - np.diag(table.sum(axis=0))
    n = float(pairs.sum())
    mean = float((pairs * distances).sum()) / n
    return max(0.0, float((pairs * distances**2).sum()) / n - mean**2) / (n / 2)


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


def _distances(
    values: Floats, marginals: Floats, metric: Metric
) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Squared distances between labels (V, V), and how a sum of distances, each weighted by a table
    (V, V), changes with the number of each label.

    Only the ordinal distance changes: it is the interval distance between mid-ranks.
    """
    if metric == "nominal":
        return 1.0 - np.eye(len(values)), lambda weights: np.zeros(len(values))
    if metric == "ratio":
        total = values[:, None] + values[None, :]
        apart = (values[:, None] - values[None, :]) / np.where(total == 0, 1.0, total)
        return apart**2, lambda weights: np.zeros(len(values))
    if metric == "interval":
        return (values[:, None] - values[None, :]) ** 2, lambda weights: np.zeros(len(values))
    places = np.cumsum(marginals) - marginals / 2
    apart = places[:, None] - places[None, :]

    def by_marginals(weights: Floats) -> Floats:
        by_place = 4 * (weights * apart).sum(axis=1)
        # A label moves its own place by half, and the places above it by one.
        above = np.cumsum(by_place[::-1])[::-1] - by_place
        return np.asarray(above + by_place / 2, dtype=float)

    return apart**2, by_marginals
