"""How far raters agree with others outside their campaign: golds, another pool, an order decided by
a reviewer, a reward model.
"""

from collections.abc import Mapping

import numpy as np

from arithmetic import clustering, response_orders
from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop
from labeling.votes.arrays import OtherVotes, Record, Votes, as_record


def with_order(votes: Votes, order: Floats) -> Figure:
    """Agreement with another order on the pairs that it decides: `order` is the other rank of each
    row, NaN for none.

    A rater's tie is half right. Pairs tied in the other order do not count. Interval over prompts.
    """
    once = votes.once
    order = order[~votes.is_repeat] if once is not votes else order
    pairs = once.pairs
    right = np.sign(order[pairs.row] - order[pairs.other_row])
    decided = np.abs(right) == 1  # false for NaN and ties
    if not decided.any():
        return absent(gettext_noop("None of the pairs compared by raters has such a ranking yet."))
    score = 1 - np.abs(pairs.label[decided] - right[decided]) / 2
    return clustering.share(score, prompts=once.prompt[pairs.row[decided]])


def with_golds(agreed: Floats, n: Floats, prompts: Ints) -> Figure:
    """Agreement with golds, from sums per gold: `agreed` of the `n` pairs that golds decide, ties
    as half. Interval over their prompts.
    """
    if not n.sum():
        return absent(gettext_noop("No gold items have been answered yet."))
    return clustering.share(agreed, counts=n, prompts=prompts)


def with_pools(votes: Votes, others: OtherVotes, names: Mapping[int, str]) -> list[Record]:
    """Votes of each other pool compared with this campaign's, ties as half; a rater is never
    compared with themselves.
    """
    mine = votes.once.pairs
    outsiders = others.where(~np.isin(others.rater, np.unique(mine.rater)))
    theirs = agreement_pairs.expand(
        items=outsiders.item,
        raters=outsiders.rater,
        responses=outsiders.response,
        ranks=outsiders.rank,
    )
    pair_mine, pair_theirs, n_pairs = _same_pairs(mine, theirs)
    counts = _by_label(pair_mine, mine.label, n_pairs)
    prompt = np.zeros(n_pairs, dtype=np.int64)
    prompt[pair_mine] = votes.once.prompt[mine.row]
    pool = outsiders.pool[theirs.row]
    records = []
    for pool_id in np.unique(pool).tolist():
        is_of_pool = pool == pool_id
        others_say = _by_label(pair_theirs[is_of_pool], theirs.label[is_of_pool], n_pairs)
        n = counts.sum(axis=1) * others_say.sum(axis=1)
        score = ((counts @ _CREDIT) * others_say).sum(axis=1)
        figure = (
            clustering.share(score, counts=n, prompts=prompt)
            if (n > 0).any()
            else absent(gettext_noop("The two pools have no pairs in common."))
        )
        records.append(
            {
                "pool": names.get(pool_id, ""),
                "raw": as_record(figure),
                "n_pairs": int((n > 0).sum()),
            }
        )
    return records


_CREDIT = np.array(
    [[response_orders.credit(one, other) for other in (-1, 0, 1)] for one in (-1, 0, 1)]
)
"""Of a vote (−1, 0, +1) against another."""


def _same_pairs(
    first: agreement_pairs.PairVotes, second: agreement_pairs.PairVotes
) -> tuple[Ints, Ints, int]:
    """Pair numbers that are shared by both sides, whatever the item: the same two responses get the
    same number.
    """
    n = len(first.left)
    response, names = codes(np.concatenate([first.left, second.left, first.right, second.right]))
    half = n + len(second.left)
    # Number both sides at once, so that equal pairs get equal numbers.
    pair, kinds = codes(response[:half] * max(1, len(names)) + response[half:])
    return pair[:n], pair[n:], len(kinds)


def _by_label(pair: Ints, label: Ints, n_pairs: int) -> Floats:
    return (
        np.bincount(pair * 3 + label + 1, minlength=n_pairs * 3).reshape(n_pairs, 3).astype(float)
    )
