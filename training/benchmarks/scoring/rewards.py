"""Scores of pairs and of several responses: does the model put the better one first?"""

import math
from collections.abc import Sequence

from training.benchmarks.scoring.answers import Answer, Item, Score


def preferred(item: Item, answer: Answer) -> Score | None:
    """1 if the better response of a pair has the higher value, ½ if both have the same."""
    better, worse = answer.values.get("better"), answer.values.get("worse")
    if better is None or worse is None or not _are_finite([better, worse]):
        return None
    if better == worse:
        return Score(0.5, "tie")
    return Score(1.0, "better") if better > worse else Score(0.0, "worse")


def best_of_k(item: Item, answer: Answer) -> Score | None:
    """1 if one of the best responses has the highest value; of equal ones, the share."""
    values = answer.values.get("scores", ())
    if len(values) != len(item.content["responses"]) or not _are_finite(values):
        return None
    top = [index for index, value in enumerate(values) if value == max(values)]
    return Score(len(set(top) & set(item.content["best"])) / len(top))


def reward(item: Item, answer: Answer) -> Score | None:
    """The reward model's value of a written answer: no share, so not from 0 to 1."""
    value = answer.values.get("reward")
    return None if value is None or not _are_finite([value]) else Score(float(value))


def _are_finite(values: Sequence[float]) -> bool:
    return bool(values) and all(math.isfinite(value) for value in values)
