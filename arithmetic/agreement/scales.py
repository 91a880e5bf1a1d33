"""Agreement on orders and on scales, where each unit was judged by some raters, not by all:
Kendall's tau-b and W, and intraclass correlations.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from arithmetic import clustering
from arithmetic.agreement.pairs import PairVotes
from arithmetic.figures import (
    Figure,
    Floats,
    Ints,
    absent,
    answered,
    codes,
    first_of,
    gettext_noop,
)


def icc_of_some(
    *,
    units: ArrayLike,
    scores: ArrayLike,
    prompts: ArrayLike,
    is_of_mean: bool = False,
) -> Figure:
    """ICC(1,1) where units have different raters and different numbers of them; on a complete table
    it is McGraw and Wong's ICC(1,1).

    One-way analysis of variance with unequal groups (Searle 1971; Donner 1986). Units with one
    score are left out. `n` counts the units. `is_of_mean`: for the mean of as many scores as a unit
    has on average. Interval over prompts, which have one entry per score.
    """
    prompt, _ = answered(prompts, np.asarray(scores, dtype=float))
    unit, score = answered(units, np.asarray(scores, dtype=float))
    unit, _ = codes(unit)
    n_each = np.bincount(unit) if unit.size else np.zeros(0)
    is_shared = n_each[unit] >= 2
    unit, score, prompt = codes(unit[is_shared])[0], score[is_shared], prompt[is_shared]
    if not unit.size or unit.max() < 1:
        return absent(
            gettext_noop("Needs at least two responses that two raters each have scored.")
        )
    n, total, squares = (
        np.bincount(unit),
        np.bincount(unit, weights=score),
        np.bincount(unit, weights=score**2),
    )
    rows = np.column_stack([np.ones(len(n)), n, total, squares, total**2 / n, n**2]).astype(float)
    if np.ptp(score) == 0:
        return absent(gettext_noop("All scores are the same."), len(n))
    value = float(_one_way(rows.sum(axis=0, keepdims=True), is_of_mean=is_of_mean)[0])
    if not math.isfinite(value):
        return absent(
            gettext_noop("Scores differ too little between responses for this measure."), len(n)
        )
    influence = rows @ _gradient(rows.sum(axis=0), is_of_mean=is_of_mean)
    return clustering.coefficient(
        value,
        len(n),
        influence,
        prompts=first_of(unit, prompt),
        alone=float(influence.var() * len(n)),
    )


def _gradient(sums: Floats, *, is_of_mean: bool) -> Floats:
    """How the ICC moves with each of the sums, by differences too small to matter."""
    steps = np.diag(1e-6 * np.maximum(np.abs(sums), 1.0))
    up, down = (_one_way(sums + way * steps, is_of_mean=is_of_mean) for way in (1, -1))
    return np.asarray((up - down) / (2 * np.diag(steps)), dtype=float)


def _one_way(sums: Floats, *, is_of_mean: bool) -> Floats:
    """The ICC from the sums over units of 1, n, Σx, Σx², (Σx)²/n and n², one row per resample; NaN
    where it is undefined.
    """
    n_units, n, total, squares, of_means, n_squares = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (of_means - total**2 / n) / (n_units - 1)
        within = (squares - of_means) / (n - n_units)
        size = (n - n_squares / n) / (n_units - 1)
        below = between if is_of_mean else between + (size - 1) * within
        return np.asarray(np.where(below > 1e-12, (between - within) / below, np.nan), dtype=float)


def mean_tau(pairs: PairVotes, *, prompts: ArrayLike) -> Figure:
    """Kendall's tau-b of every two raters of an item over the responses that both ranked, averaged
    over all these comparisons.

    `n` counts the comparisons. If one of the two ties all the responses, there is no comparison.
    Interval over prompts, which have one entry per vote.
    """
    order = np.lexsort((pairs.rater, pairs.unit))
    unit, rater, label, item = (
        column[order] for column in (pairs.unit, pairs.rater, pairs.label, codes(pairs.item)[0])
    )
    prompt_of_item = first_of(item, np.asarray(prompts)[order])
    rater, names = codes(rater)
    keys: list[Ints] = []
    sums: list[Floats] = []
    # Votes on a unit lie together: compare each with the one `step` places later, for every step.
    for step in range(1, int(np.bincount(unit).max()) if unit.size else 0):
        same = np.flatnonzero(unit[step:] == unit[:-step])
        first_label, second_label = label[same], label[same + step]
        keys.append((item[same] * len(names) + rater[same]) * len(names) + rater[same + step])
        sums.append(
            np.column_stack(
                [first_label * second_label, first_label != 0, second_label != 0]
            ).astype(float)
        )
    if not sum(map(len, keys)):
        return absent(gettext_noop("No two raters have ranked the same responses yet."))
    both, kinds = codes(np.concatenate(keys))
    together, mine, theirs = (
        np.bincount(both, weights=column) for column in np.concatenate(sums).T
    )
    is_defined = (mine > 0) & (theirs > 0)
    if not is_defined.any():
        return absent(
            gettext_noop("Every ranking ties everything, so there is no order to compare."),
            len(is_defined),
        )
    tau = together[is_defined] / np.sqrt(mine[is_defined] * theirs[is_defined])
    its_item = kinds.astype(np.int64)[is_defined] // len(names) ** 2
    return _mean(tau, prompts=prompt_of_item[its_item])


def mean_w(
    *,
    items: ArrayLike,
    raters: ArrayLike,
    responses: ArrayLike,
    ranks: ArrayLike,
    prompts: ArrayLike,
) -> Figure:
    """Kendall's W, ties corrected, of each item by the raters who ranked all of its responses,
    averaged over items.

    `n` counts the items. One row per ranked response; NaN is unranked. Interval over prompts, which
    have one entry per row.
    """
    rank = np.asarray(ranks, dtype=float)
    ranked = ~np.isnan(rank)
    item, names = codes(np.asarray(items)[ranked])
    if not item.size:
        return absent(gettext_noop("No two raters have ranked the same responses yet."))
    rater = codes(np.asarray(raters)[ranked])[0]
    ranking = codes(item * (int(rater.max()) + 1) + rater)[0]
    thing = codes(np.asarray(responses)[ranked])[0]
    cell = codes(item * (int(thing.max()) + 1) + thing)[0]
    n_things = np.bincount(_group_of(item, cell), minlength=len(names))
    # Only rankings that include every response of their item.
    whole = (np.bincount(ranking) == n_things[_group_of(item, ranking)])[ranking]
    return _w_of_rankings(
        item[whole],
        ranking[whole],
        cell[whole],
        rank[ranked][whole],
        n_things,
        first_of(item, np.asarray(prompts)[ranked]),
    )


def _w_of_rankings(
    item: Ints, ranking: Ints, cell: Ints, rank: Floats, n_things: Ints, prompt: np.ndarray
) -> Figure:
    """W over complete rankings, one row per response: `given` numbers the rankings, `cell` an
    item's responses. `prompt` is by item.
    """
    of_ranking = codes(ranking)[0]
    place, ties = _mid_ranks(of_ranking, rank)
    its_item = _group_of(item, of_ranking)
    size = len(n_things)
    m = np.bincount(its_item, minlength=size)
    sums = np.bincount(cell, weights=place)
    item_of_cell = _group_of(item, cell, n=len(sums))
    n = n_things.astype(float)
    spread = np.bincount(
        item_of_cell,
        weights=(sums - (m * (n + 1) / 2)[item_of_cell]) ** 2 * (m[item_of_cell] > 0),
        minlength=size,
    )
    # The largest possible spread of rank sums, less the correction for ties.
    most = m**2 * (n**3 - n) - m * np.bincount(its_item, weights=ties, minlength=size)
    is_defined = (m >= 2) & (n_things >= 2) & (most > 0)
    if not is_defined.any():
        return absent(
            gettext_noop("No two raters have ranked the same responses without tying all of them.")
        )
    return _mean(12 * spread[is_defined] / most[is_defined], prompts=prompt[is_defined])


def _group_of(group: Ints, number: Ints, n: int | None = None) -> Ints:
    """The group of each numbered thing."""
    groups = np.zeros(n if n is not None else int(number.max(initial=-1)) + 1, dtype=np.int64)
    groups[number] = group
    return groups


def _mid_ranks(ranking: Ints, rank: Floats) -> tuple[Floats, Floats]:
    """Each response's place in its ranking, where ties share their mean place; and Σ t³ − t over a
    ranking's ties.
    """
    order = np.lexsort((rank, ranking))
    own_ranking, its_rank = ranking[order], rank[order]
    is_new = (
        np.r_[True, (own_ranking[1:] != own_ranking[:-1]) | (its_rank[1:] != its_rank[:-1])]
        if own_ranking.size
        else np.zeros(0, dtype=bool)
    )
    tier = np.cumsum(is_new) - 1
    size = np.bincount(tier)
    starts = (
        np.flatnonzero(np.r_[True, own_ranking[1:] != own_ranking[:-1]])
        if own_ranking.size
        else np.zeros(0, dtype=np.int64)
    )
    within = np.arange(len(own_ranking)) - np.repeat(
        starts, np.diff(np.r_[starts, len(own_ranking)])
    )
    mean_place = np.bincount(tier, weights=within + 1) / size
    place = np.empty(len(own_ranking))
    place[order] = mean_place[tier]
    excess = (size**3 - size).astype(float)
    ties = np.bincount(
        _group_of(own_ranking, tier), weights=excess, minlength=int(ranking.max(initial=-1)) + 1
    ).astype(float)
    return place, ties


def _mean(values: Floats, *, prompts: np.ndarray) -> Figure:
    """The mean of all values, and its interval over prompts."""
    n = len(values)
    mean = float(values.mean())
    return clustering.coefficient(
        mean, n, (values - mean) / n, prompts=prompts, alone=float(values.var()) / n
    )
