"""How often something won among the votes in which it could: shares with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from arithmetic import clustering
from arithmetic.bias.habits import FEWEST_VOTES, Effect, effects_of, one_way
from arithmetic.figures import Figure, absent, codes, gettext_noop


def share(
    chosen: ArrayLike,
    *,
    prompts: ArrayLike,
    raters: ArrayLike | None = None,
    counts: ArrayLike | None = None,
) -> Figure:
    """The share of entries that are true (1, ½ or 0), clustered by prompt, or by prompt and rater.
    With `counts`, each element of `chosen` is a sum over that many entries.
    """
    if not np.size(chosen):
        return absent(gettext_noop("Nothing to count yet."))
    return clustering.share(chosen, prompts=prompts, raters=raters, counts=counts)


def gap(
    chosen: ArrayLike,
    *,
    among: ArrayLike,
    prompts: ArrayLike,
    raters: ArrayLike | None = None,
) -> Figure:
    """How much more often entries are true `among` some than among the others: the difference of
    two shares, clustered as in `share`.
    """
    scores, is_among = np.asarray(chosen, dtype=float), np.asarray(among, dtype=bool)
    n_among, n_others = int(is_among.sum()), int((~is_among).sum())
    if not n_among or not n_others:
        return absent(gettext_noop("Nothing to compare yet."), len(scores))
    mean, other_mean = float(scores[is_among].mean()), float(scores[~is_among].mean())
    # How much each entry moves the difference of the two means.
    influence = np.where(is_among, (scores - mean) / n_among, (other_mean - scores) / n_others)
    alone = mean * (1 - mean) / n_among + other_mean * (1 - other_mean) / n_others
    return clustering.coefficient(
        mean - other_mean, len(scores), influence, prompts=prompts, raters=raters, alone=alone
    )


LENGTH_MARGIN = 30


"""The minimum difference in characters for one response to count as longer (AlpacaFarm's rule)."""


@dataclass(frozen=True)
class Longer:
    share: Figure
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
    win, length, length_other = (
        np.asarray(column, dtype=float).reshape(-1) for column in (won, n_chars, n_chars_other)
    )
    prompt, rater = np.asarray(prompts), np.asarray(raters)
    counts = ((win == 0) | (win == 1)) & (np.abs(length - length_other) > LENGTH_MARGIN)
    win, length, length_other, prompt, rater = (
        column[counts] for column in (win, length, length_other, prompt, rater)
    )
    won_longer = share((win == 1) == (length > length_other), prompts=prompt, raters=rater)
    doublings = np.log2((1 + length) / (1 + length_other))
    # Which of the two is called "one" is arbitrary, so the regression has no intercept.
    if len(win) < FEWEST_VOTES or not np.ptp(doublings):
        return Longer(
            won_longer,
            Effect("length", absent(gettext_noop("Too few pairs differ in length."), len(win))),
        )
    if note := one_way(doublings, win, codes(prompt)[0]):
        return Longer(won_longer, Effect("length", absent(note, len(win))))
    return Longer(
        won_longer, effects_of({"length": doublings}, win, prompt, rater, has_intercept=False)[0]
    )


@dataclass(frozen=True)
class Swaps:
    """Repeats with swapped sides: how often the same response or the same position won again."""

    consistent: Figure
    first_twice: Figure
    second_twice: Figure


def swaps(*, before: ArrayLike, after: ArrayLike, prompts: ArrayLike) -> Swaps:
    """Takes choices by position, −1 the first, 0 a tie, +1 the second; `after` is the same pair
    with swapped sides.
    """
    first, second = np.asarray(before), np.asarray(after)
    if not first.size:
        none = absent(gettext_noop("No pair has been shown again with its sides swapped yet."))
        return Swaps(none, none, none)
    return Swaps(
        *(
            share(is_swapped, prompts=prompts)
            for is_swapped in (
                first == -second,
                (first == -1) & (second == -1),
                (first == 1) & (second == 1),
            )
        )
    )
