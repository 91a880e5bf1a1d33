"""Flags raters to review, each with its numbers: no better than chance, prefers the first shown,
prefers the longer, copies another rater, worse when tired, worse recently, faster than anyone can
read. labeling.quality.pages.flag_words has the sentences.

A flag is a reason to look, never a verdict. Each needs a minimum of judgments, an effect that
matters, and a p-value that survives Benjamini and Hochberg's correction over all raters (and pairs
of raters) tested, so that a pool of a thousand honest raters does not fill the list by chance.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix, triu
from scipy.stats import norm

from labeling.statistics.bias.following import Following
from labeling.statistics.bias.judgment_table import JudgmentTable, Rankings, table_of
from labeling.statistics.figures import Floats, Ints, adjusted, codes

Kind = Literal["chance", "first", "longer", "copy", "tires", "drifts", "fast"]


@dataclass(frozen=True)
class Thresholds:
    """When a rater is flagged. Tuned on simulated pools (benchmarks/raters.py) and fixed before the
    pools that it reports.
    """

    n_judgments: int = 20
    """the minimum number of judgments; where a part of them is tested, the minimum in each part"""
    false_share: float = 0.1
    """the share of a kind's flags that may be false (Benjamini and Hochberg's q)"""
    careful: float = 1.0
    """how far a careful rater follows the others, where 1 is the median rater; the test is whether
    a rater is below it
    """
    chance: float = 0.55
    """the highest such value at which a rater is flagged"""
    fall: float = 0.3
    """how much lower it must be when tired, or recently"""
    fall_z: float = 1.2
    """the minimum of that drop in standard errors, so that a steady but mediocre rater is not
    flagged as tired
    """
    first: float = 0.2
    """above the pool's share of judgments that rank the first-shown response on top"""
    longer: float = 0.15
    """above the pool's share of pairs that the longer response wins"""
    copied: float = 0.5
    """the share of equal rankings among those that chance would not explain"""
    tired_after_s: float = 3_600.0
    """within one sitting"""
    pause_s: float = 1_800.0
    """a longer pause starts a new sitting"""
    chars_per_s: float = 60.0
    """three times a fast reader's pace; slower raters are never flagged as too fast"""
    times_pool: float = 3.0
    """and this many times the pool's pace"""


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class BiasFlag:
    kind: Kind
    rater: int
    value: float
    usual: float
    """the pool's value, or the value expected by chance"""
    n: int
    p: float | None
    other: int | None = None
    """the other rater, for a copy"""
    details: Mapping[str, float] = field(default_factory=dict)
    """further numbers of this kind: `minutes` for `tires`, `limit` for `fast`, `is_later` for
    `copy` (1 if the copier came second)
    """
    judgments: tuple[int, ...] = ()
    """the rater's judgments behind the flag: those that show it; for `tires` and `drifts`, the
    later part
    """


def flags(rankings: Rankings, *, thresholds: Thresholds = THRESHOLDS) -> list[BiasFlag]:
    """All flags, the worst first within each kind."""
    table = table_of(rankings)
    if table is None:
        return []
    found = _first(table, thresholds) + _longer(table, thresholds)
    # Two raters who share a habit rank alike without copying, so `_copies` needs to know them.
    habits = {flag.rater for flag in found}
    found += _chance(table, thresholds) + _tires(table, thresholds) + _drifts(table, thresholds)
    found += _copies(table, thresholds, habits) + _fast(table, thresholds)
    return sorted(
        found, key=lambda flag: (flag.kind, flag.p if flag.p is not None else 1.0, flag.rater)
    )


@dataclass(frozen=True)
class _Tested:
    rater: int
    value: float
    usual: float
    n: int
    p: float
    is_large: bool
    other: int | None = None
    shown_by: Ints | None = None
    """the judgments that show it, by number"""


def _survivors(tested: list[_Tested], thresholds: Thresholds) -> list[_Tested]:
    """Tests whose effect matters and is significant after correcting for all the tests made."""
    if not tested:
        return []
    q = adjusted(np.array([test.p for test in tested]))
    return [
        test
        for test, level in zip(tested, q, strict=True)
        if test.is_large and level <= thresholds.false_share
    ]


def _first(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    tested = _above(table, table.is_first_best, thresholds.first, thresholds)
    return [_flag(table, "first", test) for test in _survivors(tested, thresholds)]


def _longer(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    tested = _above(table, table.longer_won, thresholds.longer, thresholds)
    return [_flag(table, "longer", test) for test in _survivors(tested, thresholds)]


def _flag(table: JudgmentTable, kind: Kind, test: _Tested, **details: float) -> BiasFlag:
    return BiasFlag(
        kind=kind,
        rater=int(table.raters[test.rater]),
        value=test.value,
        usual=test.usual,
        n=test.n,
        p=test.p,
        other=None if test.other is None else int(table.raters[test.other]),
        details=details,
        judgments=() if test.shown_by is None else tuple(table.judgments[test.shown_by].tolist()),
    )


def _above(
    table: JudgmentTable, values: Floats, effect: float, thresholds: Thresholds
) -> list[_Tested]:
    """Each rater's mean compared with the median rater's."""
    known = [of[~np.isnan(values[of])] for of in table.of_rater]
    eligible = [at for at, of in enumerate(known) if len(of) >= thresholds.n_judgments]
    if not eligible:
        return []
    means = {at: float(values[known[at]].mean()) for at in eligible}
    usual = float(np.median(list(means.values())))
    spread = float(np.nanstd(values)) or 1.0
    tested = []
    for at in eligible:
        n = len(known[at])
        # The pool's spread stands in for a rater whose judgments hardly differ: five equal ones are
        # not certainty.
        se = max(float(values[known[at]].std(ddof=1)), spread / 2) / math.sqrt(n)
        p = float(norm.sf((means[at] - usual) / se))
        shown_by = known[at][values[known[at]] > 0.5]
        tested.append(
            _Tested(at, means[at], usual, n, p, means[at] - usual >= effect, shown_by=shown_by)
        )
    return tested


def _below_careful(
    following: Following, judgments: Ints, thresholds: Thresholds
) -> tuple[float, float]:
    """(slope, p-value of following at least as much as a careful rater)"""
    slope, se = following.slope(judgments)
    if not math.isfinite(se) or se == 0:
        return slope, 1.0
    return slope, float(norm.cdf((slope - thresholds.careful) / se))


def _chance(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    tested = []
    for at, of in enumerate(table.of_rater):
        if len(of) >= thresholds.n_judgments:
            slope, p = _below_careful(table.following, of, thresholds)
            against = of[table.following.product[of] < 0]
            tested.append(
                _Tested(at, slope, 1.0, len(of), p, slope <= thresholds.chance, shown_by=against)
            )
    return [_flag(table, "chance", test) for test in _survivors(tested, thresholds)]


def minutes_in_sitting(at_s: Floats, pause_s: float) -> Floats:
    """Minutes since the start of the sitting, for sorted times; a pause longer than `pause_s`
    starts a new sitting.
    """
    if not at_s.size:
        return at_s
    starts = np.r_[True, np.diff(at_s) > pause_s]
    began = at_s[starts][np.cumsum(starts) - 1]
    return np.asarray((at_s - began) / 60, dtype=float)


def _parts(table: JudgmentTable, late: list[np.ndarray], thresholds: Thresholds) -> list[_Tested]:
    """Tests the later part of each rater's judgments: below a careful rater, and well below the
    earlier part.
    """
    tested = []
    for at, of in enumerate(table.of_rater):
        before, after = of[~late[at]], of[late[at]]
        if min(len(before), len(after)) < thresholds.n_judgments:
            continue
        early, early_se = table.following.slope(before)
        _, late_se = table.following.slope(after)
        slope, p = _below_careful(table.following, after, thresholds)
        fall = early - slope
        is_large = fall >= thresholds.fall and fall >= thresholds.fall_z * math.hypot(
            early_se, late_se
        )
        tested.append(_Tested(at, slope, early, len(after), p, is_large, shown_by=after))
    return _survivors(tested, thresholds)


def _tires(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    late = [
        60 * minutes_in_sitting(table.at_s[of], thresholds.pause_s) > thresholds.tired_after_s
        for of in table.of_rater
    ]
    minutes = thresholds.tired_after_s / 60
    return [
        _flag(table, "tires", test, minutes=minutes) for test in _parts(table, late, thresholds)
    ]


def _drifts(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    late = [np.arange(len(of)) >= 2 * len(of) / 3 for of in table.of_rater]
    return [_flag(table, "drifts", test) for test in _parts(table, late, thresholds)]


def _copies(table: JudgmentTable, thresholds: Thresholds, habits: set[int]) -> list[BiasFlag]:
    """Pairs of raters whose rankings are equal far more often than chance and skill explain."""
    found = []
    for test in _survivors(_test_pairs(table, thresholds, habits), thresholds):
        found += _copy_flags(table, test)
    return _strongest(found)


def _test_pairs(table: JudgmentTable, thresholds: Thresholds, habits: set[int]) -> list[_Tested]:
    """Tests every two raters who share enough items, by sums over those items."""
    by_chance = _same_by_chance(table)
    judged = _by_rater(table, table.item, np.ones(len(table.item)))
    orders = _by_rater(table, table.order, np.ones(len(table.item)))
    shared = triu(judged @ judged.T, k=1).tocoo()
    enough = shared.data >= thresholds.n_judgments
    one, other, n = shared.row[enough], shared.col[enough], shared.data[enough]
    if not len(n):
        return []
    # By pair of raters: equal rankings, and their expected number and its variance by chance.
    # Sparse products add up over shared items only.
    same, expected, spread = (
        np.asarray((left @ judged_or_order.T).tocsr()[one, other]).reshape(-1)
        for left, judged_or_order in (
            (orders, orders),
            (_by_rater(table, table.item, by_chance[table.item]), judged),
            (_by_rater(table, table.item, (by_chance * (1 - by_chance))[table.item]), judged),
        )
    )
    # Continuity correction of half a match, since a count is compared with a smooth curve.
    p = norm.sf((same - expected - 0.5) / np.sqrt(np.maximum(spread, 1e-9)))
    copied = (same - expected) / np.maximum(n - expected, 1e-9)
    has_habit = np.isin(table.raters, sorted(habits))
    met = ~(
        has_habit[one] & has_habit[other]
    )  # two raters with the same habit agree without any contact
    return [
        _Tested(
            int(one[at]),
            same[at] / n[at],
            expected[at] / n[at],
            int(n[at]),
            float(p[at]),
            copied[at] >= thresholds.copied,
            int(other[at]),
        )
        for at in np.flatnonzero(met)
    ]


def _by_rater(table: JudgmentTable, columns: Ints, values: Floats) -> csr_matrix:
    return csr_matrix(
        (values, (table.rater, columns)), shape=(len(table.raters), int(columns.max()) + 1)
    )


def _same_by_chance(table: JudgmentTable) -> Floats:
    """By item, the probability that two independent raters rank it the same way, shrunk to the
    pool's share.
    """
    n_items = int(table.item.max()) + 1
    n_each = np.bincount(table.item, minlength=n_items).astype(float)
    # Equal pairs of rankings among all pairs on an item, plus ten pairs at the pool's share.
    orders, first = np.unique(table.order, return_index=True)
    counts = np.bincount(codes(table.order)[0], minlength=len(orders)).astype(float)
    same = np.bincount(table.item[first], weights=counts * (counts - 1) / 2, minlength=n_items)
    pairs = n_each * (n_each - 1) / 2
    pooled = float(same.sum() / pairs.sum()) if pairs.sum() else 0.5
    return np.asarray((same + 10 * pooled) / (pairs + 10), dtype=float)


_LATER = 0.8
"""From this share of equal rankings submitted second, a rater is taken to be the one who copies."""


def _copy_flags(table: JudgmentTable, test: _Tested) -> list[BiasFlag]:
    """One flag for the rater who came second; one for each if neither always did."""
    assert test.other is not None
    one, other = table.of_rater[test.rater], table.of_rater[test.other]
    _, mine, theirs = np.intersect1d(table.order[one], table.order[other], return_indices=True)
    same = {test.rater: one[mine], test.other: other[theirs]}
    later = float((table.at_s[one[mine]] > table.at_s[other[theirs]]).mean())
    flagged = (
        [(test.rater, test.other)]
        if later >= _LATER
        else [(test.other, test.rater)]
        if later <= 1 - _LATER
        else None
    )
    return [
        _flag(
            table,
            "copy",
            replace(test, rater=who, other=whom, shown_by=same[who]),
            is_later=float(flagged is not None),
        )
        for who, whom in flagged or [(test.rater, test.other), (test.other, test.rater)]
    ]


def _strongest(found: list[BiasFlag]) -> list[BiasFlag]:
    """One flag per rater: the other rater whom they resemble most."""
    best: dict[int, BiasFlag] = {}
    for flag in sorted(found, key=lambda flag: flag.value - flag.usual):
        best[flag.rater] = flag
    return list(best.values())


def _fast(table: JudgmentTable, thresholds: Thresholds) -> list[BiasFlag]:
    """Tests pace alone: the threshold is far beyond what anybody can read, so chance plays no
    part.
    """
    known = [of[np.isfinite(table.pace[of])] for of in table.of_rater]
    paces = {
        at: float(np.median(table.pace[of]))
        for at, of in enumerate(known)
        if len(of) >= thresholds.n_judgments
    }
    if not paces:
        return []
    usual = float(np.median(list(paces.values())))
    limit = max(thresholds.chars_per_s, thresholds.times_pool * usual)
    fast = {at: known[at][table.pace[known[at]] >= limit] for at in paces}
    return [
        _flag(
            table,
            "fast",
            _Tested(at, pace, usual, len(known[at]), 0.0, True, shown_by=fast[at]),
            limit=thresholds.chars_per_s,
        )
        for at, pace in paces.items()
        if pace >= limit
    ]
