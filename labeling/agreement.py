"""How far raters agree, from plain numbers: pure formulas, no Django, no database."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True)
class RankVote:
    """One rater's rank for one response of one item; `rank` 1 is best, equal ranks tie, None was left unranked."""

    item: int
    rater: int
    response: int
    rank: int | None


@dataclass(frozen=True)
class Agreement:
    """`score` of `n` compared pairs were the same; a tie against a decision counts as half."""

    score: float
    n: int

    @property
    def share(self) -> float:
        return self.score / self.n


def agreement_by_rater(votes: Iterable[RankVote]) -> dict[int, Agreement]:
    """Raw agreement of each rater with everybody else on the same items, one unit per (colleague, pair of responses).

    Both decide alike, or both tie: 1. One ties and the other decides: ½. They decide opposite ways: 0
    (Bai 2022 counts neutral against non-neutral as 50 %). Pairs with an unranked response are left out, and so is a
    rater with nothing to compare.
    """
    items: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for vote in votes:
        if vote.rank is not None:
            items[vote.item][vote.rater][vote.response] = vote.rank
    scores: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    for by_rater in items.values():
        for one, other in combinations(sorted(by_rater), 2):
            score, n = _compare(by_rater[one], by_rater[other])
            for rater in (one, other):
                scores[rater] += score
                counts[rater] += n
    return {rater: Agreement(score=scores[rater], n=n) for rater, n in counts.items() if n}


def _compare(one: dict[int, int], other: dict[int, int]) -> tuple[float, int]:
    shared = sorted(one.keys() & other.keys())
    score, n = 0.0, 0
    for left, right in combinations(shared, 2):
        first, second = _sign(one[right] - one[left]), _sign(other[right] - other[left])
        score += 1 - abs(first - second) / 2
        n += 1
    return score, n


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)
