"""Scores that lm-evaluation-harness computed: taken as they are."""

import math

from training.benchmarks.scoring.answers import Answer, Item, Score

_USUAL = ("acc", "exact_match", "acc_norm")


def score(item: Item, answer: Answer) -> Score | None:
    """The suite's `metric`, of the metrics of this sample; without one, the most usual. None for
    a metric that is no share.
    """
    metrics = answer.values.get("metrics", {})
    wanted = item.options.get("metric")
    name = wanted or next((metric for metric in _USUAL if metric in metrics), None)
    value = metrics.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        return None
    return Score(float(value))
