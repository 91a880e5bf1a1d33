"""Whether a text holds the items that a model will be measured on.

Two tests, as GPT-3 and Tülu 3 use them: a run of 13 words that an item has too, and more than half
of an item's words inside shared runs of 8. The second finds items of which a word was changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from labeling.curation.verdicts import Hashes, Text, Verdict, gram_hashes

VERBATIM = 13
SHARED = 8
# A run in more items than this is the suite's wording, such as its instructions, not its content.
MOST_ITEMS = 10


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
    n_words: tuple[int, ...] = ()
    verbatim: Mapping[int, tuple[Hashes, Hashes]] = field(default_factory=dict)
    """run length → sorted hashes, and the item of each"""
    shared: tuple[Hashes, Hashes, Hashes] | None = None
    """sorted hashes, the item of each, and where in the item it begins"""
    digest: str = ""
    n_too_short: int = 0

    def __call__(self, text: Text) -> Verdict | None:
        if not self.names or len(text.words) < self.rule.shared:
            return None
        return self._verbatim(text) or self._by_share(text)

    def _verbatim(self, text: Text) -> Verdict | None:
        for n, (hashes, items) in self.verbatim.items():
            grams = gram_hashes(text.word_hashes, n)
            at = np.flatnonzero(_is_in(grams, hashes))
            if len(at):
                item = int(items[np.searchsorted(hashes, grams[at[0]])])
                rule = f"{self.rule.NAME}.verbatim"
                return Verdict(rule, n, self.rule.verbatim, twin=self.names[item])
        return None

    def _by_share(self, text: Text) -> Verdict | None:
        if self.shared is None:
            return None
        hashes, items, places = self.shared
        grams = gram_hashes(text.word_hashes, self.rule.shared)
        found = grams[_is_in(grams, hashes)]
        hit = np.flatnonzero(np.isin(hashes, found)) if len(found) else found.astype(np.int64)
        best, best_item = 0.0, -1
        for item in np.unique(items[hit]).tolist():
            covered = np.zeros(self.n_words[item], dtype=bool)
            for place in places[hit[items[hit] == item]].tolist():
                covered[place : place + self.rule.shared] = True
            share = float(covered.mean())
            if share > best:
                best, best_item = share, item
        if best <= self.rule.max_share:
            return None
        rule, twin = f"{self.rule.NAME}.shared", self.names[best_item]
        return Verdict(rule, round(best, 4), self.rule.max_share, twin=twin)


def against(items: Iterable[Item], rule: Decontamination) -> Against:
    """Reads the items once. An item shorter than the verbatim run is looked for as a whole."""
    names: list[str] = []
    n_words: list[int] = []
    verbatim: dict[int, list[tuple[Hashes, int]]] = {}
    shared: list[tuple[Hashes, int]] = []
    digest, n_too_short = sha256(), 0
    for item in items:
        words = Text(item.text).word_hashes
        digest.update(words.tobytes() + b"\x1e")
        if len(words) < rule.shared:
            n_too_short += 1
            continue
        place, n = len(names), min(rule.verbatim, len(words))
        names.append(item.name)
        n_words.append(len(words))
        verbatim.setdefault(n, []).append((gram_hashes(words, n), place))
        shared.append((gram_hashes(words, rule.shared), place))
    return Against(
        rule,
        tuple(names),
        tuple(n_words),
        {n: _sorted(parts)[:2] for n, parts in sorted(verbatim.items())},
        _sorted(shared) if shared else None,
        digest.hexdigest(),
        n_too_short,
    )


def _sorted(parts: list[tuple[Hashes, int]]) -> tuple[Hashes, Hashes, Hashes]:
    hashes = np.concatenate([grams for grams, _item in parts])
    items = np.concatenate([np.full(len(grams), item, np.uint64) for grams, item in parts])
    places = np.concatenate([np.arange(len(grams), dtype=np.uint64) for grams, _item in parts])
    # An item may hold a run twice, so items are counted, not occurrences.
    pairs = np.unique(np.stack([hashes, items], axis=1), axis=0)
    values, n_items = np.unique(pairs[:, 0], return_counts=True)
    is_content = np.isin(hashes, values[n_items <= MOST_ITEMS])
    hashes, items, places = hashes[is_content], items[is_content], places[is_content]
    order = np.argsort(hashes, kind="stable")
    return hashes[order], items[order], places[order]


def _is_in(grams: Hashes, hashes: Hashes) -> NDArray[np.bool_]:
    """Which of `grams` are among the sorted `hashes`."""
    if not len(grams) or not len(hashes):
        return np.zeros(len(grams), dtype=bool)
    at = np.minimum(np.searchsorted(hashes, grams), len(hashes) - 1)
    return np.equal(hashes[at], grams)
