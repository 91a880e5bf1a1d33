"""Two parts of a snapshot's rankings that have none in common: one trains a reward model, the other
its watchdog, which then errs on its own and not as the reward model does.

Divided by raters, whose tastes and mistakes are what the two must not share. With few raters, or
one who gave nearly all rankings, by prompts, near-duplicates together. Always the same parts.
"""

from collections.abc import Sequence

import numpy as np

from training.trainer.reward import cross_validation

ALL, LARGER, SMALLER = "all", "larger", "smaller"
N_LARGER = 3
"""of the five groups of raters, or of five parts of the prompts"""
LEAST = 0.25
"""the smallest share of the rankings that the smaller part may have if raters divide them"""

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def kept(part: str, raters: Sequence[str | None], prompts: Sequence[int]) -> Mask:
    """Which rankings are in the part. `raters` and `prompts` (a number for each cluster of prompts)
    name those of each ranking.
    """
    if part == ALL:
        return np.ones(len(raters), dtype=bool)
    larger = _by_raters(raters)
    if larger is None:
        larger = _by_prompts(prompts)
    return larger if part == LARGER else ~larger


def _by_raters(raters: Sequence[str | None]) -> Mask | None:
    """The larger part; None if raters do not divide the rankings well."""
    if not all(raters):
        return None
    groups = cross_validation.folds({"rater": rater} for rater in raters)
    if not groups:
        return None
    chosen = frozenset().union(*groups[:N_LARGER])
    larger = np.fromiter((rater in chosen for rater in raters), dtype=bool, count=len(raters))
    return larger if (~larger).mean() >= LEAST else None


def _by_prompts(prompts: Sequence[int]) -> Mask:
    """The larger part. The numbers are hashes, so their order is as good as chance."""
    hashes = np.asarray(prompts, dtype=np.uint64)
    unique = np.unique(hashes)
    n_larger = max(1, round(len(unique) * N_LARGER / cross_validation.N_FOLDS))
    return np.isin(hashes, unique[:n_larger])
