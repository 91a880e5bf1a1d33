"""How far ratings on principles explain which of two responses the same rater chose.

The weights of the principles are fitted on some prompts and tried on the others, so that what many
principles happen to fit counts for nothing.
"""

from dataclasses import dataclass

import numpy as np

from arithmetic import clustering, intervals
from arithmetic.figures import Figure, Floats, Ints, codes

FOLDS = 10
RIDGE = 10.0
"""Every weight is drawn towards 0 as if by this many votes without it."""


@dataclass(frozen=True)
class Explained:
    """Shares of the votes. A principle that prefers neither response explains half a vote."""

    held_out: Figure
    """by all principles together, on prompts that their weights were not fitted to"""
    base: Figure
    """by the side that won more often: always the older or always the newer response"""
    gain: Figure
    """how much more `held_out` explains than `base`"""


@dataclass(frozen=True)
class Principle:
    agrees: Figure
    """among votes where the ratings differ; the intervals of all principles hold together"""
    explains: Figure
    """of all votes, as in Explained"""


def explained(
    signs: Floats, won: Floats, prompts: Ints, *, raters: Ints | None = None
) -> Explained:
    """`signs` has a row for each decided vote and a column for each principle: −1 where the left
    response is rated better, 1 where the right one is, 0 for neither. `won` is the vote. At least
    one vote. With `raters`, the intervals are about raters like these, if there are enough.
    """
    mine = credit(predicted(signs, won, prompts), won)
    side = credit(np.full(len(won), np.sign(won.sum())), won)
    apart, n = mine - side, len(won)
    gain = float(apart.mean())
    return Explained(
        held_out=clustering.share(mine, prompts=prompts, raters=raters),
        base=clustering.share(side, prompts=prompts, raters=raters),
        gain=clustering.coefficient(
            gain,
            n,
            (apart - gain) / n,
            prompts=prompts,
            raters=raters,
            alone=float(apart.var()) / n,
        ),
    )


def alone(
    signs: Floats, won: Floats, prompts: Ints, *, raters: Ints | None = None
) -> list[Principle | None]:
    """Each principle by itself; None for one on which every vote rates both responses the same."""
    error = intervals.ERROR / max(1, signs.shape[1])
    found: list[Principle | None] = []
    for column in signs.T:
        differs = column != 0
        if not differs.any():
            found.append(None)
            continue
        score = credit(column, won)
        by = None if raters is None else raters[differs]
        found.append(
            Principle(
                clustering.share(score[differs], prompts=prompts[differs], raters=by, error=error),
                clustering.share(score, prompts=prompts, raters=raters),
            )
        )
    return found


def predicted(signs: Floats, won: Floats, prompts: Ints) -> Floats:
    """The sign of each vote, by weights that were fitted without the votes on its prompt."""
    place, names = codes(prompts)
    fold = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[place]
    sides = np.zeros(len(won))
    for number in range(FOLDS):
        held = fold == number
        sides[held] = np.sign(np.round(signs[held] @ weights(signs[~held], won[~held]), 9))
    return sides


def weights(signs: Floats, won: Floats) -> Floats:
    """Ridge regression without an intercept: turning a pair around turns its prediction around."""
    penalty = RIDGE * np.eye(signs.shape[1])
    return np.asarray(np.linalg.solve(signs.T @ signs + penalty, signs.T @ won), dtype=float)


def credit(sides: Floats, won: Floats) -> Floats:
    return np.asarray((1 + sides * won) / 2, dtype=float)
