"""From the scores of single answers to the figures of a suite: mean, interval, shares. No database.

Items of one cluster are not independent: the interval treats them as
arithmetic.intervals treats votes on one prompt.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from arithmetic import intervals
from training.benchmarks.statistics import calibration, lengths

MOST_CATEGORIES = 100
"""More are not kept: a suite with a category for every item has none."""


@dataclass(frozen=True)
class ScoredAnswer:
    """One answer's score, with what is known of its item. `cluster` is "" if it stands alone."""

    item: int
    value: float
    label: str = ""
    category: str = ""
    cluster: str = ""
    margin: float | None = None
    """reward of the better response minus that of the worse"""
    lengths: tuple[int, ...] = ()
    """characters of the responses that have `rewards`"""
    rewards: tuple[float, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The columns of a SuiteScore that follow from its answers. `low` and `high` are None from
    fewer clusters than an interval needs.
    """

    n: int
    score: float | None
    low: float | None
    high: float | None
    details: dict[str, Any] = field(default_factory=dict)


def summarise(answers: Sequence[ScoredAnswer], *, is_share: bool = True) -> Summary:
    """`is_share`: values lie between 0 and 1. Rewards do not."""
    score, low, high = mean(answers, is_share=is_share)
    clusters = cluster_numbers([(answer.item, answer.cluster) for answer in answers])
    details: dict[str, object] = {"n_clusters": len(set(clusters))}
    if by_category := _by_category(answers, is_share=is_share):
        details["by_category"] = by_category
    if labels := Counter(answer.label for answer in answers if answer.label):
        details["labels"] = {label: n / len(answers) for label, n in labels.most_common()}
    details |= _of_rewards(answers)
    return Summary(n=len(answers), score=score, low=low, high=high, details=details)


def cluster_numbers(items: Sequence[tuple[int, str]]) -> list[int]:
    """A number for the cluster of each (item, cluster); an item without one is its own."""
    numbers: dict[tuple[int, str], int] = {}
    fresh = count()
    cluster_ids = []
    for item, cluster in items:
        key = (0, cluster) if cluster else (item, "")
        if key not in numbers:
            numbers[key] = next(fresh)
        cluster_ids.append(numbers[key])
    return cluster_ids


def mean(
    answers: Sequence[ScoredAnswer], *, is_share: bool
) -> tuple[float | None, float | None, float | None]:
    """(mean, low, high). Rewards have no bounds, so theirs is Student's interval."""
    if not answers:
        return None, None, None
    values = [answer.value for answer in answers]
    clusters = cluster_numbers([(answer.item, answer.cluster) for answer in answers])
    interval = (intervals.of_votes if is_share else intervals.of_mean)(values, clusters)
    low, high = interval or (None, None)
    return math.fsum(values) / len(values), low, high


def _by_category(answers: Sequence[ScoredAnswer], *, is_share: bool) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[ScoredAnswer]] = {}
    for answer in answers:
        if answer.category:
            groups.setdefault(answer.category, []).append(answer)
    if len(groups) > MOST_CATEGORIES:
        return {}
    by_category = {}
    for category, group in sorted(groups.items()):
        score, low, high = mean(group, is_share=is_share)
        by_category[category] = {"n": len(group), "score": score, "low": low, "high": high}
    return by_category


def _of_rewards(answers: Sequence[ScoredAnswer]) -> dict[str, object]:
    """Calibration of pairs, and how far rewards follow length."""
    details: dict[str, object] = {}
    margins = [answer.margin for answer in answers if answer.margin is not None]
    if margins:
        details["calibration"] = calibration.of_margins(margins).as_json()
    rewarded = [(answer.rewards, answer.lengths) for answer in answers if answer.rewards]
    if rewarded:
        details["length_correlation"] = lengths.correlation(rewarded)
    return details


def rewards_of(
    *, kind: str, content: Mapping[str, Any], text: str, values: Mapping[str, Any]
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """(rewards, characters of their responses) of an answer by a reward model; empty if a language
    model's likelihoods stand there, which fall with length by nature.
    """
    if kind == "pairs" and values.get("by") == "reward":
        rewards = [values["better"], values["worse"]]
        texts = [content["better"], content["worse"]]
    elif kind == "best-of-k" and values.get("by") == "reward":
        rewards, texts = values["scores"], content["responses"]
    elif kind == "generate" and "reward" in values:
        rewards, texts = [values["reward"]], [text]
    else:
        return (), ()
    return tuple(map(float, rewards)), tuple(map(len, texts))
