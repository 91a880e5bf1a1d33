"""What the judgments of an item say collectively: by majority, and weighted by each rater's
reliability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.consensus import certainty, ratings
from arithmetic.figures import codes
from labeling.guidelines.rating_form import Question, Scale
from labeling.votes.arrays import Record, Votes

LEFT, TIE, RIGHT = -1, 0, 1
_ALIKE = 1e-9
"""Probabilities closer than this are equal up to rounding."""


@dataclass(frozen=True)
class PairConsensus:
    """Two responses of one item; `left` has the smaller id. A label is LEFT, TIE or RIGHT, and None
    if two share the lead.
    """

    item: int
    left: int
    right: int
    n_left: int
    n_tie: int
    n_right: int
    """votes for each label"""
    majority: int | None
    weighted: int | None
    """the likeliest label, with each vote weighted by its rater's reliability"""
    p_left: float
    p_tie: float
    p_right: float

    @property
    def n_votes(self) -> int:
        return self.n_left + self.n_tie + self.n_right

    @property
    def p(self) -> float:
        """How likely the likeliest label is."""
        return max(self.p_left, self.p_tie, self.p_right)

    @property
    def is_overruled(self) -> bool:
        """Weighing changes what the votes say."""
        return self.majority != self.weighted


@dataclass(frozen=True)
class Place:
    """Where one response of an item comes out, 1 the best; equal numbers share a place."""

    response: int
    by_majority: int
    weighted: int
    certainty: float
    """mean over its pairs of how likely the likeliest label is"""


def consensus_by_pair(
    votes: agreement_pairs.PairVotes, accuracy: Mapping[int, float]
) -> list[PairConsensus]:
    """Every pair with a vote, in the order of `votes.unit`; for `accuracy` by rater see
    arithmetic.consensus.certainty.likely.
    """
    if not votes.unit.size:
        return []
    n_units = int(votes.unit.max()) + 1
    counts = np.bincount(votes.unit * 3 + votes.label + 1, minlength=n_units * 3).reshape(
        n_units, 3
    )
    likely = certainty.likely(
        units=votes.unit, raters=votes.rater, labels=votes.label, accuracy=accuracy
    )
    first = np.unique(votes.unit, return_index=True)[1]
    pairs = []
    for at, row in enumerate(first.tolist()):
        n_left, n_tie, n_right = counts[at].tolist()
        p_left, p_tie, p_right = likely[at].tolist()
        pairs.append(
            PairConsensus(
                item=int(votes.item[row]),
                left=int(votes.left[row]),
                right=int(votes.right[row]),
                n_left=n_left,
                n_tie=n_tie,
                n_right=n_right,
                majority=_leader((n_left, n_tie, n_right)),
                weighted=_leader((p_left, p_tie, p_right)),
                p_left=p_left,
                p_tie=p_tie,
                p_right=p_right,
            )
        )
    return pairs


def places(pairs: Sequence[PairConsensus]) -> list[Place]:
    """The responses of one item, best first: by the share of the others that each beats, even pairs
    as half.
    """
    responses = sorted({response for pair in pairs for response in (pair.left, pair.right)})
    by_majority = _beaten(responses, [(pair, pair.majority) for pair in pairs])
    weighted = _beaten(responses, [(pair, pair.weighted) for pair in pairs])
    ranked = []
    for response in responses:
        certainties = [pair.p for pair in pairs if response in (pair.left, pair.right)]
        place = _place(response, by_majority), _place(response, weighted)
        ranked.append(Place(response, *place, certainty=sum(certainties) / len(certainties)))
    return sorted(ranked, key=lambda place: (place.weighted, place.by_majority, place.response))


def _leader(scores: Sequence[float]) -> int | None:
    best = max(scores)
    leaders = [
        label
        for label, score in zip((LEFT, TIE, RIGHT), scores, strict=True)
        if best - score < _ALIKE
    ]
    return leaders[0] if len(leaders) == 1 else None


def _beaten(
    responses: Sequence[int], labels: Sequence[tuple[PairConsensus, int | None]]
) -> dict[int, float]:
    """For each response, the share of the others it was compared with that it beats."""
    score, n = dict.fromkeys(responses, 0.0), dict.fromkeys(responses, 0)
    for pair, label in labels:
        right = {LEFT: 0.0, RIGHT: 1.0}.get(label, 0.5) if label is not None else 0.5
        score[pair.left] += 1 - right
        score[pair.right] += right
        n[pair.left] += 1
        n[pair.right] += 1
    return {response: score[response] / n[response] for response in responses}


def _place(response: int, score: Mapping[int, float]) -> int:
    return 1 + sum(other > score[response] + _ALIKE for other in score.values())


def noise_by_rater(votes: Votes, questions: Sequence[Question]) -> dict[int, Record]:
    """By rater and question, how far their answers are from the others': it weights the answers of
    a consensus. Repeats are left out.
    """
    once, noise_of = votes.once, dict[int, Record]()
    unit = codes(once.item * (int(once.response.max(initial=0)) + 1) + once.response)[0]
    for question in questions:
        scores = once.answers.get(question.name)
        if scores is None:
            continue
        known = ~np.isnan(scores)
        columns = {"units": unit[known], "raters": once.rater[known]}
        noise = (
            ratings.noise(**columns, scores=scores[known])
            if is_ordered(question)
            else ratings.unlikeness(**columns, answers=scores[known])
        )
        for rater, estimate in noise.items():
            noise_of.setdefault(rater, {})[question.name] = {
                "value": estimate.variance,
                "n": estimate.n,
            }
    return noise_of


def is_ordered(question: Question) -> bool:
    """Whether its answers have a mean: numbers, yes and no, and words in an order."""
    return not isinstance(question, Scale) or question.is_ordered
