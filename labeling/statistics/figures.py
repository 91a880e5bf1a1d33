"""A computed number with its interval, or a sentence that says why there is none. Pure: no Django,
no database.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from pages import intervals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1_000
"""Default number of bootstrap resamples; 0 leaves the interval out."""
_CHUNK = 4_000_000
"""Cells of the resampling weights in memory at a time."""


@dataclass(frozen=True)
class Figure:
    """`value` from `n` comparisons with a 95 % interval, or None and a `note` that says why. Never
    NaN.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    se: float | None = None
    note: str = ""


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation; the page translates it when it is shown."""
    return sentence


def absent(note: str, n: int = 0) -> Figure:
    """A figure without a value; `note` says why."""
    return Figure(value=None, n=n, note=note)


def quantile(confidence: float = 0.95) -> float:
    """The z of a two-sided normal interval."""
    return float(norm.ppf(0.5 + confidence / 2))


def with_error(value: float, se: float, n: int, confidence: float = 0.95) -> Figure:
    """A value with its normal interval. An error that is not finite because of rounding counts as
    zero.
    """
    se = se if math.isfinite(se) else 0.0
    reach = quantile(confidence) * se
    return Figure(
        value=float(value), n=n, low=float(value - reach), high=float(value + reach), se=float(se)
    )


def wilson(score: float, n: float, confidence: float = 0.95) -> Figure:
    """`score` of `n` as a share with Wilson's interval (1927); a score of halves is allowed."""
    if n <= 0:
        return absent(gettext_noop("Nothing has been compared yet."))
    low, high = intervals.wilson(score, n, quantile(confidence))
    return Figure(value=float(score / n), n=round(n), low=low, high=high)


def codes(values: ArrayLike) -> tuple[Ints, NDArray[np.generic]]:
    """Each value as its index among the distinct values, and those values in order."""
    given = np.asarray(values)
    given = given.astype(np.int64) if given.dtype.kind in "iub" else given
    if (
        given.size
        and given.dtype.kind == "i"
        and int(given.max()) - int(given.min()) < 4 * given.size + 1_000
    ):
        low = int(given.min())  # a dense range: counting is about ten times faster than sorting
        present = np.bincount(given - low) > 0
        return (np.cumsum(present) - 1)[given - low], np.flatnonzero(present) + low
    distinct, inverse = np.unique(given, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct


def answered(units: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both columns without the entries whose label is NaN."""
    unit, label = np.asarray(units).reshape(-1), np.asarray(labels).reshape(-1)
    if label.dtype.kind != "f":
        return unit, label
    return unit[~np.isnan(label)], label[~np.isnan(label)]


def percentiles(values: Floats, confidence: float = 0.95) -> tuple[float, float] | None:
    """The middle `confidence` of the resampled values that could be computed; None if too few
    could.
    """
    usable = values[np.isfinite(values)]
    if usable.size < max(20, values.size // 2):
        return None
    low, high = np.quantile(usable, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def bootstrap(
    rows: Floats, evaluate: Callable[[Floats, Floats], Floats], *, resamples: int, seed: int
) -> Floats:
    """`evaluate(weights, rows)` on `resamples` resamplings of the rows, each a unit: weights (B, P)
    over distinct rows (P, F).

    Units with equal rows are drawn together, one multinomial over the patterns. This is the same
    distribution as drawing units one by one, and the cost of the interval no longer depends on the
    number of units.
    """
    patterns, counts = _patterns(rows)
    n_units = int(counts.sum())
    random = np.random.default_rng(seed)
    # In chunks, so that the weights (resamples × patterns) fit in memory.
    step = max(1, _CHUNK // max(1, len(patterns)))
    parts = [
        evaluate(
            random.multinomial(n_units, counts / n_units, size=min(step, resamples - start)).astype(
                float
            ),
            patterns,
        )
        for start in range(0, resamples, step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _patterns(rows: Floats) -> tuple[Floats, Ints]:
    """Distinct rows and how often each occurs; two independent random projections identify a
    row.
    """
    random = np.random.default_rng(20_260_301)
    keys = (rows @ random.standard_normal((rows.shape[1], 2))).round(9)
    packed = np.ascontiguousarray(keys).view([("one", float), ("other", float)]).reshape(-1)
    _, first, counts = np.unique(packed, return_index=True, return_counts=True)
    return rows[first], counts.astype(np.int64)


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
