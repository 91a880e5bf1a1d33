"""What people would say on average of many pairs: from people's answers to a random part of them
and a judge's to all.

The estimator is ȳ + λ(f̄ − f̄ₗ): the mean of people's answers, moved by how far the judge's mean of
all pairs lies from its mean of those that people answered (Angelopoulos, Duchi and Zrnic 2023,
“PPI++”, for answers that are a part of the pairs). λ is the slope of people's answers on the
judge's, between 0 and 1, so that a judge's mistakes are taken off and one that knows nothing is
left out. Pairs of one prompt belong together (arithmetic.intervals): variances are taken between
prompts.

Whoever chose the pairs for people by the judge's confidence has no random part of them.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arithmetic import cluster_variance, intervals
from arithmetic.figures import Floats, Ints, codes

FEWEST_ANSWERS = 10
"""From fewer answers of people nothing is estimated."""
_CHANCE = 0.05
"""How often a judge without any relation to people is said to add something."""


@dataclass(frozen=True)
class Mean:
    """With its 95 % interval, and the variance that it comes from."""

    value: float
    low: float
    high: float
    variance: float


@dataclass(frozen=True)
class Estimate:
    """From `n` answers of people that are worth as much as `n_worth` of people alone."""

    value: float
    low: float
    high: float
    n: int
    n_worth: float
    correlation: float
    """between people's answers and the judge's; 0 where either never varies"""
    judge_added_nothing: bool
    """The figures are then of people alone."""


@dataclass(frozen=True)
class _Answers:
    """`judge` of all pairs; `people` of those where `is_answered`."""

    judge: Floats
    people: Floats
    is_answered: npt.NDArray[np.bool_]
    prompts: Ints
    n_prompts: int

    @property
    def judge_of_answered(self) -> Floats:
        return self.judge[self.is_answered]


def estimate(
    judge: Sequence[float],
    people: Sequence[float | None],
    prompts: Sequence[Hashable],
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Estimate | None:
    """One entry a pair in each: what the judge says, what people say (a single answer or the mean
    of several; None where nobody was asked), and the prompt. Answers lie within `bounds`, such as 0
    for a loss, ½ for a tie and 1 for a win. None from too few prompts or answers.

    The slope costs about an answer, so that a weak judge does harm: one with correlation ρ helps
    from ρ² > 1 / (n − 2) on (Mani, Xu, Lipton and Oberst 2026). It has to be seen that ρ is above
    0, which is stricter. Else people stand alone.
    """
    lowest, width = bounds[0], bounds[1] - bounds[0]
    answers = _answers(judge, people, prompts, lowest, width)
    if answers is None:
        return None
    n = len(answers.people)
    alone, both = _mean(answers, 0.0, n_fitted=1), _mean(answers, _slope(answers), n_fitted=2)
    correlation = _correlation(answers)
    n_apart = min(n, len(np.unique(answers.prompts[answers.is_answered])))
    added_nothing = correlation <= least_correlation(n_apart) or both.variance >= alone.variance
    mean = alone if added_nothing else both
    return Estimate(
        lowest + width * mean.value,
        lowest + width * mean.low,
        lowest + width * mean.high,
        n,
        float(n) if added_nothing else n * alone.variance / both.variance,
        correlation,
        added_nothing,
    )


def corrected(
    judge: Sequence[float], people: Sequence[float | None], prompts: Sequence[Hashable]
) -> Mean | None:
    """The estimator with its slope, however little that adds. Answers lie from 0 to 1."""
    answers = _answers(judge, people, prompts)
    return None if answers is None else _mean(answers, _slope(answers), n_fitted=2)


def least_correlation(n: int) -> float:
    """That a judge needs with people's answers on `n` prompts to be sure that it is above 0."""
    if n <= 2:
        return 1.0
    t = intervals.of_student(n - 2, _CHANCE)
    return t / math.sqrt(n - 2 + t * t)


def ceiling(between_people: float) -> float:
    """How many answers of people one of them can be worth at most with a judge beside it, if this
    is the correlation between two people's answers to the same pair.

    A judge with correlation ρ makes it 1 / (1 − ρ²). The best judge knows each pair's mean over all
    people, whose ρ² with a single person is the correlation between two.
    """
    return 1 / (1 - max(0.0, between_people)) if between_people < 1 else math.inf


def correlation_between_people(answers: Sequence[float], pairs: Sequence[Hashable]) -> float | None:
    """Of two people's answers to the same pair, over all such two. None if no pair has two answers
    or none differ.
    """
    y = np.asarray(answers, dtype=np.float64)
    pair = codes(np.asarray(pairs))[0]
    n = np.bincount(pair)
    others = n[pair] - 1
    if not others.sum():
        return None
    mean = np.average(y, weights=others)
    rest = y - mean
    sums = np.bincount(pair, weights=rest)
    spread = float((others * rest**2).sum())
    together = float((sums**2).sum() - (rest**2).sum())
    return together / spread if spread else None


def within_bounds(value: float, low: float, high: float, n: int) -> tuple[float, float, float]:
    """Between 0 and 1, around the value. Where an estimate lies at or beyond a bound, the interval
    reaches at least as far from it as that of none among `n` answers.
    """
    value = min(max(value, 0.0), 1.0)
    none = intervals.wilson(0, n)[1]
    if value == 0:
        high = max(high, none)
    if value == 1:
        low = min(low, 1 - none)
    return value, max(0.0, min(low, value)), min(1.0, max(high, value))


def _answers(
    judge: Sequence[float],
    people: Sequence[float | None],
    prompts: Sequence[Hashable],
    lowest: float = 0.0,
    width: float = 1.0,
) -> _Answers | None:
    f = (np.asarray(judge, dtype=np.float64) - lowest) / width
    all_people = (np.array(people, dtype=np.float64) - lowest) / width  # None becomes NaN
    is_answered = ~np.isnan(all_people)
    y = all_people[is_answered]
    numbers = codes(np.asarray(prompts))[0]
    n_prompts = int(numbers.max(initial=-1)) + 1
    if n_prompts < intervals.FEWEST_PROMPTS or len(y) < FEWEST_ANSWERS:
        return None
    return _Answers(f, y, is_answered, numbers, n_prompts)


def _mean(answers: _Answers, slope: float, n_fitted: int) -> Mean:
    """`n_fitted` degrees of freedom went into the mean and the slope."""
    f, n = answers.judge, len(answers.people)
    rest = answers.people - slope * answers.judge_of_answered
    value = slope * float(f.mean()) + float(rest.mean())
    influence = slope * (f - f.mean()) / len(f)
    influence[answers.is_answered] += (rest - rest.mean()) / math.sqrt(n * (n - n_fitted))
    between = cluster_variance.of_rows(influence, answers.prompts)
    variance = max(between, _least_variance(rest, slope))
    quantile = intervals.student(min(answers.n_prompts, n))
    reach = quantile * math.sqrt(variance)
    low, high = value - reach, value + reach
    if 0 < value < 1:
        n_independent = value * (1 - value) / variance
        low, high = intervals.wilson(value * n_independent, n_independent, quantile)
    return Mean(*within_bounds(value, low, high, n), variance)


def _slope(answers: _Answers) -> float:
    f, y = answers.judge_of_answered, answers.people
    spread = float(f.var())
    slope = float(((f - f.mean()) * (y - y.mean())).mean()) / spread if spread else 0.0
    return min(max(slope, 0.0), 1.0)


def _correlation(answers: _Answers) -> float:
    f, y = answers.judge_of_answered, answers.people
    spread = float(f.std() * y.std())
    return float(((f - f.mean()) * (y - y.mean())).mean()) / spread if spread else 0.0


def _least_variance(rest: Floats, slope: float) -> float:
    """Of the mean of what the judge leaves open, for independent answers. Half an answer is added
    to each of the four pairs of the judge's and people's extremes (Agresti and Min 2005), so that a
    judge that made no mistake among few answers is not taken for perfect.
    """
    added = np.array([0.0, 1.0, -slope, 1.0 - slope])
    values = np.concatenate([rest, added])
    weights = np.concatenate([np.ones(len(rest)), np.full(4, 0.5)])
    mean = float(np.average(values, weights=weights))
    return float(np.average((values - mean) ** 2, weights=weights)) / float(weights.sum())
