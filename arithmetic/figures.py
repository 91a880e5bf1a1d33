"""A computed number with its interval, or a sentence that says why there is none. Pure: no Django,
no database.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATERS_LIKE_THESE, THESE_RATERS = "raters_like_these", "these_raters"
"""Whom an interval is about: what other raters of this kind would say, or only what these do."""


@dataclass(frozen=True)
class Figure:
    """`value` from `n` comparisons with a 95 % interval, never NaN. `note` says why there is no
    value, or why a value has no interval.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    se: float | None = None
    note: str = ""
    about: str = ""
    """RATERS_LIKE_THESE or THESE_RATERS; empty where votes are clustered by prompt alone"""


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation; the page translates it when it is shown."""
    return sentence


def absent(note: str, n: int = 0) -> Figure:
    """A figure without a value; `note` says why."""
    return Figure(value=None, n=n, note=note)


@cache
def quantile(confidence: float = 0.95) -> float:
    """The z of a two-sided normal interval."""
    return float(ndtri(0.5 + confidence / 2))


def with_error(value: float, se: float, n: int, confidence: float = 0.95) -> Figure:
    """A value with its normal interval. An error that is not finite because of rounding counts as
    zero.
    """
    se = se if math.isfinite(se) else 0.0
    reach = quantile(confidence) * se
    return Figure(
        value=float(value), n=n, low=float(value - reach), high=float(value + reach), se=float(se)
    )


def codes(values: ArrayLike) -> tuple[Ints, NDArray[np.generic]]:
    """Each value as its index among the distinct values, and those values in order."""
    array = np.asarray(values)
    array = array.astype(np.int64) if array.dtype.kind in "iub" else array
    if (
        array.size
        and array.dtype.kind == "i"
        and int(array.max()) - int(array.min()) < 4 * array.size + 1_000
    ):
        low = int(array.min())  # a dense range: counting is about ten times faster than sorting
        present = np.bincount(array - low) > 0
        return (np.cumsum(present) - 1)[array - low], np.flatnonzero(present) + low
    distinct, inverse = np.unique(array, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct


def first_of(group: Ints, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The value of each numbered group, all of whose rows have the same."""
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=values.dtype)
    first[group] = values
    return first


def answered(units: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both columns without the entries whose label is NaN."""
    unit, label = np.asarray(units).reshape(-1), np.asarray(labels).reshape(-1)
    if label.dtype.kind != "f":
        return unit, label
    return unit[~np.isnan(label)], label[~np.isnan(label)]


def adjusted(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values (1995): if all up to q are flagged, a share q of
    the flags is expected to be false.
    """
    n = len(p_values)
    order = np.argsort(p_values)
    scaled = p_values[order] * n / np.arange(1, n + 1)
    result = np.empty(n)
    # A running minimum from the largest down keeps adjusted values in the order of the p-values.
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return result
