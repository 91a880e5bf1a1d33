"""Which principles explain the votes: a rater's ratings of two responses on each principle, against
which of the two the same rater chose.
"""

from collections.abc import Sequence

import numpy as np

from arithmetic.figures import Floats
from arithmetic.ratings import principles
from labeling.guidelines.rating_form import Flag, Question
from labeling.quality.measures.behind import latest
from labeling.votes.arrays import Record, Votes, as_record
from labeling.votes.consensus import is_ordered

FEWEST_PAIRS = 100
"""Below this many pairs of responses nothing is concluded."""


def principles_of(votes: Votes, questions: Sequence[Question]) -> Record:
    """Empty without principles. Ties and votes without ratings on any principle are left out."""
    asked = [row for row in questions if row.is_principle and is_ordered(row)]
    pairs = votes.once.pairs
    if not asked or not pairs.unit.size:
        return {}
    every = np.column_stack([_signs(votes.once, question) for question in asked])
    used = (pairs.label != 0) & ~np.isnan(every).all(axis=1)
    signs, won = np.nan_to_num(every[used]), pairs.label[used].astype(float)
    rows = pairs.row[used]
    prompts, raters = votes.once.prompt[rows], votes.once.rater[rows]
    counts: Record = {
        "n_pairs": len(np.unique(pairs.unit[used])),
        "n_votes": int(used.sum()),
        "n_ties": int((pairs.label == 0).sum()),
        "n_unrated": int(((pairs.label != 0) & ~used).sum()),
    }
    if counts["n_pairs"] < FEWEST_PAIRS:
        return counts | {"rows": []}
    whole = principles.explained(signs, won, prompts, raters=raters)
    each = principles.alone(signs, won, prompts, raters=raters)
    return counts | {
        "held_out": as_record(whole.held_out),
        "base": as_record(whole.base),
        "gain": as_record(whole.gain),
        "rows": [
            {"label": question.label}
            | (
                {"agrees": as_record(row.agrees), "explains": as_record(row.explains)}
                if row
                else {}
            )
            for question, row in zip(asked, each, strict=True)
        ],
        "behind": {
            "unexplained": latest(votes.once.judgment[rows[~(signs == won[:, None]).any(axis=1)]])
        },
    }


def _signs(votes: Votes, question: Question) -> Floats:
    """By vote on a pair: −1 if the left response is rated better, 1 the right one, 0 neither, NaN
    if the question is not answered. A flag that is not ticked is not stored, so it counts as no.
    """
    answers = votes.answers.get(question.name, np.full(len(votes.item), np.nan))
    if isinstance(question, Flag):
        answers = np.nan_to_num(answers) * (1 if question.is_merit else -1)
    return np.asarray(np.sign(answers[votes.pairs.other_row] - answers[votes.pairs.row]))
