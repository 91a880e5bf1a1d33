"""A snapshot's card: how many rows it has by split, source, licence, category and rater, and what
was left out.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from arithmetic.chats import Message
from training.processes import run_dir


@dataclass(frozen=True)
class ByJudge:
    """Whose verdict a row is, and the look that allowed it, if one did."""

    judge: str
    version: int
    number: int
    sha256: str
    look: int | None
    slice: str
    weight: float


@dataclass(frozen=True)
class Row:
    """A row of a snapshot, with what the card needs to know about it."""

    split: str
    content: Mapping[str, Any]
    judgment_id: int | None
    cluster: str
    licences: set[str]
    category: str
    sources: tuple[str, ...] = ()
    rater: str | None = None
    guideline: str | None = None
    n_pairs: int = 0
    is_edit: bool = False
    weight: float | None = None
    """set if judgments are weighted"""
    label: bool | None = None
    """of a response that somebody called good or bad"""
    voters: tuple[int, ...] = ()
    """the judgments that chose it, if several did"""
    judge: ByJudge | None = None
    """None unless a judge made it"""

    @property
    def weight_in_loss(self) -> float:
        """Each decided pair has the weight of its row."""
        weight: float = self.content.get("weight", 1.0)
        return weight * max(1, self.n_pairs)


@dataclass
class CardTally:
    """Counts the rows for the snapshot's card."""

    judgment_ids: list[int] = field(default_factory=list)
    prompt_ids: list[int] = field(default_factory=list)
    """of rows without a judgment"""
    by_split: Counter[str] = field(default_factory=Counter)
    pairs_by_split: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    """how many responses are good, and bad"""
    n_edits: int = 0
    n_demonstrations: int = 0
    """stored beside comparisons"""
    prompts: set[str] = field(default_factory=set)
    raters: set[str] = field(default_factory=set)
    weights: dict[str, tuple[float, int]] = field(default_factory=dict)
    """rater → the lowest weight of a judgment of theirs, and how many judgments"""
    training_rows: dict[ByJudge | None, tuple[int, float]] = field(default_factory=dict)
    """judge, or None for people → how many rows that train, and the sum of their weights"""
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            name: Counter() for name in ("sources", "licences", "categories", "guidelines")
        }
    )

    def add(self, row: Row) -> None:
        self.by_split[row.split] += 1
        self.pairs_by_split[row.split] += row.n_pairs
        self.prompts.add(text_key(row.content["prompt"]))
        # An edit follows its own ranking, and the responses of a ranking one another.
        is_new = self.judgment_ids[-1:] != [row.judgment_id]
        if row.judgment_id is not None and is_new:
            self.judgment_ids.append(row.judgment_id)
        if row.label is not None:
            self.labels["good" if row.label else "bad"] += 1
        self.judgment_ids += row.voters
        if "prompt_id" in row.content:
            self.prompt_ids.append(row.content["prompt_id"])
        self.n_edits += row.is_edit
        if row.rater and row.weight is not None and not row.is_edit and is_new:
            lowest, n = self.weights.get(row.rater, (row.weight, 0))
            self.weights[row.rater] = (min(lowest, row.weight), n + 1)
        if row.split == "train":
            n, weight = self.training_rows.get(row.judge, (0, 0.0))
            self.training_rows[row.judge] = (n + 1, weight + row.weight_in_loss)
        self.counts["categories"][row.category] += 1
        self._count_origin(row)

    def add_demonstrations(self, rows: Sequence[Row]) -> None:
        """Demonstrations beside comparisons: not rows of a split, but a run learns from them."""
        self.n_demonstrations += len(rows)
        # The turns of a dialogue are rows of one judgment, and the edit of a comparison is one of
        # its rows and a demonstration.
        theirs = {row.judgment_id for row in rows if row.judgment_id is not None}
        self.judgment_ids += sorted(theirs.difference(self.judgment_ids))
        for row in rows:
            self._count_origin(row)

    def _count_origin(self, row: Row) -> None:
        if row.rater:
            self.raters.add(row.rater)
        self.counts["sources"].update(set(row.sources))
        self.counts["licences"].update(sorted(row.licences))
        if row.guideline:
            self.counts["guidelines"][row.guideline] += 1


def card_of(
    *,
    kind: str,
    filters: Mapping[str, object],
    tally: CardTally,
    left_out: Counter[str],
    best_of: list[dict[str, object]],
    has_verdicts: bool = False,
) -> dict[str, object]:
    """`best_of`: the runs that the best responses come from, with their models; empty if none.
    `has_verdicts`: whether judges' verdicts were asked for.
    """
    card: dict[str, object] = {
        "kind": kind,
        "rows": tally.by_split.total(),
        "prompts": len(tally.prompts),
        "splits": {split: tally.by_split[split] for split in run_dir.SPLITS},
        "filters": filters,
        "left_out": dict((+left_out).most_common()),
        **{name: dict(counter.most_common()) for name, counter in tally.counts.items()},
    }
    if tally.weights:
        card["weights"] = _weights(tally)
    if best_of:
        card["best_of"] = best_of
    if kind == "comparisons":
        card["pairs"] = {split: tally.pairs_by_split[split] for split in run_dir.SPLITS}
        card["demonstrations"] = tally.n_demonstrations
    if kind == "unpaired":
        card["labels"] = dict(tally.labels)
    if has_verdicts:
        card["verdicts"] = _verdicts(tally)
    if kind != "prompts":
        card["raters"] = len(tally.raters)
        card["edits"] = tally.n_edits
    return card


def _weights(tally: CardTally) -> dict[str, object]:
    """The weight of each rater, by alias, so that the card says which weights a run used."""
    return {
        "by": "reliability",
        "raters": {
            rater: {"weight": weight, "judgments": n}
            for rater, (weight, n) in sorted(tally.weights.items())
        },
    }


def _verdicts(tally: CardTally) -> dict[str, object]:
    """Who decided the rows that train, and with what share of the loss: people, and judges by
    version and look.
    """
    n_rows = sum(n for n, _weight in tally.training_rows.values()) or 1
    whole = sum(weight for _n, weight in tally.training_rows.values()) or 1.0

    def shares(n: int, weight: float) -> dict[str, object]:
        return {
            "rows": n,
            "share": round(n / n_rows, 4),
            "share_of_weight": round(weight / whole, 4),
        }

    of_judges = [
        (asdict(judge) | shares(*counted))
        for judge, counted in tally.training_rows.items()
        if judge is not None
    ]
    return {
        "people": shares(*tally.training_rows.get(None, (0, 0.0))),
        "judges": sorted(of_judges, key=lambda one: (one["version"], one["look"] or 0)),
    }


def text_key(messages: list[Message]) -> str:
    """A hash of a conversation's text."""
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()


def n_decided_pairs(ranks: Sequence[int | None]) -> int:
    """Pairs of ranked responses that are not tied."""
    ranked = [rank for rank in ranks if rank is not None]
    return sum(a != b for i, a in enumerate(ranked) for b in ranked[i + 1 :])
