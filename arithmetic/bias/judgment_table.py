"""The table that bias flags come from: one row per judgment, made from a campaign's rankings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias.following import NumberedVotes
from arithmetic.bias.shares import LENGTH_MARGIN
from arithmetic.figures import Floats, Ints, codes


@dataclass(frozen=True)
class Rankings:
    """A campaign's rankings, one row per ranked response, as parallel arrays. One rater judges an
    item once.
    """

    judgment: ArrayLike
    item: ArrayLike
    rater: ArrayLike
    response: ArrayLike
    rank: ArrayLike
    """1 is best, equal ranks tie, NaN is unranked"""
    position: ArrayLike
    """position on the page, from 0"""
    n_chars: ArrayLike
    at_s: ArrayLike
    """when the judgment was submitted, in seconds"""
    active_s: ArrayLike
    """seconds the rater worked on it; NaN is unknown"""


@dataclass(frozen=True)
class JudgmentTable:
    """One entry per judgment, numbered from 0, except `raters` and `of_rater`."""

    raters: Ints
    """ids by number"""
    judgments: Ints
    """ids by number"""
    rater: Ints
    item: Ints
    at_s: Floats
    active_s: Floats
    """seconds the rater worked on it; NaN is unknown"""
    n_ranked: Ints
    """responses ranked"""
    top_place: Floats
    """where the response on top was shown, from 0 among those ranked; NaN if several share the
    top
    """
    longer_won: Floats
    """among pairs that differ in length, the share that the longer one won; NaN if there are
    none
    """
    order: Ints
    """equal for judgments that rank an item's responses in the same order; one of its own for a
    judgment that ties everything, since an answer of ties is nothing that can be copied
    """
    decides: NDArray[np.bool_]
    """whether it prefers any response to another"""
    pace: Floats
    """characters per second"""
    votes: NumberedVotes
    of_rater: tuple[Ints, ...]
    """each rater's judgments in order of time"""


def table_of(rankings: Rankings) -> JudgmentTable | None:
    judgment, names = codes(rankings.judgment)
    if not judgment.size:
        return None
    n = len(names)
    item, rater = codes(rankings.item)[0], codes(rankings.rater)
    rank, position, chars = (
        np.asarray(column, dtype=float)
        for column in (rankings.rank, rankings.position, rankings.n_chars)
    )
    pairs = agreement_pairs.expand(
        items=item, raters=rater[0], responses=rankings.response, ranks=rank
    )
    by_judgment = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(n)
    for column, values in zip(
        by_judgment, (item, rater[0], rankings.at_s, rankings.active_s), strict=True
    ):
        column[judgment] = values
    its_item, its_rater, at_s, active_s = by_judgment
    with np.errstate(divide="ignore", invalid="ignore"):
        active_s = np.where(active_s > 0, active_s, np.nan)
        pace = np.bincount(judgment, weights=chars, minlength=n) / active_s
    decides = np.bincount(judgment[pairs.row], weights=np.abs(pairs.label), minlength=n) > 0
    # One sort by (rater, time); each rater's judgments are then one slice of it.
    time_order = np.lexsort((at_s, its_rater))
    starts = np.searchsorted(its_rater[time_order], np.arange(len(rater[1]) + 1))
    return JudgmentTable(
        raters=rater[1].astype(np.int64),
        judgments=names.astype(np.int64),
        rater=its_rater,
        item=its_item,
        at_s=at_s,
        active_s=active_s,
        n_ranked=np.bincount(judgment, weights=~np.isnan(rank), minlength=n).astype(np.int64),
        top_place=_top_place(judgment, rank, position, n),
        longer_won=_longer_won(judgment, pairs, chars, n),
        order=_orders(judgment, pairs, its_item, decides),
        decides=decides,
        pace=pace,
        votes=NumberedVotes(
            unit=pairs.unit,
            rater=pairs.rater,
            label=pairs.label,
            judgment=judgment[pairs.row],
            n_raters=len(rater[1]),
            n_judgments=n,
        ),
        of_rater=tuple(time_order[starts[at] : starts[at + 1]] for at in range(len(rater[1]))),
    )


def _top_place(judgment: Ints, rank: Floats, position: Floats, n: int) -> Floats:
    ranked = np.flatnonzero(~np.isnan(rank))
    if not ranked.size:
        return np.full(n, np.nan)
    # One sort by (judgment, position): a response's place is its distance from its judgment's
    # first.
    shown = ranked[np.lexsort((position[ranked], judgment[ranked]))]
    of = judgment[shown]
    place = np.arange(len(shown)) - np.searchsorted(of, of)
    best = np.full(n, np.inf)
    np.minimum.at(best, of, rank[shown])
    on_top = rank[shown] == best[of]
    n_on_top, n_ranked = np.bincount(of[on_top], minlength=n), np.bincount(of, minlength=n)
    top = np.bincount(of[on_top], weights=place[on_top], minlength=n)
    # A best rank shared by several responses is no choice of a place, nor is a ranking of one.
    return np.where((n_on_top == 1) & (n_ranked > 1), top, np.nan)


def _longer_won(judgment: Ints, pairs: agreement_pairs.PairVotes, chars: Floats, n: int) -> Floats:
    apart = chars[pairs.other_row] - chars[pairs.row]  # above 0 if the right one is longer
    counts = (np.abs(apart) > LENGTH_MARGIN) & (pairs.label != 0)
    of = judgment[pairs.row[counts]]
    won = np.bincount(of, weights=np.sign(apart[counts]) == pairs.label[counts], minlength=n)
    total = np.bincount(of, minlength=n)
    return np.asarray(np.divide(won, total, out=np.full(n, np.nan), where=total > 0), dtype=float)


def _orders(
    judgment: Ints, pairs: agreement_pairs.PairVotes, item: Ints, decides: NDArray[np.bool_]
) -> Ints:
    """A number for each distinct set of votes on an item's pairs; a judgment that decides no pair
    gets a number of its own.
    """
    # A random weight per (pair, label): equal sums mean equal sets of votes, up to rounding,
    # without comparing rankings one by one. The seed only keeps runs repeatable.
    n, random = len(decides), np.random.default_rng(7)
    weight = random.standard_normal((int(pairs.unit.max(initial=0)) + 1, 3))
    key = np.bincount(judgment[pairs.row], weights=weight[pairs.unit, pairs.label + 1], minlength=n)
    votes, names = codes(np.round(key, 9))
    own_number = len(names) + np.arange(n)
    return codes(item * (len(names) + n) + np.where(decides, votes, own_number))[0]
