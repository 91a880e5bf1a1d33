"""How strong each response is, from whole rankings: Plackett–Luce, with partial rankings and first
choices.

A ranking is a sequence of choices: the best of all, the best of the rest, and so on (Plackett
1975). Newton's method on the exact likelihood; ties are not part of the model (expand to pairs and
use Davidson's).
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.linalg import spsolve

from labeling.consensus import strengths
from labeling.consensus.strengths import Strengths
from labeling.figures import Floats, Ints, codes

_STEPS = 200


def plackett_luce(
    *,
    rankings: Sequence[Sequence[int]] = (),
    first_choices: Sequence[tuple[int, Sequence[int]]] = (),
    ridge: float = 0.0,
) -> Strengths:
    """Strengths from rankings (best first) and from first choices (the chosen one, and those it was
    chosen over).
    """
    choices = [(order[at], order[at + 1 :]) for order in rankings for at in range(len(order) - 1)]
    choices += [(chosen, over) for chosen, over in first_choices if len(over)]
    if not choices:
        return Strengths(np.zeros(0, dtype=np.int64), None, note="There are no rankings yet.")
    event = np.repeat(np.arange(len(choices)), [1 + len(over) for _, over in choices])
    member, items = codes([item for chosen, over in choices for item in (chosen, *over)])
    winner = member[np.r_[0, np.flatnonzero(np.diff(event)) + 1]]
    parts, problem = strengths.connection(_as_wins(event, member, winner, len(items)), items)
    if problem and not ridge:
        return Strengths(items, None, parts=parts, note=problem)
    offered = csr_matrix((np.ones(len(event)), (event, member)), shape=(len(choices), len(items)))
    values, log_likelihood = _maximised(offered, winner, ridge)
    for part in parts:
        place = np.searchsorted(items, np.asarray(part))
        values[place] -= values[place].mean()
    return Strengths(items, values, log_likelihood=log_likelihood, parts=parts, note=problem)


def _as_wins(event: Ints, member: Ints, winner: Ints, n_items: int) -> strengths.Pairs:
    """Each choice as wins of the chosen one over each of the others."""
    lost = member != winner[event]
    n = int(lost.sum())
    return strengths.Pairs(
        winner[event][lost], member[lost], np.ones(n), np.zeros(n), np.zeros(n), n_items
    )


def _maximised(offered: csr_matrix, winner: Ints, ridge: float) -> tuple[Floats, float]:
    """The maximum-likelihood strengths and their log-likelihood."""
    n = offered.shape[1]
    wins = np.bincount(winner, minlength=n).astype(float)
    values = np.zeros(n)

    def height(at: Floats) -> float:
        return float(wins @ at - np.log(offered @ np.exp(at)).sum())

    for _ in range(_STEPS):
        raised = np.exp(values)
        share = (
            diags(1 / (offered @ raised)) @ offered @ diags(raised)
        )  # the probability of each being chosen, (choices, items)
        expected = np.asarray(share.sum(axis=0)).reshape(-1)
        curve = (
            diags(expected) - share.T @ share + (ridge + 1e-9 * float(expected.max())) * identity(n)
        )
        step = spsolve(csr_matrix(curve).tocsc(), wins - expected - ridge * values)
        scale, now = 1.0, height(values) - ridge / 2 * float(values @ values)
        while scale > 1e-10:
            moved = values + scale * step
            moved -= moved.mean()
            if height(moved) - ridge / 2 * float(moved @ moved) >= now - 1e-12 * (1 + abs(now)):
                break
            scale /= 2
        shift = float(np.abs(moved - values).max())
        values = moved
        if shift < 1e-10:
            break
    return values, height(values)
