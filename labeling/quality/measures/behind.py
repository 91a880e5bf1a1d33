"""The judgments behind each row of the bias panel: the latest ones that followed that bias, for
people who want to read them.
"""

from dataclasses import dataclass

import numpy as np

from arithmetic.figures import codes
from labeling.quality.measures.habits import first_shown_won
from labeling.votes.arrays import Record, Truths, Votes

LISTED = 1_000
"""Judgments listed per row of a campaign. More would slow down every page that loads the report."""
LISTED_OF_RATER = 100


@dataclass(frozen=True)
class Behind:
    """By row: the number `n` of judgments with a vote that follows it, and the latest of them."""

    everybody: Record
    raters: dict[int, Record]


def judgments_behind(votes: Votes) -> Behind:
    """Lists them for the campaign and for each of its raters."""
    pairs = votes.pairs
    if not pairs.unit.size:
        return Behind({}, {})
    code, judgments = codes(votes.judgment)
    rater = np.zeros(len(judgments), dtype=np.int64)
    rater[code] = votes.rater
    of_pair = code[pairs.row]
    everybody: Record = {}
    raters: dict[int, Record] = {rater_id: {} for rater_id in np.unique(rater).tolist()}
    came = {name: followed == 1 for name, followed in votes.followed.items()}
    for name, follows in (came | _swapped(votes)).items():
        follows_it = np.zeros(len(judgments), dtype=bool)
        follows_it[of_pair[follows]] = True
        everybody[name] = latest(judgments[follows_it])
        for rater_id, judged in _by_rater(judgments[follows_it], rater[follows_it]).items():
            raters[rater_id][name] = judged
    return Behind(everybody, raters)


def _by_rater(judgments: np.ndarray, rater: np.ndarray) -> dict[int, Record]:
    """`judgments` are distinct and sorted."""
    order = np.argsort(rater, kind="stable")
    raters, starts = np.unique(rater[order], return_index=True)
    parts = np.split(judgments[order], starts[1:])
    return (
        {
            rater_id: _latest(part, LISTED_OF_RATER)
            for rater_id, part in zip(raters.tolist(), parts, strict=True)
        }
        if len(raters)
        else {}
    )


def _swapped(votes: Votes) -> dict[str, Truths]:
    """The later votes of repeats whose sides were swapped, by result."""
    first, again = votes.repeats
    changed = votes.left_is_first[first] != votes.left_is_first[again]
    first, again = first[changed], again[changed]
    won = first_shown_won(votes)
    came = {
        "consistent": votes.pairs.label[first] == votes.pairs.label[again],
        "first_twice": (won[first] == 1) & (won[again] == 1),
        "second_twice": (won[first] == 0) & (won[again] == 0),
    }
    swapped = {}
    for name, is_so in came.items():
        swapped[name] = np.zeros(len(votes.pairs.label), dtype=bool)
        swapped[name][again[is_so]] = True
    return swapped


def latest(judgments: np.ndarray, listed: int = LISTED) -> Record:
    """`judgments` may contain duplicates."""
    return _latest(np.unique(judgments), listed)


def _latest(distinct: np.ndarray, listed: int) -> Record:
    return {"n": len(distinct), "judgments": distinct[-listed:][::-1].tolist()}
