"""Figures from votes that belong together because they are on one prompt, or by one rater: their
variance between prompts, and raters, and their interval by the rule of arithmetic.intervals.

Each function takes what every row moves the figure by, to first order (its influence); see
cluster_variance. Resampling prompts gives the same intervals, only slower.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arithmetic import cluster_variance, intervals
from arithmetic.cluster_variance import Spread
from arithmetic.figures import Figure, Floats, codes, gettext_noop

FEWEST_PROMPTS = intervals.FEWEST_PROMPTS
TOO_FEW = gettext_noop("Fewer than 5 prompts: too few for an interval.")
"""The note of a figure that has a value and no interval."""


def share(
    score: ArrayLike,
    *,
    prompts: ArrayLike,
    counts: ArrayLike | None = None,
    raters: ArrayLike | None = None,
    error: float = intervals.ERROR,
) -> Figure:
    """The share of votes that are true: `score` is 1, ½ or 0 for each vote, or with `counts` the
    sum over that many votes on one prompt. At least one vote. With `raters` the interval is about
    raters like these, if there are enough. Each of its ends misses in `error` of cases.
    """
    scores = np.asarray(score, dtype=float).reshape(-1)
    weights = (
        np.ones(len(scores)) if counts is None else np.asarray(counts, dtype=float).reshape(-1)
    )
    n = float(weights.sum())
    value = float(scores.sum()) / n
    used = weights > 0
    prompt = np.asarray(prompts).reshape(-1)[used]
    rater = None if raters is None else np.asarray(raters).reshape(-1)[used]
    between = spread((scores - value * weights)[used] / n, prompt, rater, weights[used])
    return _of_votes(value, round(n), between, len(codes(prompt)[1]), error)


def independent(score: float, n: int, *, too_few: str = TOO_FEW) -> Figure:
    """The share of `n` independent things that are true, such as golds passed: Wilson's interval,
    from as many things as it takes prompts. At least one.
    """
    share = score / n
    ends = intervals.wilson(score, n) if n >= FEWEST_PROMPTS else None
    figure = _figure(share, n, ends, share * (1 - share) / n)
    return figure if ends else replace(figure, note=too_few)


def spread(
    influence: Floats,
    prompts: ArrayLike,
    raters: ArrayLike | None,
    weights: ArrayLike | None = None,
) -> Spread:
    """The variance of a sum of influences between prompts, and with `raters` between both."""
    if raters is not None:
        return cluster_variance.by_prompts_and_raters(influence, prompts, raters, weights)
    df = len(codes(prompts)[1]) - 1
    return Spread(cluster_variance.of_rows(influence, prompts), df, df)


def _of_votes(
    value: float, n: int, spread: Spread, n_prompts: int, error: float = intervals.ERROR
) -> Figure:
    """A share of `n` votes, with at least the variance of independent votes."""
    spread = spread.at_least(value * (1 - value) / n)
    ends = intervals.of_share(value, spread.variance, n_prompts, spread.df, error)
    return _figure(value, n, ends, spread.variance, spread.about)


def drawn_in(value: float, n: int, *, estimate: float, variance: float, n_prompts: int) -> Figure:
    """A share that was shrunk towards others', with the interval of the `estimate` before: an
    interval around the shrunk value would miss raters who are far from the others.
    """
    ends = intervals.of_share(estimate, variance, n_prompts)
    return _figure(value, n, _with(value, ends), variance)


def share_by(
    group: ArrayLike, score: ArrayLike, *, prompts: ArrayLike, counts: ArrayLike | None = None
) -> dict[int, Figure]:
    """`share` of the rows of each group, such as each rater's, at once. Groups without votes have
    none.
    """
    of, names = codes(group)
    own_scores = np.asarray(score, dtype=float).reshape(-1)
    weights = (
        np.ones(len(own_scores)) if counts is None else np.asarray(counts, dtype=float).reshape(-1)
    )
    if not own_scores.size:
        return {}
    prompt, prompt_names = codes(prompts)
    total, n = np.bincount(of, weights=own_scores), np.bincount(of, weights=weights)
    cell, cells = codes(of * len(prompt_names) + prompt)
    of_cell = cells.astype(np.int64) // len(prompt_names)
    scores, counted = np.bincount(cell, weights=own_scores), np.bincount(cell, weights=weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / n
        residuals = np.where(counted > 0, scores - value[of_cell] * counted, 0.0)
        n_prompts = np.bincount(of_cell[counted > 0], minlength=len(names))
        between = cluster_variance.by_group(residuals, of_cell, n_prompts) / n**2
    return {
        int(name): _of_votes(
            float(value[at]),
            round(float(n[at])),
            Spread(float(between[at]), int(n_prompts[at]) - 1, int(n_prompts[at]) - 1),
            int(n_prompts[at]),
        )
        for at, name in enumerate(names.tolist())
        if n[at]
    }


def coefficient(
    value: float,
    n: int,
    influence: Floats,
    *,
    prompts: ArrayLike,
    raters: ArrayLike | None = None,
    alone: float,
    is_compared: NDArray[np.bool_] | None = None,
) -> Figure:
    """A measure between −1 and 1, such as kappa, by each row's influence on it; `alone` is its
    variance if what it is counted from were independent. Where some rows only tell what chance
    gives, `is_compared` are the others: their prompts make the interval.
    """
    between = spread(influence, prompts, raters).at_least(alone)
    compared = np.asarray(prompts) if is_compared is None else np.asarray(prompts)[is_compared]
    n_prompts = len(codes(compared)[1])
    df = min(between.df, n_prompts - 1)
    ends = _of_coefficient(value, between.variance, n_prompts, df)
    return _figure(value, n, _with(value, ends), between.variance, between.about)


def jackknifed(value: float, n: int, without: Floats, *, alone: float) -> Figure:
    """A measure between −1 and 1 by what it is `without` each prompt in turn (Quenouille 1956,
    Tukey 1958): from few prompts, influences miss how far it bends. The interval is around the
    measure less its bias.
    """
    n_prompts, mean = len(without), float(without.mean())
    unbiased = min(1.0, max(-1.0, n_prompts * value - (n_prompts - 1) * mean))
    variance = (n_prompts - 1) / n_prompts * float(((without - mean) ** 2).sum())
    variance = max(alone, variance)
    ends = _of_coefficient(unbiased, variance, n_prompts)
    return _figure(value, n, _with(value, ends), variance)


def _of_coefficient(
    value: float, variance: float, n_prompts: int, df: float | None = None
) -> tuple[float, float] | None:
    """On a scale from 0 to 1, so that the interval stays within −1 and 1 as a share's does."""
    ends = intervals.of_share((1 + value) / 2, variance / 4, n_prompts, df)
    return ends and (2 * ends[0] - 1, 2 * ends[1] - 1)


def _with(value: float, ends: tuple[float, float] | None) -> tuple[float, float] | None:
    return ends and (min(value, ends[0]), max(value, ends[1]))


def normal(
    value: float,
    n: int,
    variance: float,
    *,
    n_prompts: int,
    df: float | None = None,
    about: str = "",
) -> Figure:
    """An unbounded figure, such as the logarithm of an odds ratio, with Student's t interval. `df`
    are the variance's degrees of freedom, by default those of the spread between prompts.
    """
    if n_prompts < FEWEST_PROMPTS or variance <= 0:
        return _figure(value, n, None, variance)
    reach = intervals.of_student(n_prompts - 1 if df is None else df) * math.sqrt(variance)
    return _figure(value, n, (value - reach, value + reach), variance, about)


def _figure(
    value: float, n: int, ends: tuple[float, float] | None, variance: float, about: str = ""
) -> Figure:
    if ends is None:
        return Figure(float(value), n, note=TOO_FEW)
    low, high = ends
    return Figure(float(value), n, float(low), float(high), math.sqrt(variance), about=about)
