"""How far raters agree with who is not of their pool: golds, another pool, an order that a reviewer
decided, a reward model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from labeling import agreement, response_orders
from labeling.figures import (
    RESAMPLES,
    Figure,
    Floats,
    Ints,
    absent,
    bootstrap,
    codes,
    gettext_noop,
    percentiles,
)
from labeling.measures.votes import Record, Truths, Votes, as_record


@dataclass(frozen=True)
class OtherVotes:
    """Rankings that other pools gave of the same responses, one row a ranked response."""

    pool: Ints
    item: Ints
    rater: Ints
    response: Ints
    rank: Floats
    position: Ints
    """where it was shown, from 0"""

    def where(self, kept: Truths) -> "OtherVotes":
        return OtherVotes(**{one.name: getattr(self, one.name)[kept] for one in fields(self)})


def with_order(votes: Votes, order: Floats) -> Figure:
    """Votes on pairs that somebody else puts one way round: `order` is that other rank of each row,
    NaN for none.

    A rater's tie is half right. Ties of the other order ask nothing. Interval over items.
    """
    once = votes.once
    order = order[~votes.is_repeat] if once is not votes else order
    pairs = once.pairs
    right = np.sign(order[pairs.row] - order[pairs.other_row])
    asked = np.abs(right) == 1  # NaN and ties are not
    if not asked.any():
        return absent(gettext_noop("None of the pairs that raters compared has such an order yet."))
    score = 1 - np.abs(pairs.label[asked] - right[asked]) / 2
    item, _ = codes(pairs.item[asked])
    return _share(
        np.column_stack([np.bincount(item, weights=score), np.bincount(item)]).astype(float)
    )


def with_golds(agreed: Floats, n: Floats) -> Figure:
    """Answers to golds, summed by gold: pairs put the same way, ties as half, of `n` that golds
    decide. Interval over golds.
    """
    if not n.sum():
        return absent(gettext_noop("No gold was answered yet."))
    return _share(np.column_stack([agreed, n])[n > 0])


def with_pools(votes: Votes, others: OtherVotes, names: Mapping[int, str]) -> list[Record]:
    """Each other pool's votes against this campaign's, ties as half; a rater never meets
    themselves.
    """
    mine = votes.once.pairs
    kept = others.where(~np.isin(others.rater, np.unique(mine.rater)))
    theirs = agreement.expand(
        items=kept.item, raters=kept.rater, responses=kept.response, ranks=kept.rank
    )
    pair_mine, pair_theirs, n_pairs = _same_pairs(mine, theirs)
    counts = _by_label(pair_mine, mine.label, n_pairs)
    pool = kept.pool[theirs.row]
    found = []
    for one in np.unique(pool).tolist():
        here = pool == one
        others_say = _by_label(pair_theirs[here], theirs.label[here], n_pairs)
        n = counts.sum(axis=1) * others_say.sum(axis=1)
        score = ((counts @ _CREDIT) * others_say).sum(axis=1)
        figure = (
            _share(np.column_stack([score, n])[n > 0])
            if (n > 0).any()
            else absent(gettext_noop("The two pools share no pair."))
        )
        found.append(
            {"pool": names.get(one, ""), "raw": as_record(figure), "n_pairs": int((n > 0).sum())}
        )
    return found


_CREDIT = np.array(
    [[response_orders.credit(one, other) for other in (-1, 0, 1)] for one in (-1, 0, 1)]
)
"""Of a vote (−1, 0, +1) against another."""


def _same_pairs(one: agreement.PairVotes, other: agreement.PairVotes) -> tuple[Ints, Ints, int]:
    """Numbers for pairs of responses, whatever the item, that mean the same in both."""
    n = len(one.left)
    response, names = codes(np.concatenate([one.left, other.left, one.right, other.right]))
    half = n + len(other.left)
    pair, kinds = codes(response[:half] * max(1, len(names)) + response[half:])
    return pair[:n], pair[n:], len(kinds)


def _by_label(pair: Ints, label: Ints, n_pairs: int) -> Floats:
    return (
        np.bincount(pair * 3 + label + 1, minlength=n_pairs * 3).reshape(n_pairs, 3).astype(float)
    )


def _share(rows: Floats) -> Figure:
    """Score of compared, summed over units, with the interval over units."""
    score, n = rows.sum(axis=0)

    def evaluate(weights: Floats, kinds: Floats) -> Floats:
        scores, counts = (weights @ kinds).T
        return np.asarray(
            np.divide(scores, counts, out=np.full(len(counts), np.nan), where=counts > 0),
            dtype=float,
        )

    interval = (
        percentiles(bootstrap(rows, evaluate, resamples=RESAMPLES, seed=0))
        if len(rows) > 1
        else None
    )
    low, high = interval or (None, None)
    return Figure(value=float(score / n), n=int(n), low=low, high=high)
