"""The score that lm-evaluation-harness gave an item."""

from training.benchmarks.scoring.answers import Answer, Item, Score


def score(item: Item, answer: Answer) -> Score | None:
    """The metric that the suite names, as the harness computed it."""
    value = answer.values.get("metrics", {}).get(item.options.get("metric"))
    return Score(float(value)) if value is not None and 0 <= value <= 1 else None
