"""How far the values of one group lie above those of another: how often, and by how much on
average, with intervals by the rule of arithmetic.intervals.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arithmetic import cluster_variance, intervals
from arithmetic.figures import Floats, Ints


@dataclass(frozen=True)
class TwoGroups:
    """`share_above`: of all pairs of an upper and a lower value, those with the upper one above,
    ties counted as half (Mann and Whitney 1947); `difference`: of the two means. The ends are None
    from too few prompts.
    """

    share_above: float
    share_ends: tuple[float, float] | None
    difference: float
    difference_ends: tuple[float, float] | None


def compare(
    values: Sequence[float], is_upper: Sequence[bool], prompts: Sequence[Hashable]
) -> TwoGroups | None:
    """None if a group is empty. Values on one prompt belong together."""
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    of = np.array([numbers[prompt] for prompt in prompts], dtype=np.int64)
    value, upper = np.asarray(values, dtype=float), np.asarray(is_upper, dtype=bool)
    high, low = value[upper], value[~upper]
    if not high.size or not low.size:
        return None
    # What each value moves the share by (DeLong, DeLong and Clarke-Pearson 1988).
    above = _share_below(high, low)
    below = 1 - _share_below(low, high)
    share, difference = float(above.mean()), float(high.mean() - low.mean())
    on_share, on_difference = np.empty(len(value)), np.empty(len(value))
    on_share[upper], on_share[~upper] = (above - share) / len(high), (below - share) / len(low)
    on_difference[upper] = (high - high.mean()) / len(high)
    on_difference[~upper] = -(low - low.mean()) / len(low)
    variance, df = _spread(on_share, of, upper)
    variance = max(variance, share * (1 - share) / len(value))
    spread, df_difference = _spread(on_difference, of, upper)
    n_prompts = min(len(np.unique(of[group])) for group in (upper, ~upper))
    is_enough = n_prompts >= intervals.FEWEST_PROMPTS
    reach = intervals.of_student(df_difference) * math.sqrt(spread) if is_enough else 0.0
    return TwoGroups(
        share,
        intervals.of_share(share, variance, n_prompts, df),
        difference,
        (difference - reach, difference + reach) if is_enough else None,
    )


def _spread(influence: Floats, of: Ints, upper: NDArray[np.bool_]) -> tuple[float, float]:
    """The variance between prompts, and its degrees of freedom (Welch 1947)."""
    own, weight = 0.0, 0.0
    for group in (upper, ~upper):
        between = cluster_variance.of_rows(influence[group], of[group])
        own += between
        weight += between**2 / max(1, len(np.unique(of[group])) - 1)
    df = own**2 / weight if weight > 0 else float(len(np.unique(of)) - 1)
    return cluster_variance.of_rows(influence, of), df


def _share_below(values: Floats, others: Floats) -> Floats:
    """For each value the share of the others that lie below it, ties counted as half."""
    ordered = np.sort(others)
    first, last = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray((first + last) / (2 * len(others)))
