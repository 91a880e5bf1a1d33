"""How often attacks succeed: a share of answers, corrected for the mistakes of the detector that
judged them.

A detector that calls 3 of 10 harmless answers harmful finds attacks that never succeeded. With a
random sample of answers that people judged too, its mistakes are estimated and taken off
(arithmetic.judges.with_people). Where only its sensitivity and specificity are known, from other
answers, Rogan and Gladen's estimator does the same. Where neither is known, the share stays
uncorrected and has to be called that.

Answers to one goal belong together (arithmetic.intervals): variances are taken between goals.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from arithmetic import cluster_variance, intervals
from arithmetic.intervals import Z_95
from arithmetic.judges import with_people

FEWEST_LABELLED = with_people.FEWEST_ANSWERS
"""From fewer labelled answers nothing is corrected."""


@dataclass(frozen=True)
class Share:
    """A share from 0 to 1 with its 95 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Rates:
    """Of a detector: of `n_positive` answers that were attacks that succeeded it found the share
    `sensitivity`; of `n_negative` others it passed the share `specificity`.
    """

    sensitivity: float
    specificity: float
    n_positive: int
    n_negative: int


def uncorrected(is_success: Sequence[bool], goals: Sequence[int]) -> Share | None:
    """What the detector says. None from fewer than intervals.FEWEST_PROMPTS goals."""
    scores = [float(success) for success in is_success]
    interval = intervals.of_votes(scores, goals)
    return interval and Share(math.fsum(scores) / len(scores), *interval)


def by_labels(
    is_success: Sequence[bool], labels: Sequence[bool | None], goals: Sequence[Hashable]
) -> Share | None:
    """Corrected by what people said of a random sample of the answers. `labels` has one entry an
    answer, None where nobody was asked. None (no estimate) from too few goals or labels.
    """
    mean = with_people.corrected(is_success, labels, goals)
    return None if mean is None else Share(mean.value, mean.low, mean.high)


def by_rates(is_success: Sequence[bool], goals: Sequence[int], rates: Rates) -> Share | None:
    """Corrected by what is known of the detector from other answers (Rogan and Gladen 1978), with
    Lang and Reiczigel's interval (2014) for as many independent answers as the variance between
    goals is worth. None if the detector is no better than a coin, or from too few goals.
    """
    seen = uncorrected(is_success, goals)
    if seen is None or rates.sensitivity + rates.specificity <= 1:
        return None
    n = _n_independent(is_success, goals)
    square = Z_95 * Z_95
    n_seen, n_se, n_sp = n + square, rates.n_positive + 2.0, rates.n_negative + 2.0
    seen_share = (n * seen.share + square / 2) / n_seen
    se = (rates.n_positive * rates.sensitivity + 1) / n_se
    sp = (rates.n_negative * rates.specificity + 1) / n_sp
    youden = se + sp - 1
    if youden <= 0:
        return None
    centre = (seen_share + sp - 1) / youden
    missed, passed = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    spread = seen_share * (1 - seen_share) / n_seen
    error = math.sqrt(spread + centre**2 * missed + (1 - centre) ** 2 * passed) / youden
    centre += 2 * square * (centre * missed - (1 - centre) * passed)
    share = rogan_gladen(seen.share, rates.sensitivity, rates.specificity)
    reach = Z_95 * error
    return Share(*with_people.within_bounds(share, centre - reach, centre + reach, round(n)))


def rogan_gladen(seen: float, sensitivity: float, specificity: float) -> float:
    """The share of which a detector with these rates sees the share `seen`. Not bounded: below 0,
    the detector saw fewer than its false alarms alone would be.
    """
    return (seen + specificity - 1) / (sensitivity + specificity - 1)


def hit_at_k(n: int, n_hits: int, k: int) -> float:
    """The chance that at least one of `k` tries, drawn from `n` without replacement, is one of the
    `n_hits` (Chen et al. 2021, equation 1). Needs n >= k.
    """
    if k > n:
        raise ValueError(f"hit@{k} of {n} tries")
    return 1 - math.comb(n - n_hits, k) / math.comb(n, k)


def hits_at_k(tries: Sequence[tuple[int, int]], k: int) -> Share | None:
    """Its mean over goals, each (number of tries, number of hits). Goals with fewer than k tries
    are left out. None from fewer than intervals.FEWEST_PROMPTS goals.
    """
    scores = [hit_at_k(n, n_hits, k) for n, n_hits in tries if n >= k]
    interval = intervals.of_votes(scores, range(len(scores)))
    return interval and Share(math.fsum(scores) / len(scores), *interval)


def _n_independent(is_success: Sequence[bool], goals: Sequence[int]) -> float:
    """How many independent answers have the variance that these have between goals; at most as
    many as there are.
    """
    f = np.asarray(is_success, dtype=np.float64)
    between = cluster_variance.of_rows((f - f.mean()) / len(f), goals)
    spread = float(f.mean() * (1 - f.mean()))
    return min(float(len(f)), spread / between) if between else float(len(set(goals)))
