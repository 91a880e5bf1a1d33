"""How strongly each rater's choices follow one difference: logistic regressions with one slope per
rater, all fitted at once.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from arithmetic import cluster_variance
from arithmetic.bias.habits import (
    FEW_DIFFERING,
    FEWEST_VOTES,
    MOST_LOG_ODDS,
    WITHOUT_EXCEPTION,
    Effect,
    effect_of,
)
from arithmetic.clustering import FEWEST_PROMPTS
from arithmetic.figures import Floats, Ints, absent, codes, gettext_noop

_ROUNDS = 60


def slope_by_rater(
    *, name: str, won: ArrayLike, apart: ArrayLike, prompts: ArrayLike, raters: ArrayLike
) -> dict[int, Effect]:
    """By rater, the odds of being chosen per unit of `apart`: `won` is 1 or 0 from the side that
    `apart` is measured from.

    There is no intercept, as in `longer`; errors are clustered by prompt. `apart` is never 0.
    """
    win, x, prompt = (
        np.asarray(won, dtype=float),
        np.asarray(apart, dtype=float),
        np.asarray(prompts, dtype=np.int64),
    )
    rater, ids = codes(raters)
    if not win.size:
        return {}
    n, n_prompts = np.bincount(rater), np.bincount(_cells(rater, prompt)[1])
    n_followed = np.bincount(rater, weights=(x > 0) == (win == 1))
    notes = [
        _problem(*counts)
        for counts in zip(n.tolist(), n_followed.tolist(), n_prompts.tolist(), strict=True)
    ]
    has_odds = np.array([not note for note in notes])[rater]
    slope, error, independent = _fitted(
        win[has_odds], x[has_odds], prompt[has_odds], rater[has_odds], n_raters=len(ids)
    )
    return {
        int(rater_id): (
            Effect(name, absent(notes[at], int(n[at])))
            if notes[at]
            else effect_of(
                name,
                float(slope[at]),
                float(error[at]),
                float(independent[at]),
                int(n[at]),
                int(n_prompts[at]),
            )
        )
        for at, rater_id in enumerate(ids.tolist())
    }


def _cells(rater: Ints, prompt: Ints) -> tuple[Ints, Ints]:
    """Groups one rater's votes on one prompt: the cell of each vote, and the rater of each cell."""
    cell, cells = codes(rater * (1 + int(prompt.max(initial=0))) + prompt)
    of_cell = np.zeros(len(cells), dtype=np.int64)
    of_cell[cell] = rater
    return cell, of_cell


def _fitted(
    win: Floats, x: Floats, prompt: Ints, rater: Ints, *, n_raters: int
) -> tuple[Floats, Floats, Floats]:
    """Slopes, their clustered errors, and the errors of independent votes."""
    slope = _slopes(win, x, rater, n_raters)
    p = expit(slope[rater] * x)
    info = np.bincount(rater, weights=x**2 * p * (1 - p), minlength=n_raters)
    cell, of_cell = _cells(rater, prompt)
    scores = np.bincount(cell, weights=x * (win - p))
    n_prompts = np.bincount(of_cell, minlength=n_raters)
    meat = cluster_variance.by_group(scores, of_cell, n_prompts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return slope, np.sqrt(meat) / info, 1 / np.sqrt(info)


def _problem(n: int, n_followed: float, n_prompts: int) -> str:
    """Why a rater has no odds, as in the regression over all raters; empty if there may be some."""
    if n < FEWEST_VOTES:
        return gettext_noop(
            "Fewer than 30 decided votes. That is too few to tell habits from chance."
        )
    if n_followed in (0, n):
        return WITHOUT_EXCEPTION
    if n_prompts < FEWEST_PROMPTS:
        return FEW_DIFFERING
    return ""


def _slopes(win: Floats, x: Floats, rater: Ints, n_raters: int) -> Floats:
    """Maximum likelihood by Newton's method between bounds; values beyond the bounds are never
    reported.
    """
    low, high = np.full(n_raters, -MOST_LOG_ODDS - 1), np.full(n_raters, MOST_LOG_ODDS + 1)
    slope, has_votes = np.zeros(n_raters), np.bincount(rater, minlength=n_raters) > 0
    for _ in range(_ROUNDS):
        p = expit(slope[rater] * x)
        uphill = np.bincount(rater, weights=x * (win - p), minlength=n_raters)
        info = np.bincount(rater, weights=x**2 * p * (1 - p), minlength=n_raters)
        low, high = np.where(uphill > 0, slope, low), np.where(uphill > 0, high, slope)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = slope + uphill / info
        after = np.where(
            (step > low) & (step < high), step, (low + high) / 2
        )  # NaN fails both comparisons
        is_settled = np.abs(after - slope)[has_votes].max(initial=0.0) < 1e-8
        slope = after
        if is_settled:
            break
    return slope
