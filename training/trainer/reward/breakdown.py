"""Accuracy on held-out pairs by group: strength of the preference, category of the prompt, pool of
the rater.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pages import intervals
from training.trainer.reward.pair_results import rightness

BY = ("strength", "category", "pool")


def pairs_of(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attributes of each decided pair of the rows, in the order of their margins."""
    return [about for row in rows for about in row["about"]]


def accuracy_by(
    margins: Sequence[float], pairs: Sequence[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """{"strength": [{"group", "n", "accuracy", "low", "high"}], …}; attributes that no row has are
    left out. Strengths from slight to strong, other groups from the largest to the smallest; pairs
    without the attribute come last, as "".
    """
    found = {}
    for name in BY:
        groups: dict[str, list[float]] = {}
        for margin, about in zip(margins, pairs, strict=True):
            groups.setdefault(str(about.get(name) or ""), []).append(margin)
        if set(groups) - {""}:
            order = sorted(
                groups,
                key=lambda group: (
                    group == "",
                    group if name == "strength" else -len(groups[group]),
                    group,
                ),
            )
            found[name] = [{"group": group, **accuracy(groups[group])} for group in order]
    return found


def accuracy(margins: Sequence[float]) -> dict[str, float]:
    """Share of pairs in the raters' order, equal scores half, with Wilson's interval."""
    right = sum(rightness(margin) for margin in margins)
    low, high = intervals.wilson(right, len(margins))
    return {
        "n": len(margins),
        "accuracy": right / len(margins) if margins else 0.5,
        "low": low,
        "high": high,
    }
