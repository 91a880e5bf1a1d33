"""How often something won among the votes in which it could: shares with intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from labeling.statistics.bias.habits import FEWEST_VOTES, Effect, effects_of, meat, one_way
from labeling.statistics.figures import (
    Figure,
    Floats,
    absent,
    codes,
    gettext_noop,
    quantile,
    with_error,
)


@dataclass(frozen=True)
class Share:
    """How often something was chosen, the even share, and the distance from it (z, clustered)."""

    figure: Figure
    even: float
    z: float | None = None
    p: float | None = None


def share(
    chosen: ArrayLike,
    *,
    even: float = 0.5,
    groups: Sequence[ArrayLike] = (),
    counts: ArrayLike | None = None,
) -> Share:
    """The share of entries that are true (1, ½ or 0). `groups` are the one or two clusterings, such
    as prompts and raters.

    Without groups, entries are independent: Wilson's interval, and z under the even share. With
    `counts`, each element of `chosen` is a sum over that many entries, all in one group.
    """
    given = np.asarray(chosen, dtype=float).reshape(-1)
    each = np.ones(len(given)) if counts is None else np.asarray(counts, dtype=float)
    n = int(each.sum())
    if not n:
        return Share(absent(gettext_noop("Nothing to count yet.")), even)
    total = float(given.sum())
    value = total / n
    alone = math.sqrt(even * (1 - even) / n)
    if not groups:
        # Wilson's interval, for entries that may be ½.
        centre = total + quantile() ** 2 / 2
        reach = quantile() * math.sqrt(total * (n - total) / n + quantile() ** 2 / 4)
        bottom = n + quantile() ** 2
        return _tested(
            Figure(
                value,
                n,
                max(0.0, (centre - reach) / bottom),
                min(1.0, (centre + reach) / bottom),
                alone,
            ),
            even,
        )
    se = _grouped_error((given - value * each) / n, groups, alone)
    reach = quantile() * se
    return _tested(Figure(value, n, max(0.0, value - reach), min(1.0, value + reach), se), even)


def gap(chosen: ArrayLike, *, among: ArrayLike, groups: Sequence[ArrayLike]) -> Figure:
    """How much more often entries are true `among` some than among the others: the difference of
    two shares, clustered as in `share`.
    """
    given, is_among = np.asarray(chosen, dtype=float), np.asarray(among, dtype=bool)
    n_among, n_others = int(is_among.sum()), int((~is_among).sum())
    if not n_among or not n_others:
        return absent(gettext_noop("Nothing to compare yet."), len(given))
    mean, other_mean = float(given[is_among].mean()), float(given[~is_among].mean())
    # How much each entry moves the difference of the two means.
    influence = np.where(is_among, (given - mean) / n_among, (other_mean - given) / n_others)
    alone = math.sqrt(0.25 / n_among + 0.25 / n_others)
    return with_error(mean - other_mean, _grouped_error(influence, groups, alone), len(given))


def _grouped_error(influence: Floats, groups: Sequence[ArrayLike], alone: float) -> float:
    """The standard error of a sum of influences, clustered by the first and the last of `groups`;
    `alone` if all are alike.
    """
    one, other = codes(groups[0])[0], codes(groups[-1])[0]
    both = codes(one * (int(other.max()) + 1) + other)[0]
    first, second, joint = (
        float(meat(influence[:, None], group)[0, 0]) for group in (one, other, both)
    )
    larger = max(first, second)  # as in the regression
    variance = first + second - joint
    se = math.sqrt(variance if variance > 1e-6 * larger else larger)
    return se if se > 1e-6 * alone else alone  # all alike: use the error of an even share


def _tested(figure: Figure, even: float) -> Share:
    assert figure.value is not None
    z = (figure.value - even) / figure.se if figure.se else None
    return Share(figure, even, z, None if z is None else float(2 * norm.sf(abs(z))))


LENGTH_MARGIN = 30


"""The minimum difference in characters for one response to count as longer (AlpacaFarm's rule)."""


@dataclass(frozen=True)
class Longer:
    share: Share
    """how often the longer response won"""
    per_doubling: Effect
    """the odds of being chosen when twice as long"""


def longer(
    *,
    won: ArrayLike,
    n_chars: ArrayLike,
    n_chars_other: ArrayLike,
    prompts: ArrayLike,
    raters: ArrayLike,
) -> Longer:
    """Whether the longer response wins. `won` is 1 or 0 from the side of `n_chars`; ties and pairs
    of about equal length are left out.
    """
    win, one, other = (
        np.asarray(column, dtype=float).reshape(-1) for column in (won, n_chars, n_chars_other)
    )
    prompt, rater = np.asarray(prompts), np.asarray(raters)
    counts = ((win == 0) | (win == 1)) & (np.abs(one - other) > LENGTH_MARGIN)
    win, one, other, prompt, rater = (column[counts] for column in (win, one, other, prompt, rater))
    found = share((win == 1) == (one > other), groups=(prompt, rater))
    doublings = np.log2((1 + one) / (1 + other))
    # Which of the two is called "one" is arbitrary, so the regression has no intercept.
    if len(win) < FEWEST_VOTES or not np.ptp(doublings):
        return Longer(
            found,
            Effect("length", absent(gettext_noop("Too few pairs differ in length."), len(win))),
        )
    if note := one_way(doublings, win, codes(prompt)[0]):
        return Longer(found, Effect("length", absent(note, len(win))))
    return Longer(
        found, effects_of({"length": doublings}, win, prompt, rater, has_intercept=False)[0]
    )


@dataclass(frozen=True)
class Swaps:
    """Repeats with swapped sides: how often the same response or the same position won again."""

    consistent: Figure
    first_twice: Figure
    second_twice: Figure


def swaps(*, before: ArrayLike, after: ArrayLike) -> Swaps:
    """Takes choices by position, −1 the first, 0 a tie, +1 the second; `after` is the same pair
    with swapped sides.
    """
    one, other = np.asarray(before), np.asarray(after)
    if not one.size:
        none = absent(gettext_noop("No pair has been shown again with its sides swapped yet."))
        return Swaps(none, none, none)
    return Swaps(
        *(
            share(found).figure
            for found in (one == -other, (one == -1) & (other == -1), (one == 1) & (other == 1))
        )
    )
