"""Accuracy on held-out pairs by group: strength of the preference, category of the prompt, pool of
the rater.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from arithmetic import intervals
from training.trainer.reward.pair_results import rightness

BY = ("strength", "category", "pool")


def pairs_of(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attributes of each decided pair of the rows, with the number of its row as its prompt,
    in the order of their margins.
    """
    return [about | {"prompt": at} for at, row in enumerate(rows) for about in row["about"]]


def accuracy_by(
    margins: Sequence[float], pairs: Sequence[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """{"strength": [{"group", "n", "accuracy", "low", "high"}], …}; attributes that no row has are
    left out. Strengths from slight to strong, other groups from the largest to the smallest; pairs
    without the attribute come last, as "". `low` and `high` are None with too few prompts.
    """
    by_name = {}
    for name in BY:
        groups: dict[str, list[tuple[float, int]]] = {}
        for margin, about in zip(margins, pairs, strict=True):
            group = groups.setdefault(str(about.get(name) or ""), [])
            group.append((margin, about["prompt"]))
        if set(groups) - {""}:
            order = sorted(
                groups,
                key=lambda group: (
                    group == "",
                    group if name == "strength" else -len(groups[group]),
                    group,
                ),
            )
            by_name[name] = [{"group": group, **accuracy(groups[group])} for group in order]
    return by_name


def accuracy(pairs: Sequence[tuple[float, int]]) -> dict[str, float | None]:
    """Share of pairs, each with its margin and its prompt, in the raters' order, equal scores half;
    with the interval over prompts.
    """
    scores = [rightness(margin) for margin, _prompt in pairs]
    low, high = intervals.of_votes(scores, [prompt for _margin, prompt in pairs]) or (None, None)
    share = sum(scores) / len(scores) if scores else 0.5
    return {"n": len(scores), "accuracy": share, "low": low, "high": high}
