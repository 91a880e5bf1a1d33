"""How far a reward model rewards length."""

import math
from collections.abc import Sequence

import numpy as np


def correlation(
    rewarded: Sequence[tuple[Sequence[float], Sequence[int]]],
) -> float | None:
    """Pearson's correlation of reward with length, one (rewards, lengths) an item.

    Responses to one prompt are compared with each other only: both are taken from their item's
    mean, because a prompt that asks for long answers may be an easy one. Where every item has one
    response, the items are compared. None if either does not vary.
    """
    is_single = all(len(rewards) == 1 for rewards, _lengths in rewarded)
    rewards = [np.asarray(row, dtype=np.float64) for row, _lengths in rewarded]
    sizes = [np.asarray(row, dtype=np.float64) for _rewards, row in rewarded]
    if not is_single:
        rewards = [row - row.mean() for row in rewards]
        sizes = [row - row.mean() for row in sizes]
    x, y = np.concatenate(rewards), np.concatenate(sizes)
    x, y = x - x.mean(), y - y.mean()
    spread = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / spread if spread > 0 else None
