"""How often each source wins: how often raters ranked its responses above another's."""

from collections.abc import Mapping

import numpy as np

from arithmetic import clustering, intervals
from arithmetic.bias import habits
from arithmetic.figures import Figure, Ints, absent
from labeling.votes.arrays import Record, Votes, as_record

MOST_SOURCES = 4
"""More sources would give more pairs than a page can show."""


def contests_of(votes: Votes, names: Mapping[int, str]) -> list[Record]:
    """Win rates of every two sources that were compared, the newer one first, in percent, ties as
    half; clustered by prompt and rater.

    Empty if all responses have the same source, or there are more than MOST_SOURCES. Repeats are
    not counted.
    """
    once = votes.once
    pairs = once.pairs
    left, right = once.source[pairs.row], once.source[pairs.other_row]
    if not pairs.unit.size or len(np.unique(once.source[~np.isnan(once.rank)])) > MOST_SOURCES:
        return []
    newer, older = np.maximum(left, right), np.minimum(left, right)
    won = np.where(left == newer, 1 - pairs.label, 1 + pairs.label) / 2
    n_left, n_right = once.n_chars[pairs.row], once.n_chars[pairs.other_row]
    n_newer, n_older = (
        np.where(left == newer, n_left, n_right),
        np.where(left == newer, n_right, n_left),
    )
    prompt = once.prompt[pairs.row]
    contests = []
    for newer_one, older_one in sorted(
        {*zip(newer.tolist(), older.tolist(), strict=True)}, reverse=True
    ):
        is_pair = (newer == newer_one) & (older == older_one)
        if newer_one != older_one:
            rates = habits.length_controlled(
                won=won[is_pair],
                n_chars=n_newer[is_pair],
                n_chars_other=n_older[is_pair],
                prompts=prompt[is_pair],
                raters=pairs.rater[is_pair],
            )
            figures = {
                "as_voted": as_record(rates.raw),
                "at_equal_length": as_record(rates.controlled),
            }
            contests.append(
                {"source": names.get(newer_one, ""), "other": names.get(older_one, "")} | figures
            )
    return contests


def win_rate_of(
    votes: Votes, source: int, other: int, prompts: Ints, *, error: float = intervals.ERROR
) -> Figure:
    """How often `source` beat `other` on these prompts, from 0 to 1 with ties as half; clustered by
    prompt and rater. Repeats are not counted. Each end of the interval misses in `error` of cases.
    """
    once = votes.once
    pairs = once.pairs
    left, right = once.source[pairs.row], once.source[pairs.other_row]
    prompt = once.prompt[pairs.row]
    is_first, is_second = (left == source) & (right == other), (left == other) & (right == source)
    wanted = (is_first | is_second) & np.isin(prompt, prompts)
    if not wanted.any():
        return absent(clustering.TOO_FEW)
    won = np.where(is_first, 1 - pairs.label, 1 + pairs.label) / 2
    return clustering.share(
        won[wanted], prompts=prompt[wanted], raters=pairs.rater[wanted], error=error
    )
