"""Whether a text holds the items that a model will be measured on.

Two tests, as GPT-3 and Tülu 3 use them: a run of 13 words that an item has too, and more than half
of an item's words inside shared runs of 8. The second finds items of which a word was changed.

Tülu 3 compares items with prompts, which are short. In a long text, runs of 8 common words meet by
chance, each in another place. So the runs that count are those of one passage: they follow each
other in the text as they do in the item.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar

import numpy as np

from training.snapshots.curation.rules.verdicts import Text, Verdict
from training.snapshots.curation.rules.word_runs import Places, WordRuns, word_runs

VERBATIM = 13
SHARED = 8


@dataclass(frozen=True)
class Item:
    """One item of a suite, or a gold item. `name` goes into the ledger."""

    name: str
    text: str


@dataclass(frozen=True)
class Decontamination:
    """No item of what it is given is in the text. Items with fewer than 8 words are not looked for:
    their words meet by chance.
    """

    NAME: ClassVar[str] = "decontamination"
    verbatim: int = VERBATIM
    shared: int = SHARED
    max_share: float = 0.5


@dataclass(frozen=True)
class Against:
    """Items ready to be looked for."""

    rule: Decontamination = Decontamination()
    names: tuple[str, ...] = ()
    n_words: Places = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    verbatim: Mapping[int, WordRuns] = field(default_factory=dict)
    """by the length of the run"""
    shared: WordRuns | None = None
    digest: str = ""
    n_too_short: int = 0

    def __call__(self, text: Text) -> Verdict | None:
        if not self.names or len(text.words) < self.rule.shared:
            return None
        return self._verbatim(text) or self._by_share(text)

    def _verbatim(self, text: Text) -> Verdict | None:
        for n, runs in self.verbatim.items():
            hits = runs.hits(text)
            if len(hits):
                rule, twin = f"{self.rule.NAME}.verbatim", self.names[int(hits.items[0])]
                return Verdict(rule, n, self.rule.verbatim, twin=twin)
        return None

    def _by_share(self, text: Text) -> Verdict | None:
        if self.shared is None:
            return None
        hits = self.shared.hits(text)
        best, best_item = 0.0, -1
        items, n_hits = np.unique(hits.items, return_counts=True)
        n_words = self.n_words[items]
        # Most items share a run or two, which cannot be enough.
        for item in items[n_hits * self.rule.shared > self.rule.max_share * n_words].tolist():
            is_its = hits.items == item
            share = self._share(hits.at[is_its], hits.places[is_its], int(self.n_words[item]))
            if share > best:
                best, best_item = share, item
        if best <= self.rule.max_share:
            return None
        rule, twin = f"{self.rule.NAME}.shared", self.names[best_item]
        return Verdict(rule, round(best, 4), self.rule.max_share, twin=twin)

    def _share(self, at: Places, places: Places, n_words: int) -> float:
        """The share of an item's words that one passage holds: runs whose distance from where the
        item would begin differs by no more than a run, which leaves room for words put in or left
        out. 0 if no passage can hold enough.
        """
        run = self.rule.shared
        begins = at - places
        order = np.argsort(begins, kind="stable")
        begins, places = begins[order], places[order]
        ends = np.searchsorted(begins, begins + run, side="right")
        needed = self.rule.max_share * n_words / run
        first_of_each = np.flatnonzero(np.diff(begins, prepend=begins[0] - 1))
        best = 0.0
        for start in first_of_each[ends[first_of_each] - first_of_each > needed].tolist():
            covered = np.zeros(n_words, dtype=bool)
            for place in np.unique(places[start : ends[start]]).tolist():
                covered[place : place + run] = True
            best = max(best, float(covered.mean()))
        return best


def against(items: Iterable[Item], rule: Decontamination) -> Against:
    """Reads the items once. An item shorter than the verbatim run is looked for as a whole."""
    names: list[str] = []
    texts: list[Text] = []
    digest, n_too_short = sha256(), 0
    for item in items:
        text = Text(item.text)
        digest.update(text.word_hashes.tobytes() + b"\x1e")
        if len(text.words) < rule.shared:
            n_too_short += 1
            continue
        names.append(item.name)
        texts.append(text)
    by_length: dict[int, list[tuple[int, Text]]] = {}
    for place, text in enumerate(texts):
        by_length.setdefault(min(rule.verbatim, len(text.words)), []).append((place, text))
    return Against(
        rule,
        tuple(names),
        np.array([len(text.words) for text in texts], dtype=np.int64),
        {n: word_runs(of_length, n) for n, of_length in sorted(by_length.items())},
        word_runs(enumerate(texts), rule.shared) if texts else None,
        digest.hexdigest(),
        n_too_short,
    )
