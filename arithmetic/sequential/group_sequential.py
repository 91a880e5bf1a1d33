"""A test that may look several times while votes come in, and is wrong no more often than a test
that looks once: a group-sequential test by alpha spending (Lan and DeMets 1983).

How often a model that is no better would pass, at any look, is shared out over the looks by how
much of the votes each has. From the share that a look may spend follows its level: the chance that
the look alone may be wrong with. The level is used as that of one look, with whatever interval the
votes need; where raters differ, looks resemble each other more than the levels assume, and are
wrong less often.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri, stdtrit

from arithmetic.cluster_variance import FEWEST_RATERS
from arithmetic.figures import Figure, Floats

_N_NODES = 120
_FAR = 8.5
"""Standard deviations beyond which a normal variable is not found."""


def spent(share: float, error: float) -> float:
    """How much of `error` may be spent when this share of the votes is in: little at first, as in
    O'Brien and Fleming's test (1979), so that the last look needs hardly more than a single one.
    """
    return float(2 * ndtr(ndtri(error / 2) / min(share, 1.0) ** 0.5))


def levels(shares: Sequence[float], error: float) -> tuple[float, ...]:
    """The one-sided level of each look, where `shares` of the votes are in; the last is 1."""
    spending = [spent(share, error) for share in shares]
    return levels_of(tuple(shares), tuple(spending))


@lru_cache(maxsize=256)
def levels_of(shares: tuple[float, ...], spending: tuple[float, ...]) -> tuple[float, ...]:
    """The levels with which just this much is spent by each look, by integrating over the votes so
    far of those that go on (Armitage, McPherson and Rowe 1969).
    """
    bounds = [float(-ndtri(spending[0]))]
    nodes, weights = _up_to(bounds[0] * shares[0] ** 0.5, shares[0] ** 0.5)
    weights = weights * _density(nodes, shares[0])
    for before, share, more in zip(shares, shares[1:], np.diff(spending), strict=False):
        step = share - before
        bound = float(brentq(_excess, -_FAR, _FAR, (nodes, weights, step, more), xtol=1e-10))
        bounds.append(bound / share**0.5)
        later, later_weights = _up_to(bound, share**0.5)
        later_weights = later_weights * (_density(later[:, None] - nodes, step) @ weights)
        nodes, weights = later, later_weights
    return tuple(float(ndtr(-bound)) for bound in bounds)


def _excess(bound: float, nodes: Floats, weights: Floats, step: float, wanted: float) -> float:
    """How much more than wanted crosses the bound, after a step."""
    return float(weights @ ndtr((nodes - bound) / step**0.5)) - wanted


def _up_to(bound: float, scale: float) -> tuple[Floats, Floats]:
    """Where to integrate up to a bound, and with which weights (Gauss and Legendre)."""
    at, weights = np.polynomial.legendre.leggauss(_N_NODES)
    low = -_FAR * scale
    return low + (at + 1) / 2 * (bound - low), weights * (bound - low) / 2


def _density(at: Floats, variance: float) -> Floats:
    return np.asarray(np.exp(-(at**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def is_behind(rate: Figure, bar: float) -> bool:
    """Whether asking on is a waste: the rate is below the bar by more than BEHIND standard errors.
    Stopping then makes no test wrong more often, since it can only keep a model from passing.
    """
    if rate.value is None or rate.se is None or rate.low is None:
        return False
    return rate.value < bar - BEHIND * rate.se


BEHIND = 1.0
"""Chosen by benchmarks/gates.py: stopping sooner throws away models that are better, and stopping
later goes on from models that are worse.
"""


# --- what to expect of it -------------------------------------------------------------------------

TASTE, DIFFICULTY = 0.6, 1.0
"""Standard deviations on the logit, of raters and of prompts, as docs/schedules.md has them."""
_EVENNESS = 0.9
"""Raters count as this share of their number, because some answer three times as much as others."""
_N_DRAWS = 8_000


@dataclass(frozen=True)
class Design:
    """Prompts that raters compare two models on, in equal parts with a look after each."""

    n_prompts: int
    n_votes: int
    """on each prompt"""
    n_raters: int
    n_looks: int = 1
    error: float = 0.025
    bar: float = 0.5


@dataclass(frozen=True)
class Forecast:
    """Of a model with a given win rate."""

    passes: float
    """the chance that it passes at any look"""
    n_prompts: float
    """that raters are asked about, on average"""


@lru_cache(maxsize=256)
def forecast(design: Design, rate: float) -> Forecast:
    """By drawing what the test would see, to about one point. `rate` is the true one, over all
    raters and prompts of the kind.
    """
    random = np.random.default_rng(0)
    looks = np.arange(1, design.n_looks + 1)
    own_levels = levels([float(look) / design.n_looks for look in looks], design.error)
    n = np.maximum(1, np.round(design.n_prompts * looks / design.n_looks))
    between_raters, between_prompts = _spreads(rate)
    within = rate * (1 - rate) - between_raters - between_prompts
    n_raters = max(1.0, design.n_raters * _EVENNESS)
    per_prompt = between_prompts + within / design.n_votes
    steps = random.normal(size=(_N_DRAWS, len(n))) * np.sqrt(per_prompt * np.diff(n, prepend=0))
    taste = random.normal(size=(_N_DRAWS, 1)) * (between_raters / n_raters) ** 0.5
    share = np.clip(rate + taste + np.cumsum(steps, axis=1) / n, 1e-6, 1 - 1e-6)
    variance = (per_prompt + between_raters / design.n_votes) / n
    df = n - 1
    if design.n_raters >= FEWEST_RATERS:
        alone = rate * (1 - rate) / (n * design.n_votes)
        seen = random.chisquare(n_raters - 1, size=(_N_DRAWS, 1)) / (n_raters - 1)
        by_raters = seen * (between_raters * (1 / n_raters - 1 / (n * design.n_votes)) + alone)
        total = variance + np.maximum(0.0, by_raters - alone)
        parts = variance**2 / df + by_raters**2 / (n_raters - 1)
        df = np.minimum(df, np.maximum(n_raters - 1, total**2 / parts))
        variance = total
    z = (share - design.bar) * np.sqrt(share * (1 - share) / variance)
    z /= (design.bar * (1 - design.bar)) ** 0.5
    needed = stdtrit(df, 1 - np.asarray(own_levels, dtype=float))
    passes = z >= needed
    is_behind = share < design.bar - BEHIND * np.sqrt(variance)
    ends = passes | is_behind | np.isin(looks, design.n_looks)
    at = ends.argmax(axis=1)
    return Forecast(float(passes[np.arange(_N_DRAWS), at].mean()), float(n[at].mean()))


def prompts_for(design: Design, rate: float, wanted: float) -> int | None:
    """The fewest prompts, to about a twentieth, with which a model with this win rate passes so
    often; None if no number is enough, since raters differ.
    """

    def is_enough(n: int) -> bool:
        return forecast(replace(design, n_prompts=n), rate).passes >= wanted

    low, high = 10, _MOST_PROMPTS
    if not is_enough(high):
        return None
    while high > 1.05 * low:
        middle = round((low * high) ** 0.5)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return ceil(high / 10) * 10


_MOST_PROMPTS = 5_000


def on_logit(rate: float) -> float:
    """How far ahead a model is for a usual rater on a usual prompt, if its win rate over all raters
    and prompts is this. It is further from 0 than the logit of the rate, because both differ.
    """
    spread = float(np.hypot(TASTE, DIFFICULTY))
    return float(brentq(lambda ahead: _WEIGHTS @ expit(ahead + spread * _AT) - rate, -20, 20))


def _spreads(rate: float) -> tuple[float, float]:
    """The variance of the win rates of single raters, and of single prompts, around `rate`."""
    ahead = on_logit(rate)
    by_rater = expit(ahead + TASTE * _AT[:, None] + DIFFICULTY * _AT) @ _WEIGHTS
    by_prompt = expit(ahead + DIFFICULTY * _AT[:, None] + TASTE * _AT) @ _WEIGHTS
    return (
        float(_WEIGHTS @ (by_rater - rate) ** 2),
        float(_WEIGHTS @ (by_prompt - rate) ** 2),
    )


_AT, _WEIGHTS = np.polynomial.hermite_e.hermegauss(30)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
