"""Accuracy on held-out pairs by group: strength of the preference, category of the prompt, pool of
the rater.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from arithmetic import intervals
from training.trainer.reward.pair_results import rightness
from training.trainer.reward.rankings import RankingRow

BY = ("strength", "category", "pool")


class Accuracy(TypedDict):
    """As a run's metrics have it. `low` and `high` are None with too few prompts."""

    n: int
    accuracy: float
    low: float | None
    high: float | None


class GroupAccuracy(Accuracy):
    group: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A decided pair: the number of its row, and what it is about."""

    prompt: int
    about: Mapping[str, object]


def pairs_of(rows: Iterable[RankingRow]) -> list[Pair]:
    """Each decided pair of the rows, in the order of their margins."""
    return [Pair(at, about) for at, row in enumerate(rows) for about in row["about"]]


def accuracy_by(margins: Sequence[float], pairs: Sequence[Pair]) -> dict[str, list[GroupAccuracy]]:
    """{"strength": […], …}; attributes that no row has are
    left out. Strengths from slight to strong, other groups from the largest to the smallest; pairs
    without the attribute come last, as "".
    """
    by_name: dict[str, list[GroupAccuracy]] = {}
    for name in BY:
        groups: dict[str, list[tuple[float, int]]] = {}
        for margin, pair in zip(margins, pairs, strict=True):
            group = groups.setdefault(str(pair.about.get(name) or ""), [])
            group.append((margin, pair.prompt))
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


def accuracy(pairs: Sequence[tuple[float, int]]) -> Accuracy:
    """Share of pairs, each with its margin and its prompt, in the raters' order, equal scores half;
    with the interval over prompts.
    """
    scores = [rightness(margin) for margin, _prompt in pairs]
    low, high = intervals.of_votes(scores, [prompt for _margin, prompt in pairs]) or (None, None)
    share = sum(scores) / len(scores) if scores else 0.5
    return {"n": len(scores), "accuracy": share, "low": low, "high": high}
