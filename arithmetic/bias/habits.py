"""What a choice depends on besides quality: one logistic regression on the differences between two
responses, and length-controlled win rates.

Errors are clustered by prompt and by rater at once (Cameron, Gelbach and Miller 2011)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, stdtr

from arithmetic import clustering
from arithmetic.cluster_variance import Spread
from arithmetic.clustering import FEWEST_PROMPTS
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop

Truths = NDArray[np.bool_]


POSITION = "position"


"""The intercept: the odds of the first-shown response when both look alike."""


FEWEST_VOTES = 30


"""With fewer decided votes an odds ratio would be noise."""


FEWEST_DIFFERING = 10


"""With fewer votes between responses that differ in a feature, its odds would be noise."""


MOST_LOG_ODDS = math.log(1_000)


"""The largest log odds ratio, or half-width of its interval, that is reported: nearly separated
votes lead beyond it.
"""


_UNBOUNDED = 12.0


"""A coefficient of length that only votes without exception can reach."""


_DOUBLED = 1e-9


"""For products of columns scaled to size 1: a smallest eigenvalue below this means that one column
is a combination of the others.
"""


WITHOUT_EXCEPTION = gettext_noop("Every vote follows this feature, so the odds are unbounded.")


FEW_DIFFERING = gettext_noop("Responses to fewer than 5 prompts differ in this. That is too few.")


_UNTOLD = gettext_noop(
    "Responses differ too little in this, or it overlaps too much with other features, for a"
    " reliable estimate."
)


@dataclass(frozen=True)
class Effect:
    """By how much the odds of being chosen are multiplied for one unit of `name`; 1 is no
    effect.
    """

    name: str
    odds: Figure
    z: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class Choices:
    effects: tuple[Effect, ...]
    n: int
    n_prompts: int = 0
    n_raters: int = 0
    note: str = ""


def choices(
    *,
    first_won: ArrayLike,
    features: Mapping[str, ArrayLike],
    prompts: ArrayLike,
    raters: ArrayLike,
) -> Choices:
    """Odds ratios of the choice, one entry per vote on a pair: 1 if the first-shown won, 0 if the
    second did, ½ for a tie. Ties are left out.

    Votes that lack a feature (NaN) are left out as well. `features` are differences, first-shown
    minus second: those of `differences`, a confidence score, a model's score.
    """
    won = np.asarray(first_won, dtype=float).reshape(-1)
    decided = (won == 0) | (won == 1)
    columns = {name: np.asarray(column, dtype=float)[decided] for name, column in features.items()}
    known = ~np.isnan(np.column_stack([np.zeros(int(decided.sum())), *columns.values()])).any(
        axis=1
    )
    columns = {name: column[known] for name, column in columns.items()}
    return _regressed(
        won[decided][known],
        columns,
        np.asarray(prompts)[decided][known],
        np.asarray(raters)[decided][known],
    )


def _regressed(
    won: Floats, columns: dict[str, Floats], prompts: np.ndarray, raters: np.ndarray
) -> Choices:
    n = len(won)
    if n < FEWEST_VOTES:
        return Choices(
            (),
            n,
            note=gettext_noop(
                "Fewer than 30 decided votes. That is too few to tell habits from chance."
            ),
        )
    if won.min() == won.max():
        return Choices(
            (),
            n,
            note=gettext_noop(
                "Every vote went to the same side, so nothing else can be estimated."
            ),
        )
    prompt, rater = codes(prompts)[0], codes(raters)[0]
    if int(prompt.max()) + 1 < FEWEST_PROMPTS:
        return Choices(
            (),
            n,
            note=gettext_noop("Fewer than 5 prompts. That is too few to tell habits from chance."),
        )
    refused, is_used = _without_odds(columns, won, prompt)
    usable = {name: column[is_used] for name, column in columns.items() if name not in refused}
    used, doubled = _usable(usable, int(is_used.sum()))
    refused |= doubled
    effects = effects_of(
        {name: usable[name] for name in used},
        won[is_used],
        prompt[is_used],
        rater[is_used],
        has_intercept=True,
    )
    effects += [Effect(name, absent(refused[name], n)) for name in columns if name in refused]
    return Choices(tuple(effects), n, int(prompt.max()) + 1, int(rater.max()) + 1)


def _without_odds(
    columns: Mapping[str, Floats], won: Floats, prompt: Ints
) -> tuple[dict[str, str], Truths]:
    """A sentence for each feature that the votes cannot estimate, and the votes used for the
    others.

    Votes that follow a feature without exception give no information about the others, as its odds
    grow without bound: they are left out while enough remain.
    """
    refused: dict[str, str] = {}
    is_used = np.ones(len(won), dtype=bool)
    while refusal := _first_without_odds(
        {name: column for name, column in columns.items() if name not in refused},
        won,
        prompt,
        is_used,
    ):
        name, refused[name] = refusal
        if refused[name] == WITHOUT_EXCEPTION:
            others = is_used & (columns[name] == 0)
            is_used = (
                others if int(others.sum()) >= FEWEST_VOTES and np.ptp(won[others]) else is_used
            )
    return refused, is_used


def _first_without_odds(
    columns: Mapping[str, Floats], won: Floats, prompt: Ints, is_used: Truths
) -> tuple[str, str] | None:
    """The first feature that the votes cannot estimate, and why."""
    for name, column in columns.items():
        if note := one_way(column[is_used], won[is_used], prompt[is_used]):
            return name, note
    return None


def one_way(column: Floats, won: Floats, prompt: Ints) -> str:
    """Why a feature has no odds of its own; empty if it may have some."""
    differs = column != 0
    n = int(differs.sum())
    if not np.ptp(column):
        return gettext_noop("The two responses never differ in this.")
    if n < FEWEST_DIFFERING:
        return gettext_noop(
            "Fewer than 10 decided votes are on responses that differ in this. That is too few."
        )
    n_followed = int(((column > 0) == (won == 1))[differs].sum())
    if n_followed in (0, n):
        return WITHOUT_EXCEPTION
    if np.count_nonzero(np.bincount(prompt[differs])) < FEWEST_PROMPTS:
        return FEW_DIFFERING
    return ""


def _usable(columns: dict[str, Floats], n: int) -> tuple[list[str], dict[str, str]]:
    """Features that add information of their own, and a sentence for each of the others."""
    design = np.column_stack([np.ones(n), *columns.values()])
    products = (
        design.T @ design
    )  # a few numbers in place of many votes; they still show which column doubles another
    size = np.sqrt(np.diag(products))
    products = products / np.outer(size, size)
    used, names = [0], list(columns)
    refused: dict[str, str] = {}
    for at, name in enumerate(columns, start=1):
        candidate = [*used, at]
        if np.linalg.eigvalsh(products[np.ix_(candidate, candidate)])[0] < _DOUBLED:
            refused[name] = gettext_noop("This duplicates the features above it.")
        else:
            used.append(at)
    return [names[at - 1] for at in used[1:]], refused


def effects_of(
    columns: Mapping[str, Floats], won: Floats, prompt: Ints, rater: Ints, *, has_intercept: bool
) -> list[Effect]:
    """One fit of all columns, each scaled by its spread so that all slopes have about the same
    size.
    """
    named = ({POSITION: np.ones(len(won))} if has_intercept else {}) | dict(columns)
    prompt, rater = codes(prompt)[0], codes(rater)[0]  # without gaps where votes were left out
    design = np.column_stack(list(named.values()))
    spread = np.sqrt((design**2).mean(axis=0))
    design = design / spread
    fit = _logistic(design, won)
    bread = _bread(design, fit)
    independent = np.sqrt(np.diag(bread))
    spreads = [
        clustered.at_least(alone**2)
        for clustered, alone in zip(
            _spreads(design, won, fit, prompt, rater), independent.tolist(), strict=True
        )
    ]
    n_prompts = [np.count_nonzero(np.bincount(prompt[column != 0])) for column in named.values()]
    return [
        effect_of(
            name,
            fit[at] / spread[at],
            math.sqrt(spreads[at].variance) / spread[at],
            independent[at] / spread[at],
            len(won),
            int(n_prompts[at]),
            df=min(spreads[at].df, int(n_prompts[at]) - 1),
            about=spreads[at].about,
        )
        for at, name in enumerate(named)
    ]


def effect_of(
    name: str,
    slope: float,
    clustered: float,
    independent: float,
    n: int,
    n_prompts: int,
    *,
    df: float | None = None,
    about: str = "",
) -> Effect:
    """From the clustered error and that of independent votes. The larger one counts: with few
    prompts, or if votes separate, the clustered one is much too small. `df` are the degrees of
    freedom of the clustered one, by default those of the spread between prompts.
    """
    df = n_prompts - 1 if df is None else df
    se = max(clustered, independent)
    if not math.isfinite(se + slope):
        return Effect(name, absent(_UNTOLD, n))
    log_odds = clustering.normal(slope, n, se**2, n_prompts=n_prompts, df=df, about=about)
    if log_odds.low is None or log_odds.high is None:
        return Effect(name, absent(FEW_DIFFERING, n))
    if max(abs(slope), log_odds.high - slope) > MOST_LOG_ODDS:
        return Effect(name, absent(_UNTOLD, n))
    low, high = math.exp(log_odds.low), math.exp(log_odds.high)
    odds = Figure(math.exp(slope), n, low, high, se, about=about)
    z = slope / se
    return Effect(name, odds, z, float(2 * stdtr(df, -abs(z))))


def _logistic(design: Floats, won: Floats) -> Floats:
    """Maximum likelihood by Newton's method with step halving; stops at a bound if votes follow a
    feature without exception.
    """
    fit = np.zeros(design.shape[1])
    ridge = 1e-9 * len(won) * np.eye(len(fit))

    def loss(at: Floats) -> float:
        score = design @ at
        return float((np.logaddexp(0, score) - won * score).sum())

    for _ in range(60):
        p = expit(design @ fit)
        step = np.linalg.solve((design.T * (p * (1 - p))) @ design + ridge, design.T @ (won - p))
        scale = 1.0
        # A full Newton step may overshoot where votes nearly separate.
        while scale > 1e-6 and loss(fit + scale * step) > loss(fit):
            scale /= 2
        fit = fit + scale * step
        if np.abs(scale * step).max() < 1e-10 or np.abs(fit).max() > 100:
            break
    return fit


def _spreads(
    design: Floats, won: Floats, fit: Floats, prompt: Ints, rater: Ints | None
) -> list[Spread]:
    """Of each slope, clustered by prompt, and with raters by both: what a vote moves it by is its
    score times the inverse information.
    """
    influence = design * (won - expit(design @ fit))[:, None] @ _bread(design, fit)
    return [clustering.spread(column, prompt, rater) for column in influence.T]


def _bread(design: Floats, fit: Floats) -> Floats:
    p = expit(design @ fit)
    return np.asarray(np.linalg.pinv((design.T * (p * (1 - p))) @ design), dtype=float)


@dataclass(frozen=True)
class LengthControlled:
    """Win rates in percent: as voted, and estimated for responses of equal length."""

    raw: Figure
    controlled: Figure
    slope: float | None = None
    """coefficient of tanh(Δ length / its spread): above 0, longer wins"""


def length_controlled(
    *,
    won: ArrayLike,
    n_chars: ArrayLike,
    n_chars_other: ArrayLike,
    prompts: ArrayLike,
    raters: ArrayLike | None = None,
) -> LengthControlled:
    """The two-term form of AlpacaEval's length control (Dubois 2024): logit P = θ + φ tanh(Δ / sd
    Δ), evaluated at Δ = 0.

    `won` has one entry per vote, seen from the model whose rate it is: 1, ½ for a tie, or 0.
    Clustered by prompt, and with `raters` by both.
    """
    win = np.asarray(won, dtype=float).reshape(-1)
    if not win.size:
        none = absent(gettext_noop("No votes yet."))
        return LengthControlled(none, none)
    prompt, prompt_names = codes(prompts)
    rater = None if raters is None else codes(raters)[0]
    apart = np.asarray(n_chars, dtype=float) - np.asarray(n_chars_other, dtype=float)
    raw = _percent(clustering.share(win, prompts=prompt, raters=rater))
    if win.min() == win.max():
        tied = gettext_noop("Every vote is a tie, so length can't be controlled for.")
        one_sided = gettext_noop("The same side won every vote, so length can't be controlled for.")
        return LengthControlled(raw, absent(tied if win[0] == 0.5 else one_sided, len(win)))
    spread = float(apart.std())
    if not spread:
        return LengthControlled(raw, raw, 0.0)
    design = np.column_stack([np.ones(len(win)), np.tanh(apart / spread)])
    fit = _logistic(design, win)
    if np.abs(fit).max() > _UNBOUNDED:
        return LengthControlled(
            raw, absent(gettext_noop("Every vote follows length, without exception."), len(win))
        )
    # At least the variance of independent votes, as everywhere.
    independent = float(_bread(design, fit)[0, 0])
    clustered = _spreads(design, win, fit, prompt, rater)[0].at_least(independent)
    odds = clustering.normal(
        float(fit[0]),
        len(win),
        clustered.variance,
        n_prompts=len(prompt_names),
        df=clustered.df,
        about=clustered.about,
    )
    return LengthControlled(raw, _as_percent(odds), float(fit[1]))


def _as_percent(log_odds: Figure) -> Figure:
    value, low, high = (
        None if at is None else float(100 * expit(at))
        for at in (log_odds.value, log_odds.low, log_odds.high)
    )
    return Figure(value, log_odds.n, low, high, note=log_odds.note, about=log_odds.about)


def _percent(share: Figure) -> Figure:
    value, low, high = (
        None if at is None else 100 * at for at in (share.value, share.low, share.high)
    )
    return Figure(value, share.n, low, high, note=share.note, about=share.about)
