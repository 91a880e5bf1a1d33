"""Agreement on orders and on scales: Kendall's tau-b and W, and intraclass correlations."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, kendalltau, rankdata

from labeling.figures import Figure, Floats, absent, codes


@dataclass(frozen=True)
class Tested:
    """A number with the p-value of "there is none", or None and a sentence."""

    value: float | None
    n: int
    statistic: float | None = None
    p: float | None = None
    note: str = ""


def kendall_tau(one: ArrayLike, other: ArrayLike) -> Tested:
    """Tau-b of two orders of the same things: concordant less discordant pairs, corrected for ties."""
    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if len(first) < 2:
        return Tested(None, len(first), note="An order needs at least two things.")
    if not (np.ptp(first) and np.ptp(second)):
        return Tested(None, len(first), note="One of the two orders ties everything, so there is no order to compare.")
    tau, p = kendalltau(first, second)
    return Tested(float(tau), len(first), statistic=float(tau), p=float(p) if math.isfinite(p) else None)


def kendall_w(scores: ArrayLike) -> Tested:
    """How far raters order the same things alike, 0 to 1: `scores` is things by raters, ties corrected (Kendall 1948).

    `statistic` is chi square with n − 1 degrees of freedom, rough below seven things.
    """
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2:
        return Tested(None, 0, note="This needs at least two raters who ordered the same two things.")
    n, m = table.shape
    ranks = np.column_stack([rankdata(table[:, rater]) for rater in range(m)])
    ties = sum(float((counts**3 - counts).sum()) for counts in (np.unique(column, return_counts=True)[1] for column in ranks.T))
    spread = float(((ranks.sum(axis=1) - m * (n + 1) / 2) ** 2).sum())
    most = m**2 * (n**3 - n) - m * ties
    if most <= 0:
        return Tested(None, n, note="Every rater ties everything, so there is no order to compare.")
    w = 12 * spread / most
    statistic = m * (n - 1) * w
    return Tested(float(w), n, statistic=float(statistic), p=float(chi2.sf(statistic, n - 1)))


Icc = Literal["1,1", "C,1", "A,1", "A,k"]


def icc(scores: ArrayLike, kind: Icc = "A,1") -> Figure:
    """Intraclass correlation of units by raters (McGraw and Wong 1996); a unit with a missing score (NaN) is left out.

    `1,1`: different raters for each unit. `C,1`: consistency, a rater's own level forgiven. `A,1`: absolute agreement
    of one rater. `A,k`: of the mean of all k.
    """
    table = np.asarray(scores, dtype=float)
    table = table[~np.isnan(table).any(axis=1)] if table.ndim == 2 else np.zeros((0, 0))
    n, k = table.shape
    if n < 2 or k < 2:
        return absent("This needs at least two units that two raters both scored.", n)
    if np.ptp(table) == 0:
        return absent("Every score is the same.", n)
    value = _ratio(table, kind)
    if value is None:
        return absent("The scores do not differ enough between units for this number.", n)
    return Figure(value=value, n=n)


def _ratio(table: Floats, kind: Icc) -> float | None:
    n, k = table.shape
    mean = table.mean()
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    between = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    raters = n * float(((columns - mean) ** 2).sum()) / (k - 1)
    error = float(((table - rows - columns + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    within = float(((table - rows) ** 2).sum()) / (n * (k - 1))
    above = between - (within if kind == "1,1" else error)
    below = {
        "1,1": between + (k - 1) * within,
        "C,1": between + (k - 1) * error,
        "A,1": between + (k - 1) * error + k / n * (raters - error),
        "A,k": between + (raters - error) / n,
    }[kind]
    return above / below if abs(below) > 1e-12 else None


def score_table(*, units: ArrayLike, raters: ArrayLike, scores: ArrayLike) -> Floats:
    """Units by raters with NaN where nobody scored, as `icc` and `kendall_w` take it; a second score replaces the first."""
    unit, unit_names = codes(units)
    rater, rater_names = codes(raters)
    table = np.full((len(unit_names), len(rater_names)), np.nan)
    table[unit, rater] = np.asarray(scores, dtype=float)
    return table
