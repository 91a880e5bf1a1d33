"""The judgments behind each row of the bias panel: the latest of those that follow it, for whoever wants to read some."""

import numpy as np

from labeling.measures.agreeing import repeats
from labeling.measures.habits import first_shown_won, follows
from labeling.measures.votes import Record, Truths, Votes

LISTED = 50


def judgments_behind(votes: Votes) -> Record:
    """By row: `n` judgments with a vote that follows it, and the latest of them."""
    pairs = votes.pairs
    if not pairs.unit.size:
        return {}
    found = {name: came == 1 for name, came in follows(pairs, position=votes.position, looks=votes.looks).items()}
    return {name: latest(votes.judgment[pairs.row[here]]) for name, here in (found | _swapped(votes)).items()}


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


def latest(judgments: np.ndarray) -> Record:
    """`judgments` may name one several times."""
    distinct = np.unique(judgments)
    return {"n": len(distinct), "judgments": distinct[::-1][:LISTED].tolist()}
