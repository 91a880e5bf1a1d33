"""The judgments behind each row of the bias panel: the latest of those that follow it, for whoever wants to read some."""

import numpy as np

from labeling import bias
from labeling.measures.agreeing import repeats
from labeling.measures.habits import first_shown_won
from labeling.measures.votes import Record, Truths, Votes

LISTED = 50


def judgments_behind(votes: Votes) -> Record:
    """By row: `n` judgments with a vote that follows it, and the latest of them."""
    pairs = votes.pairs
    if not pairs.unit.size:
        return {}
    decided = pairs.label != 0
    left_won = pairs.label < 0
    found = {"first": decided & (first_shown_won(votes) == 1), "ties": ~decided}
    differences = bias.differences(votes.looks.at(pairs.row), votes.looks.at(pairs.other_row))
    for name, apart in differences.items():
        found[name] = decided & (apart != 0) & ((apart > 0) == left_won)
    n_chars = np.abs(votes.n_chars[pairs.row] - votes.n_chars[pairs.other_row])
    found["longer"] = found["length"] & (n_chars > bias.LENGTH_MARGIN)
    return {name: _latest(votes, follows) for name, follows in (found | _swapped(votes)).items()}


def _swapped(votes: Votes) -> dict[str, Truths]:
    """The later votes of repeats whose sides had changed, by what came of it."""
    first, again = repeats(votes)
    changed = votes.left_is_first[first] != votes.left_is_first[again]
    first, again = first[changed], again[changed]
    won = first_shown_won(votes)
    came = {
        "consistent": votes.pairs.label[first] == votes.pairs.label[again],
        "first_twice": (won[first] == 1) & (won[again] == 1),
        "second_twice": (won[first] == 0) & (won[again] == 0),
    }
    found = {}
    for name, is_so in came.items():
        found[name] = np.zeros(len(votes.pairs.label), dtype=bool)
        found[name][again[is_so]] = True
    return found


def _latest(votes: Votes, follows: Truths) -> Record:
    judgments = np.unique(votes.judgment[votes.pairs.row[follows]])
    return {"n": len(judgments), "judgments": judgments[::-1][:LISTED].tolist()}
