"""Flags raters to review, each with its numbers and the probability that an honest rater looks
like that by luck. labeling.quality.pages.flag_words has the sentences.

A flag is a reason to look, never a verdict. Each needs a minimum of judgments, an effect that
matters, and a p-value that survives Benjamini and Hochberg's correction over all raters tested, so
that a pool of a thousand honest raters does not fill the list by chance.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy.special import ndtr

from arithmetic.bias import chance, copying, sittings
from arithmetic.bias.candidates import Candidate, chance_of_at_least, survivors
from arithmetic.bias.following import Following, following
from arithmetic.bias.judgment_table import JudgmentTable, Rankings, table_of
from arithmetic.bias.tastes import Tastes, tastes
from arithmetic.bias.thresholds import THRESHOLDS, Thresholds
from arithmetic.figures import Floats, Ints

Kind = Literal[
    "chance",
    "first",
    "last",
    "alternates",
    "longer",
    "copy",
    "tires",
    "drifts",
    "uneven",
    "fast",
    "even",
    "same",
]


@dataclass(frozen=True)
class BiasFlag:
    kind: Kind
    rater: int
    value: float
    usual: float
    """the pool's value, or the value expected by chance"""
    n: int
    p: float | None
    """the probability that an honest rater looks like this by luck; None if the limit is fixed"""
    other: int | None = None
    """the other rater, for a copy"""
    details: Mapping[str, float] = field(default_factory=dict)
    """further numbers of this kind: `minutes` for `tires`, `limit` for `fast`, `is_later` for
    `copy` (1 if the copier came second), `question` where it is about one question, `is_beside`
    where it is about ratings given beside rankings
    """
    judgments: tuple[int, ...] = ()
    """the rater's judgments behind the flag: those that show it; for `tires` and `drifts`, the
    later part
    """


@dataclass(frozen=True)
class Taste:
    """Raters who follow each other more than they follow the pool."""

    raters: tuple[int, ...]
    with_pool: float
    """how far they follow the other raters, where 1 is the median rater"""


@dataclass(frozen=True)
class Review:
    flags: list[BiasFlag]
    """the worst first within each kind"""
    tastes: list[Taste]
    """the largest first"""
    unsure: list[BiasFlag]
    """raters who would be flagged as `chance`, had they not perhaps a taste that few share"""


NOTHING = Review([], [], [])


def review(rankings: Rankings, *, thresholds: Thresholds = THRESHOLDS) -> Review:
    """Every rater to look at, and the groups with a taste of their own."""
    table = table_of(rankings)
    if table is None:
        return NOTHING
    return reviewed(
        table, _habits(table, thresholds), copying.EqualRankings(table, thresholds), thresholds
    )


def reviewed(
    table: JudgmentTable,
    habits: Mapping[Kind, list[Candidate]],
    copies: copying.Copies,
    thresholds: Thresholds = THRESHOLDS,
) -> Review:
    """The tests of any answers that follow each other, beside those of `habits`, which explain why
    a rater does not follow the others.
    """
    with_habit = {test.rater for its in habits.values() for test in survivors(its, thresholds)}
    copied = copying.sure_copies(copies, len(table.raters), thresholds, with_habit)
    table = _without_votes_of(table, with_habit | set(copied))
    groups = _tastes(table, thresholds, with_habit)
    unsure = chance.may_share_a_taste(table, groups.pool, thresholds)
    at_random = survivors(
        chance.tested(table, groups.following, thresholds), thresholds, thresholds.luck_in_chance
    )
    group = groups.group.copy()
    group[list(copied)] = group[list(copied.values())]
    tests = dict(habits) | {
        kind: [test for test in its if test.rater not in unsure]
        for kind, its in _parts(table, groups.following, thresholds).items()
    }
    tests |= {
        "even": _even(table, thresholds),
        "copy": copies.tested(group, with_habit | unsure),
    }
    flags = _flags(table, tests, copies, thresholds) + _fast(table, thresholds)
    flags += [_flag(table, "chance", test, {}) for test in at_random if test.rater not in unsure]
    in_order = sorted(
        flags, key=lambda flag: (flag.kind, flag.p if flag.p is not None else 1.0, flag.rater)
    )
    return Review(
        in_order,
        _as_tastes(table, groups),
        [_flag(table, "chance", test, {}) for test in at_random if test.rater in unsure],
    )


def _without_votes_of(table: JudgmentTable, raters: set[int]) -> JudgmentTable:
    """The same judgments, where these raters' votes count for nobody. A habit is no opinion, and a
    ranking and its copy are one: those who differ from them would look careless.
    """
    keeps = ~np.isin(np.arange(len(table.raters)), sorted(raters))
    return replace(table, votes=table.votes.where(keeps[table.votes.rater]))


def _flags(
    table: JudgmentTable,
    tests: Mapping[Kind, list[Candidate]],
    copies: copying.Copies,
    thresholds: Thresholds,
) -> list[BiasFlag]:
    """All tests are corrected together: a rater with ten chances to be flagged by luck must not be
    flagged more often for it. `chance`, which needs more answers than the others, is corrected on
    its own.
    """
    kinds = [kind for kind, its in tests.items() for _ in its]
    every = [test for its in tests.values() for test in its]
    kept = {id(test) for test in survivors(every, thresholds)}
    flags = [
        _flag(table, kind, test, _details(kind, thresholds))
        for kind, test in zip(kinds, every, strict=True)
        if kind != "copy" and id(test) in kept
    ]
    copied = copies.of([test for test in tests["copy"] if id(test) in kept])
    return flags + [
        _flag(table, "copy", copy.found, {"is_later": float(copy.is_later)}) for copy in copied
    ]


def flags(rankings: Rankings, *, thresholds: Thresholds = THRESHOLDS) -> list[BiasFlag]:
    """All flags, the worst first within each kind."""
    return review(rankings, thresholds=thresholds).flags


def _details(kind: Kind, thresholds: Thresholds) -> dict[str, float]:
    return {"minutes": thresholds.tired_after_s / 60} if kind == "tires" else {}


def _flag(
    table: JudgmentTable, kind: Kind, test: Candidate, details: Mapping[str, float]
) -> BiasFlag:
    return BiasFlag(
        kind=kind,
        rater=int(table.raters[test.rater]),
        value=test.value,
        usual=test.usual,
        n=test.n,
        p=None if kind == "fast" else test.p,
        other=None if test.other is None else int(table.raters[test.other]),
        details={**details, **test.details},
        judgments=() if test.shown_by is None else tuple(table.judgments[test.shown_by].tolist()),
    )


# --- places and lengths ---------------------------------------------------------------------------


def _habits(table: JudgmentTable, thresholds: Thresholds) -> dict[Kind, list[Candidate]]:
    decided = ~np.isnan(table.top_place)
    first = np.where(decided, table.top_place == 0, np.nan)
    last = np.where(decided, table.top_place == table.n_ranked - 1, np.nan)
    return {
        "first": _above(table, first, thresholds.place, thresholds),
        "last": _above(table, last, thresholds.place, thresholds),
        "alternates": _alternates(table, thresholds),
        "longer": _above(table, table.longer_won, thresholds.longer, thresholds),
    }


def _above(
    table: JudgmentTable, values: Floats, effect: float, thresholds: Thresholds
) -> list[Candidate]:
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
        p = float(ndtr((usual - means[at]) / se))
        shown_by = known[at][values[known[at]] > 0.5]
        tested.append(
            Candidate(at, means[at], usual, n, p, means[at] - usual >= effect, shown_by=shown_by)
        )
    return tested


def _alternates(table: JudgmentTable, thresholds: Thresholds) -> list[Candidate]:
    """Tests whether the place of the response on top steps in a fixed rhythm: A, B, A, B, or A, B,
    C, D, A.
    """
    tested = []
    for at, of in enumerate(table.of_rater):
        known = of[~np.isnan(table.top_place[of])]
        if len(known) <= thresholds.n_judgments:
            continue
        k = int(np.bincount(table.n_ranked[known]).argmax())
        known = known[table.n_ranked[known] == k]
        place = table.top_place[known].astype(np.int64)
        if len(place) > thresholds.n_judgments:
            tested.append(_rhythm(at, place, known, k, thresholds))
    return tested


def _rhythm(at: int, place: Ints, judgments: Ints, k: int, thresholds: Thresholds) -> Candidate:
    """The most frequent step from one place to the next; staying on a place is another habit."""
    steps = np.diff(place) % k
    share = np.bincount(place, minlength=k) / len(place)
    n = len(steps)
    counts = np.bincount(steps, minlength=k)
    step = 1 + int(counts[1:].argmax())
    # Independent choices with this rater's shares of places make this step so often.
    by_luck = max(1 / k, float((share * np.roll(share, -step)).sum()))
    p = min(1.0, (k - 1) * float(chance_of_at_least(counts[step], n, by_luck)))
    value = float(counts[step] / n)
    is_large = (value - by_luck) / (1 - by_luck) >= thresholds.alternates
    return Candidate(at, value, by_luck, n, p, is_large, shown_by=judgments[1:][steps == step])


# --- following the others -------------------------------------------------------------------------


def _tastes(table: JudgmentTable, thresholds: Thresholds, habits: set[int]) -> Tastes:
    """`habits` are raters with a simpler explanation than a taste."""
    pool = following(table.votes)
    tests = chance.tested(table, pool, thresholds)
    apart = {test.rater for test in survivors(tests, thresholds, thresholds.luck_in_chance)}
    return tastes(table.votes, pool=pool, apart=np.array(sorted(apart - habits), dtype=np.int64))


def _as_tastes(table: JudgmentTable, tastes_read: Tastes) -> list[Taste]:
    groups = []
    for number in range(1, tastes_read.n_groups + 1):
        members = tastes_read.members(number)
        judgments = np.concatenate([table.of_rater[at] for at in members])
        groups.append(
            Taste(tuple(table.raters[members].tolist()), tastes_read.pool.slope(judgments)[0])
        )
    return sorted(groups, key=lambda taste: -len(taste.raters))


def _parts(
    table: JudgmentTable, following: Following, thresholds: Thresholds
) -> dict[Kind, list[Candidate]]:
    """Whether raters follow the others less in a part of their answers."""
    return {
        "tires": _tires(table, following, thresholds),
        "drifts": _drifts(table, following, thresholds),
        "uneven": sittings.uneven(following, table.of_rater, table.at_s, thresholds),
    }


def _tires(table: JudgmentTable, following: Following, thresholds: Thresholds) -> list[Candidate]:
    late = [
        60 * sittings.minutes_in_sitting(table.at_s[of], thresholds.pause_s)
        > thresholds.tired_after_s
        for of in table.of_rater
    ]
    return sittings.worse_part(following, table.of_rater, late, thresholds)


def _drifts(table: JudgmentTable, following: Following, thresholds: Thresholds) -> list[Candidate]:
    late = [
        (np.arange(len(of)) >= 2 * len(of) / 3) & _has_times(table.at_s[of])
        for of in table.of_rater
    ]
    return sittings.worse_part(following, table.of_rater, late, thresholds)


def _has_times(at_s: Floats) -> bool:
    """Whether answers came one after the other: those of a file without times came all at once."""
    return len(np.unique(at_s)) > len(at_s) / 2


# --- times ----------------------------------------------------------------------------------------


def _even(table: JudgmentTable, thresholds: Thresholds) -> list[Candidate]:
    """Tests whether a rater's times differ far less than the median rater's: a program takes about
    as long for every item.
    """
    known = [of[np.isfinite(table.active_s[of])] for of in table.of_rater]
    spreads = {
        at: _spread(np.log(table.active_s[of]))
        for at, of in enumerate(known)
        if len(of) >= thresholds.n_judgments
    }
    if not spreads:
        return []
    usual = float(np.median(list(spreads.values())))
    if not usual:
        return []
    tested = []
    for at, spread in spreads.items():
        n = len(known[at])
        # The logarithm of a spread from deviations around the median has a variance of 1.36 / n.
        z = math.log(max(spread, 1e-9) / usual) / math.sqrt(1.36 / n)
        is_large = spread <= thresholds.even * usual
        tested.append(Candidate(at, spread, usual, n, float(ndtr(z)), is_large, shown_by=known[at]))
    return tested


def _spread(values: Floats) -> float:
    """The standard deviation from the median deviation, so that a few long pauses do not count."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


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
            Candidate(at, pace, usual, len(known[at]), 0.0, True, shown_by=fast[at]),
            {"limit": thresholds.chars_per_s},
        )
        for at, pace in paces.items()
        if pace >= limit
    ]
