"""Pairs of raters whose ratings are equal more often than agreement and their use of the scale
explain, question by question: a column may be copied while the others are not.

Two raters who both rate nearly everything 4 are often equal by chance, so chance is counted from
the ratings that these two give. Beyond it, the probability that two raters rate an item alike is
modelled as for rankings (arithmetic.bias.copying): a typical pair's share × skill of one × skill of
the other, each skill from the rater's equal ratings with everybody but the other one.

Where too few others rated the same, skill is unknown: then the two are compared with the most that
two honest raters of a scale are alike.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, triu

from arithmetic.bias.candidates import Candidate
from arithmetic.bias.copying import (
    Copy,
    SharedItems,
    expected_same,
    later_one,
    most_alike,
    most_striking,
)
from arithmetic.bias.thresholds import Thresholds
from arithmetic.figures import Floats, Ints, codes
from arithmetic.ratings.answers import Answers, RatingTable

MOST_ALIKE = 0.9
"""Beyond chance, no two people rate more on a scale alike: it is more than test and retest of one
person give.
"""
FEWEST_VALUES = 2.5
"""A question needs as many values in use for that, as if all were equally frequent: whether
something is spam can be plain to everybody.
"""
PAIR_DIFFERS = 0.1
"""How much more alike two honest raters may be than their skills say, beyond chance."""


@dataclass(frozen=True)
class EqualRatings:
    """Judgments are equal where they give all responses of an item the same ratings."""

    table: RatingTable
    thresholds: Thresholds

    def tested(self, group: Ints, habits: set[int]) -> list[Candidate]:
        every = [
            replace(test, details={"question": float(answers.place)})
            for answers in self.table.questions
            for test in self._tested(answers, group, habits)
        ]
        best: dict[int, Candidate] = {}
        for test in sorted(every, key=lambda test: -test.p):
            best[test.rater] = test
        n_tests = {rater: sum(test.rater == rater for test in every) for rater in best}
        return [
            replace(test, p=float(-np.expm1(n_tests[rater] * np.log1p(-min(test.p, 1 - 1e-12)))))
            for rater, test in best.items()
        ]

    def of(self, surviving: list[Candidate]) -> list[Copy]:
        return most_alike([copy for test in surviving for copy in self._copies(test)])

    def _tested(self, answers: Answers, group: Ints, habits: set[int]) -> list[Candidate]:
        if not len(answers.unit):
            return []
        key, judgment = self._keys(answers)
        rater, item = self.table.judgments.rater[judgment], self.table.item[judgment]
        shared = _shared(rater, item, key, group)
        if not len(shared.n):
            return []
        expected = shared.by_chance + (shared.n - shared.by_chance) * self._alike(shared, answers)
        return most_striking(shared, expected, self.thresholds, habits)

    def _alike(self, shared: SharedItems, answers: Answers) -> Floats:
        """By pair, the share of ratings beyond chance that two honest raters have in common."""
        usual = _usual(shared)
        typical = replace(shared, by_skill=usual * (shared.n - shared.by_chance))
        expected = expected_same(typical, len(self.table.judgments.raters))
        by_skill = (expected - shared.by_chance) / np.maximum(shared.n - shared.by_chance, 1e-9)
        share = np.unique(answers.score, return_counts=True)[1] / len(answers.score)
        is_scale = answers.is_ordered and 1 / float((share**2).sum()) >= FEWEST_VALUES
        most = max(MOST_ALIKE, min(usual + PAIR_DIFFERS, 1.0)) if is_scale else 1.0
        known = np.minimum(np.maximum(by_skill, usual) + PAIR_DIFFERS, most)
        return np.where(_has_others(shared, self.thresholds.n_judgments), known, most)

    def _keys(self, answers: Answers) -> tuple[Ints, Ints]:
        """A number for all ratings that a judgment gives, equal for equal ones, and the judgment's
        own number.
        """
        order = np.lexsort((answers.unit, answers.judgment))
        judgment, names = codes(answers.judgment[order])
        score = codes(answers.score[order])[0]
        # A random weight by place in the item and by score: equal sums are equal ratings. The seed
        # only keeps runs repeatable.
        place = np.arange(len(order)) - np.searchsorted(judgment, judgment)
        weight = np.random.default_rng(7).standard_normal((int(place.max()) + 1, score.max() + 1))
        key = np.bincount(judgment, weights=weight[place, score])
        return codes(np.round(key, 9))[0], names.astype(np.int64)

    def _copies(self, test: Candidate) -> list[Copy]:
        assert test.other is not None
        answers = self.table.questions[int(test.details["question"])]
        key, judgment = self._keys(answers)
        rater, item = self.table.judgments.rater[judgment], self.table.item[judgment]
        own, theirs = np.flatnonzero(rater == test.rater), np.flatnonzero(rater == test.other)
        _items, at, to = np.intersect1d(item[own], item[theirs], return_indices=True)
        same = key[own[at]] == key[theirs[to]]
        shown_by = {
            test.rater: judgment[own[at][same]],
            test.other: judgment[theirs[to][same]],
        }
        at_s = self.table.judgments.at_s
        later = later_one(
            test.rater, test.other, at_s[shown_by[test.rater]], at_s[shown_by[test.other]]
        )
        return [
            Copy(replace(test, rater=who, other=whom, shown_by=shown_by[who]), is_later=bool(later))
            for who, whom in later or [(test.rater, test.other), (test.other, test.rater)]
        ]


def _shared(rater: Ints, item: Ints, key: Ints, group: Ints) -> SharedItems:
    """One entry per judgment. `by_chance` is how often two ratings of these two raters, of any
    items, are equal.
    """
    n_raters = len(group)
    ones = np.ones(len(rater))

    def by_rater(columns: Ints) -> csr_matrix:
        return csr_matrix((ones, (rater, columns)), shape=(n_raters, int(columns.max()) + 1))

    rated, used = by_rater(item), by_rater(key)
    equal = by_rater(codes(item * (int(key.max()) + 1) + key)[0])
    pairs = triu(rated @ rated.T, k=1).tocoo()
    one, other = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    of_group = group[one] == group[other]
    one, other, n = one[of_group], other[of_group], pairs.data[of_group].astype(float)
    if not len(one):
        none = np.zeros(0)
        return SharedItems(one, other, none, none, none, none)
    share = csr_matrix(used.multiply(1 / np.maximum(used.sum(axis=1), 1)))
    same, chance = (
        np.asarray((left @ left.T).tocsr()[one, other], dtype=float).reshape(-1)
        for left in (equal, share)
    )
    return SharedItems(one, other, n, same, chance * n, np.zeros(len(n)))


def _usual(shared: SharedItems) -> float:
    """What a typical pair has in common beyond chance: the median, weighted by items shared."""
    beyond = (shared.same - shared.by_chance) / np.maximum(shared.n - shared.by_chance, 1e-9)
    order = np.argsort(beyond)
    reached = np.cumsum(shared.n[order])
    middle = np.searchsorted(reached, reached[-1] / 2)
    return float(np.clip(beyond[order][middle], 0.0, 1.0))


def _has_others(shared: SharedItems, fewest: int) -> Floats:
    """By pair: whether each of the two shares enough items with at least two others."""
    n_raters = 1 + int(max(shared.one.max(), shared.other.max()))
    n_items, n_others = np.zeros(n_raters), np.zeros(n_raters)
    for mine in (shared.one, shared.other):
        n_items += np.bincount(mine, weights=shared.n, minlength=n_raters)
        n_others += np.bincount(mine, minlength=n_raters)
    is_known = np.ones(len(shared.n), dtype=bool)
    for mine in (shared.one, shared.other):
        is_known &= (n_items[mine] - shared.n >= fewest) & (n_others[mine] - 1 >= 2)
    return is_known
