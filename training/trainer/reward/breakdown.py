"""Accuracy on held-out pairs by group: strength of the preference, category of the prompt, pool of
the rater, and how far the pair is from what the model learned from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from arithmetic import intervals
from training.trainer.reward.pair_results import rightness
from training.trainer.reward.rankings import RankingRow

BY = ("strength", "category", "pool")
STRANGENESS = SEEN_PROMPT, NEW_PROMPT, NEW_MODEL, LONGER = (
    "seen_prompt",
    "new_prompt",
    "new_model",
    "longer",
)
FEWEST_STRANGE = 30
"""pairs that a kind of strangeness needs to be shown"""
LONG = 0.9
"""an answer is long that is longer than this share of the training's"""


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


class LeftOut(TypedDict):
    """A kind of strangeness that is not shown: `why` is "none", "too_few" or "no_source"."""

    group: str
    why: str
    n: int


@dataclass(frozen=True)
class Learned:
    """What a model learned from. `sources` is None if some response names none."""

    prompts: frozenset[str]
    sources: frozenset[str] | None
    long: float
    """tokens"""


def learned_from(rows: Iterable[RankingRow]) -> Learned:
    prompts: set[str] = set()
    sources: set[str | None] = set()
    lengths: list[int] = []
    for row in rows:
        prompts.add(row["prompt"])
        sources.update(row["sources"])
        lengths += map(len, row["response_ids"])
    named = frozenset(source for source in sources if source)
    return Learned(
        frozenset(prompts),
        None if None in sources else named,
        float(np.quantile(lengths, LONG)) if lengths else 0.0,
    )


def by_strangeness(
    margins: Sequence[float], rows: Sequence[RankingRow], learned: Learned
) -> tuple[list[GroupAccuracy], list[LeftOut]]:
    """Accuracy on each kind of strange pair, and the kinds that are not shown."""
    groups: dict[str, list[tuple[float, int]]] = {kind: [] for kind in STRANGENESS}
    remaining = iter(margins)
    for number, row in enumerate(rows):
        for pair in zip(row["winner"], row["loser"], strict=True):
            scored = (next(remaining), number)
            for kind in strangeness(row, pair, learned):
                groups[kind].append(scored)
    says_source = learned.sources is not None and all(None not in row["sources"] for row in rows)
    shown: list[GroupAccuracy] = []
    left_out: list[LeftOut] = []
    for kind, pairs in groups.items():
        measured = accuracy(pairs)
        if kind == NEW_MODEL and not says_source:
            left_out.append({"group": kind, "why": "no_source", "n": 0})
        elif len(pairs) < FEWEST_STRANGE or measured["low"] is None:
            left_out.append({"group": kind, "why": "too_few" if pairs else "none", "n": len(pairs)})
        else:
            shown.append({"group": kind, **measured})
    return shown, left_out


def strangeness(row: RankingRow, pair: Sequence[int], learned: Learned) -> Iterator[str]:
    """A pair is of a new model, or longer, if one of its responses is."""
    yield SEEN_PROMPT if row["prompt"] in learned.prompts else NEW_PROMPT
    if not (learned.sources or frozenset()).issuperset(row["sources"][place] for place in pair):
        yield NEW_MODEL
    if max(len(row["response_ids"][place]) for place in pair) > learned.long:
        yield LONGER


def accuracy(pairs: Sequence[tuple[float, int]]) -> Accuracy:
    """Share of pairs, each with its margin and its prompt, in the raters' order, equal scores half;
    with the interval over prompts.
    """
    scores = [rightness(margin) for margin, _prompt in pairs]
    low, high = intervals.of_votes(scores, [prompt for _margin, prompt in pairs]) or (None, None)
    share = sum(scores) / len(scores) if scores else 0.5
    return {"n": len(scores), "accuracy": share, "low": low, "high": high}
