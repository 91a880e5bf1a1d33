"""Pairs of raters whose rankings are equal more often than their own skill explains.

Two good raters agree often because both are right, and on easy items everybody agrees. So the
probability that two raters rank an item alike is modelled as

    chance + (the item's own share of equal rankings − chance) × skill of one × skill of the other,

where the skills, 1 for a typical rater, come from each one's equal rankings with everybody else:
the pair itself is left out. With two responses this is exact (Dawid and Skene's one-coin raters on
items of any difficulty); with more it is an approximation that the benchmark holds to account.
Raters are compared within their group of taste only.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix, triu

from arithmetic.bias.candidates import Candidate, chance_of_at_least, survivors
from arithmetic.bias.judgment_table import JudgmentTable
from arithmetic.bias.thresholds import Thresholds
from arithmetic.figures import Floats, Ints, codes

SURE = 1e-5
"""The p-value at which a copy is beyond doubt."""
_PRIOR_PAIRS = 10
"""An item starts with this many pairs of rankings at the pool's share of equal ones."""
_ROUNDS = 20
_SKILLS = (0.0, 3.0)


@dataclass(frozen=True)
class Copy:
    """A rater whose rankings equal another's; `is_later` if they mostly came second."""

    found: Candidate
    is_later: bool


@dataclass(frozen=True)
class SharedItems:
    """By pair of raters who share items: how many, how many rankings are equal, the number
    expected by chance, and what typical skill adds to it.
    """

    one: Ints
    other: Ints
    n: Floats
    same: Floats
    by_chance: Floats
    by_skill: Floats


class Copies(Protocol):
    """Finds raters whose answers equal another's."""

    def tested(self, group: Ints, habits: set[int]) -> list[Candidate]:
        """Each rater's most striking pair within their group (by rater); for `habits` see
        `tested`.
        """
        ...

    def of(self, surviving: list[Candidate]) -> list[Copy]:
        """One entry per rater: the other whom they resemble most."""
        ...


@dataclass(frozen=True)
class EqualRankings:
    table: JudgmentTable
    thresholds: Thresholds

    def tested(self, group: Ints, habits: set[int]) -> list[Candidate]:
        return tested(self.table, group, self.thresholds, habits)

    def of(self, surviving: list[Candidate]) -> list[Copy]:
        return most_alike([copy for test in surviving for copy in _copies(self.table, test)])


def most_alike(suspected: list[Copy]) -> list[Copy]:
    """One entry per rater: the other whom they resemble most."""
    best: dict[int, Copy] = {}
    for copy in sorted(suspected, key=lambda copy: copy.found.value - copy.found.usual):
        best[copy.found.rater] = copy
    return list(best.values())


def sure_copies(
    copies: Copies, n_raters: int, thresholds: Thresholds, habits: set[int]
) -> dict[int, int]:
    """By copy, whom they copy (by number): only those who leave no doubt, whatever their taste."""
    everybody = np.zeros(n_raters, dtype=np.int64)
    sure = [
        test
        for test in survivors(copies.tested(everybody, habits), thresholds, SURE)
        if test.value - test.usual >= thresholds.surely_copied * (1 - test.usual)
    ]
    return {
        copy.found.rater: copy.found.other
        for copy in copies.of(sure)
        if copy.found.other is not None
    }


def shared_items(table: JudgmentTable, group: Ints) -> SharedItems:
    """Sums over the shared items of every two raters of one group."""
    # An item is another one for each group: its raters are compared with their own group only.
    item = codes(table.item * (int(group.max(initial=0)) + 1) + group[table.rater])[0]
    chance = _chance_share(table)
    beyond = _same_share(table.order, item) - chance
    ones = np.ones(len(item))
    judged = _by_rater(table, item, ones)
    orders = _by_rater(table, codes(table.order)[0], ones)
    pairs = triu(judged @ judged.T, k=1).tocoo()
    first, second = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    if not len(first):
        none = np.zeros(0)
        return SharedItems(first, second, none, none, none, none)
    # Sparse products add up over shared items only.
    same, by_skill = (
        np.asarray((left @ right.T).tocsr()[first, second], dtype=float).reshape(-1)
        for left, right in ((orders, orders), (_by_rater(table, item, beyond[item]), judged))
    )
    n = pairs.data.astype(float)
    return SharedItems(first, second, n, same, chance * n, by_skill)


def expected_same(shared: SharedItems, n_raters: int) -> Floats:
    """By pair: the number of equal rankings that chance and both raters' skill give."""
    excess = shared.same - shared.by_chance
    skill = np.ones(n_raters)
    weight = 1 / np.maximum(shared.n, 1)
    for _ in range(_ROUNDS):
        top, below = _sums(shared, excess, weight, skill, n_raters)
        # Each rater starts as a typical one, with the evidence of one pair of raters in ten.
        # Half a step: full steps swing between scales whose product is right.
        skill = (skill + np.clip((top + 0.1) / (below + 0.1), *_SKILLS)) / 2
    return shared.by_chance + shared.by_skill * _without_pair(shared, excess, weight, skill)


def _sums(
    shared: SharedItems, excess: Floats, weight: Floats, skill: Floats, n_raters: int
) -> tuple[Floats, Floats]:
    """Least squares of a rater's equal rankings on what the other raters' skill lets expect."""
    top, below = np.zeros(n_raters), np.zeros(n_raters)
    for mine, theirs in ((shared.one, shared.other), (shared.other, shared.one)):
        slope = shared.by_skill * skill[theirs]
        top += np.bincount(mine, weights=weight * slope * excess, minlength=n_raters)
        below += np.bincount(mine, weights=weight * slope**2, minlength=n_raters)
    return top, below


def _without_pair(shared: SharedItems, excess: Floats, weight: Floats, skill: Floats) -> Floats:
    """By pair: the product of both skills, each estimated without this pair."""
    top, below = _sums(shared, excess, weight, skill, len(skill))
    product = np.ones(len(shared.n))
    for mine, theirs in ((shared.one, shared.other), (shared.other, shared.one)):
        slope = shared.by_skill * skill[theirs]
        product *= np.clip(
            (top[mine] - weight * slope * excess + 0.1)
            / np.maximum(below[mine] - weight * slope**2 + 0.1, 1e-9),
            *_SKILLS,
        )
    return product


def tested(
    table: JudgmentTable, group: Ints, thresholds: Thresholds, habits: set[int]
) -> list[Candidate]:
    """Every rater's most striking pair, with a p-value that counts how many others the rater was
    compared with (Šidák). `habits` are raters (by number) with a habit that makes them rank alike
    without any contact.
    """
    shared = shared_items(table, group)
    # Two who follow nobody may share a taste, and then they agree as typical raters do.
    expected = np.maximum(
        expected_same(shared, len(table.raters)), shared.by_chance + shared.by_skill
    )
    expected = np.clip(expected, shared.by_chance, shared.n)
    return most_striking(shared, expected, thresholds, habits)


def most_striking(
    shared: SharedItems, expected: Floats, thresholds: Thresholds, habits: set[int]
) -> list[Candidate]:
    """Every rater's most striking pair, by how many equal answers are `expected` of each pair."""
    has_habit = np.isin(np.arange(_n_raters(shared)), sorted(habits))
    counts = (shared.n >= thresholds.n_judgments) & ~(
        has_habit[shared.one] & has_habit[shared.other]
    )
    if not counts.any():
        return []
    # Equal rankings are at most as variable as a binomial count with the same mean.
    p = chance_of_at_least(shared.same, shared.n, expected / np.maximum(shared.n, 1))
    copied = (shared.same - expected) / np.maximum(shared.n - expected, 1e-9)
    at = np.flatnonzero(counts)
    mine, at = np.r_[shared.one[at], shared.other[at]], np.r_[at, at]
    order = np.lexsort((p[at], mine))
    raters, first, n_others = np.unique(mine[order], return_index=True, return_counts=True)
    best = at[order][first]
    by_luck = -np.expm1(n_others * np.log1p(-np.minimum(p[best], 1 - 1e-12)))
    return [
        Candidate(
            rater,
            float(shared.same[pair] / shared.n[pair]),
            float(expected[pair] / shared.n[pair]),
            int(shared.n[pair]),
            luck,
            bool(copied[pair] >= thresholds.copied),
            int(shared.other[pair] if shared.one[pair] == rater else shared.one[pair]),
        )
        for rater, pair, luck in zip(raters.tolist(), best.tolist(), by_luck.tolist(), strict=True)
    ]


def _n_raters(shared: SharedItems) -> int:
    return 1 + max(int(shared.one.max(initial=-1)), int(shared.other.max(initial=-1)))


def _by_rater(table: JudgmentTable, columns: Ints, values: Floats) -> csr_matrix:
    return csr_matrix(
        (values, (table.rater, columns)), shape=(len(table.raters), int(columns.max()) + 1)
    )


def _chance_share(table: JudgmentTable) -> float:
    """How often two rankings at random are equal: 1 in K! where both decide."""
    ranked = table.n_ranked[table.n_ranked > 1]
    k = int(np.median(ranked)) if len(ranked) else 2
    return float(table.decides.mean() ** 2 / np.prod(np.arange(1.0, k + 1)))


def _same_share(order: Ints, item: Ints) -> Floats:
    """By item, how often two of its rankings are equal, shrunk to the pool's share."""
    n_items = int(item.max()) + 1
    n_each = np.bincount(item, minlength=n_items).astype(float)
    keys = codes(order * n_items + item)[0]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    same = np.bincount(item[first], weights=counts * (counts - 1) / 2, minlength=n_items)
    pairs = n_each * (n_each - 1) / 2
    pooled = float(same.sum() / pairs.sum()) if pairs.sum() else 0.5
    return np.asarray((same + _PRIOR_PAIRS * pooled) / (pairs + _PRIOR_PAIRS), dtype=float)


_LATER = 0.8
"""From this share of equal rankings submitted second, a rater is taken to be the one who copies."""


def later_one(one: int, other: int, at_s: Floats, others_at_s: Floats) -> list[tuple[int, int]]:
    """[(who copied, whom)] by the times of their equal answers; empty if neither mostly came
    second, as where there are no times.
    """
    if float((at_s > others_at_s).mean()) >= _LATER:
        return [(one, other)]
    if float((at_s < others_at_s).mean()) >= _LATER:
        return [(other, one)]
    return []


def _copies(table: JudgmentTable, test: Candidate) -> list[Copy]:
    """One for the rater who came second; one for each if neither always did."""
    assert test.other is not None
    first, second = table.of_rater[test.rater], table.of_rater[test.other]
    _, mine, theirs = np.intersect1d(table.order[first], table.order[second], return_indices=True)
    same = {test.rater: first[mine], test.other: second[theirs]}
    flagged = later_one(test.rater, test.other, table.at_s[first[mine]], table.at_s[second[theirs]])
    return [
        Copy(replace(test, rater=who, other=whom, shown_by=same[who]), is_later=bool(flagged))
        for who, whom in flagged or [(test.rater, test.other), (test.other, test.rater)]
    ]
