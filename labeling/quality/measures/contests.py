"""How often each source wins: how often raters ranked its responses above another's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from arithmetic import clustering, intervals
from arithmetic.bias import habits
from arithmetic.figures import Figure, Floats, Ints, absent
from labeling.votes.arrays import Record, Truths, Votes, as_record

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


@dataclass(frozen=True)
class Wins:
    """Votes on pairs of one side against another, as parallel arrays."""

    won: Floats
    """1 if the side was preferred, ½ for a tie, 0"""
    prompt: Ints
    rater: Ints

    def where(self, mask: Truths) -> "Wins":
        return Wins(self.won[mask], self.prompt[mask], self.rater[mask])

    def share(self, *, error: float = intervals.ERROR) -> Figure:
        """How often the side won, from 0 to 1 with ties as half; clustered by prompt and rater.
        Each end of the interval misses in `error` of cases.
        """
        if not self.won.size:
            return absent(clustering.TOO_FEW)
        return clustering.share(self.won, prompts=self.prompt, raters=self.rater, error=error)


def wins_of(votes: Votes, ours: Truths, theirs: Truths) -> Wins:
    """Of responses that are `ours` against those that are `theirs`, each said by row of
    `votes.once`. Repeats are not counted.
    """
    pairs = votes.once.pairs
    is_first = ours[pairs.row] & theirs[pairs.other_row]
    is_second = theirs[pairs.row] & ours[pairs.other_row]
    won = np.where(is_first, 1 - pairs.label, 1 + pairs.label) / 2
    wins = Wins(won, votes.once.prompt[pairs.row], pairs.rater)
    return wins.where(is_first | is_second)


def win_rate_of(
    votes: Votes, source: int, other: int, prompts: Ints, *, error: float = intervals.ERROR
) -> Figure:
    """How often `source` beat `other` on these prompts; see Wins.share."""
    of = votes.once.source
    wins = wins_of(votes, of == source, of == other)
    return wins.where(np.isin(wins.prompt, prompts)).share(error=error)
