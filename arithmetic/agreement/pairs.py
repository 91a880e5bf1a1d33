"""Raw agreement, pair by pair: rankings expanded to pairs, ties in, out and as half, rater by
rater, with oneself.

A label is −1 (the left response is better), 0 (a tie) or +1 (the right one is better). Left and
right are decided by response id, never by the order in which they were shown.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix

from arithmetic import clustering
from arithmetic.figures import Figure, Floats, Ints, absent, codes, first_of, gettext_noop

Ties = Literal["in", "out", "half"]
""""in": a tie is a label of its own. "out": only decided votes are compared. "half": a tie against
a decision is half right.
"""


@dataclass(frozen=True)
class PairVotes:
    """Parallel arrays, one entry per vote on a pair; `unit` numbers the pairs of responses from
    0.
    """

    unit: Ints
    item: Ints
    rater: Ints
    left: Ints
    right: Ints
    label: Ints
    row: Ints
    """the input row of the left response"""
    other_row: Ints
    """the input row of the right response"""


def expand(
    *, items: ArrayLike, raters: ArrayLike, responses: ArrayLike, ranks: ArrayLike
) -> PairVotes:
    """Expands rankings, one row per ranked response, to votes on pairs; rank 1 is best, NaN is
    unranked.

    A rater ranks an item once: a repeat for self-agreement is an item of its own.
    """
    rank = np.asarray(ranks, dtype=float)
    ranked = np.flatnonzero(~np.isnan(rank))
    item, rater, response = (
        np.asarray(column, dtype=np.int64)[ranked] for column in (items, raters, responses)
    )
    order = np.lexsort((response, rater, item))
    item, rater, response, rank, source = (
        item[order],
        rater[order],
        response[order],
        rank[ranked][order],
        ranked[order],
    )
    starts: list[Ints] = []
    ends: list[Ints] = []
    # Rows are sorted, so pairing each with the row `step` places later visits every pair once, and
    # only as many passes are needed as the longest ranking is long.
    for step in range(1, _longest(item, rater)):
        same = np.flatnonzero((item[step:] == item[:-step]) & (rater[step:] == rater[:-step]))
        starts.append(same)
        ends.append(same + step)
    first = np.concatenate(starts) if starts else np.zeros(0, dtype=np.int64)
    second = np.concatenate(ends) if ends else np.zeros(0, dtype=np.int64)
    return PairVotes(
        unit=_pair_codes(item[first], response[first], response[second]),
        item=item[first],
        rater=rater[first],
        left=response[first],
        right=response[second],
        label=np.sign(rank[first] - rank[second]).astype(np.int64),
        row=source[first],
        other_row=source[second],
    )


def _longest(item: Ints, rater: Ints) -> int:
    """The number of responses in the longest ranking."""
    if not item.size:
        return 0
    new = np.flatnonzero((np.diff(item) != 0) | (np.diff(rater) != 0)) + 1
    return int(np.diff(np.concatenate([[0], new, [item.size]])).max())


def _pair_codes(item: Ints, left: Ints, right: Ints) -> Ints:
    item_code, _ = codes(item)
    # Code the pair first: item × left × right as one number could overflow 64 bits.
    both, names = codes(np.concatenate([left, right]))
    pair, pairs = codes(both[: len(left)] * len(names) + both[len(left) :])
    unit, _ = codes(item_code * max(1, len(pairs)) + pair)
    return unit


def raw(
    *,
    units: ArrayLike,
    labels: ArrayLike,
    prompts: ArrayLike,
    ties: Ties = "half",
    tie: float = 0,
) -> Figure:
    """The share of pairs of votes on the same unit that agree; `n` counts those pairs. Interval
    over prompts, which have one entry per vote.

    With ties "in" the labels may be any categories.
    """
    rows = _scores_by_unit(units, labels, ties, tie)
    n = int(rows[:, 1].sum()) if rows.size else 0
    if not n:
        if ties == "out":
            return absent(
                gettext_noop("Nothing has two decided votes yet, so there is nothing to compare.")
            )
        return absent(gettext_noop("Nothing has two votes yet, so there is nothing to compare."))
    prompt = first_of(codes(units)[0], np.asarray(prompts))
    return clustering.share(rows[:, 0], counts=rows[:, 1], prompts=prompt)


def by_unit(*, units: ArrayLike, labels: ArrayLike, ties: Ties = "half") -> Floats:
    """Each unit's share of agreeing pairs of votes, for the distribution: a mean does not show
    whether a few units are split.
    """
    rows = _scores_by_unit(units, labels, ties, 0)
    compared = rows[rows[:, 1] > 0]
    return np.asarray(compared[:, 0] / compared[:, 1], dtype=float)


def _scores_by_unit(units: ArrayLike, labels: ArrayLike, ties: Ties, tie: float) -> Floats:
    """(agreeing, compared) pairs of votes by unit."""
    unit, _ = codes(units)
    values = np.asarray(labels)
    if not unit.size:
        return np.zeros((0, 2))
    n_units = int(unit.max()) + 1
    if ties == "out":
        unit, values = unit[values != tie], values[values != tie]
    label, names = codes(values)
    cells = (
        np.bincount(unit * len(names) + label, minlength=n_units * len(names))
        .reshape(n_units, len(names))
        .astype(float)
    )
    n_each = cells.sum(axis=1)
    same = (cells * (cells - 1)).sum(axis=1) / 2
    if ties == "half":
        n_tied = cells[:, names == tie].sum(axis=1)
        same = same + n_tied * (n_each - n_tied) / 2
    return np.column_stack([same, n_each * (n_each - 1) / 2])


@dataclass(frozen=True)
class Matrix:
    """Agreement between every two raters: `score` of `n` compared votes were the same. The diagonal
    is empty.
    """

    raters: tuple[int, ...]
    score: Floats
    n: Ints


def matrix(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, ties: Ties = "half"
) -> Matrix:
    """How often every two raters gave the same vote. Takes one vote per rater and unit."""
    unit, unit_names = codes(units)
    rater, rater_names = codes(raters)
    label = np.asarray(labels)
    if ties == "out":
        unit, rater, label = unit[label != 0], rater[label != 0], label[label != 0]
    shape = (len(rater_names), len(unit_names))
    score, n = np.zeros((shape[0], shape[0])), np.zeros((shape[0], shape[0]))
    tied = n.copy()
    for value in np.unique(label):
        gave_value = label == value
        votes = csr_matrix(
            (np.ones(int(gave_value.sum())), (rater[gave_value], unit[gave_value])), shape=shape
        )
        score += (votes @ votes.T).toarray()
        tied = (votes @ votes.T).toarray() if value == 0 else tied
    everything = csr_matrix((np.ones(len(unit)), (rater, unit)), shape=shape)
    n = (everything @ everything.T).toarray()
    if ties == "half":
        ties_of = csr_matrix(
            (np.ones(int((label == 0).sum())), (rater[label == 0], unit[label == 0])), shape=shape
        )
        one_tied = (ties_of @ everything.T).toarray()
        score += (one_tied + one_tied.T - 2 * tied) / 2
    np.fill_diagonal(score, 0)
    np.fill_diagonal(n, 0)
    return Matrix(
        raters=tuple(int(name) for name in rater_names), score=score, n=n.astype(np.int64)
    )


def with_everybody(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, prompts: ArrayLike
) -> dict[int, Figure]:
    """Each rater's share of agreement with all other raters combined, ties as half. Raters whom
    nobody can be compared with have none.
    """
    unit, label = codes(units)[0], np.asarray(labels, dtype=np.int64)
    if not unit.size:
        return {}
    cells = np.bincount(unit * 3 + label + 1, minlength=3 * (int(unit.max()) + 1)).reshape(-1, 3)
    others = cells[unit]
    others[np.arange(len(unit)), label + 1] -= 1
    # A vote's credit against the votes −1, 0 and +1.
    credit = 1 - np.abs(label[:, None] - np.array([-1, 0, 1])) / 2
    return clustering.share_by(
        raters, (others * credit).sum(axis=1), counts=others.sum(axis=1), prompts=prompts
    )


def of_two(
    *,
    units: ArrayLike,
    raters: ArrayLike,
    labels: ArrayLike,
    prompts: ArrayLike,
    listed: Collection[tuple[int, int]],
) -> dict[tuple[int, int], Figure]:
    """The share of agreement of every two raters that are `listed`, ties as half."""
    known = sorted({rater for pair in listed for rater in pair})
    rater = np.asarray(raters)
    is_known = np.isin(rater, known)
    unit, label, prompt = (
        np.asarray(column)[is_known] for column in (codes(units)[0], labels, prompts)
    )
    place = np.searchsorted(known, rater[is_known])
    order = np.lexsort((place, unit))
    unit, label, prompt, place = unit[order], label[order], prompt[order], place[order]
    wanted = np.array(
        [known.index(a) * len(known) + known.index(b) for a, b in map(sorted, listed)]
    )
    pairs: list[Ints] = []
    votes: list[Ints] = []
    scores: list[Floats] = []
    # Votes on a unit lie together: compare each with the one `step` places later, for every step.
    for step in range(1, int(np.bincount(unit).max()) if unit.size else 0):
        places = np.flatnonzero(unit[step:] == unit[:-step])
        pair = place[places] * len(known) + place[places + step]
        places, pair = (column[np.isin(pair, wanted)] for column in (places, pair))
        pairs.append(pair)
        votes.append(places)
        scores.append(1 - np.abs(label[places] - label[places + step]) / 2)
    if not pairs:
        return {}
    figures = clustering.share_by(
        np.concatenate(pairs), np.concatenate(scores), prompts=prompt[np.concatenate(votes)]
    )
    return {
        (known[key // len(known)], known[key % len(known)]): places
        for key, places in figures.items()
    }


def with_oneself(
    *,
    raters: ArrayLike,
    first: ArrayLike,
    again: ArrayLike,
    prompts: ArrayLike,
    ties: Ties = "half",
) -> tuple[Figure, dict[int, Figure]]:
    """Self-agreement over repeated pairs, overall and by rater. Labels are −1, 0, +1 the first time
    and the second time, with the sides swapped back.
    """
    prompt = np.asarray(prompts)
    first_score, second_score = np.asarray(first, dtype=float), np.asarray(again, dtype=float)
    rater = np.asarray(raters)
    if ties == "out":
        decided = (first_score != 0) & (second_score != 0)
        first_score, second_score, rater, prompt = (
            of[decided] for of in (first_score, second_score, rater, prompt)
        )
    score = (
        (first_score == second_score).astype(float)
        if ties == "in"
        else 1 - np.abs(first_score - second_score) / 2
    )
    if not score.size:
        return absent(gettext_noop("Nothing has been rated twice yet.")), {}
    return (
        clustering.share(score, prompts=prompt),
        clustering.share_by(rater, score, prompts=prompt),
    )
