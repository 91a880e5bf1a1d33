"""Finds runs of words that a text shares with known items, such as the items of a test suite.

Curation looks for test items in documents with it, and scorecards for the items of a suite in the
data that a model was trained on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arithmetic.similarity import Hashes, run_hashes
from training.snapshots.curation.rules.verdicts import Text

# A run in more items than this is the suite's wording, such as its instructions, not its content.
MOST_ITEMS = 10
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Hits:
    """Runs that a text shares with items, one entry each: where it begins in the text, the item's
    number, and where it begins in the item. In the order of the text.
    """

    at: Places
    items: Places
    places: Places

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True)
class WordRuns:
    """All runs of `n` words in some items, sorted by hash."""

    n: int
    hashes: Hashes
    items: Places
    places: Places

    def hits(self, text: Text) -> Hits:
        grams = run_hashes(text.word_hashes, self.n)
        first = np.searchsorted(self.hashes, grams, side="left")
        at = np.flatnonzero(self._is_in(grams, first))
        n_hits = np.searchsorted(self.hashes, grams[at], side="right") - first[at]
        # The k-th of the hits that begin at one word is the k-th after its first.
        starts = np.cumsum(n_hits) - n_hits
        rows = np.arange(int(n_hits.sum())) + np.repeat(first[at] - starts, n_hits)
        return Hits(np.repeat(at, n_hits), self.items[rows], self.places[rows])

    def _is_in(self, grams: Hashes, first: NDArray[np.intp]) -> NDArray[np.bool_]:
        if not len(self.hashes):
            return np.zeros(len(grams), dtype=bool)
        return np.equal(self.hashes[np.minimum(first, len(self.hashes) - 1)], grams)


def word_runs(texts: Iterable[tuple[int, Text]], n: int) -> WordRuns:
    """The runs of (item's number, text). An item may have several texts; no run goes across them,
    and its places count from the beginning of each.
    """
    empty = np.empty(0, dtype=np.int64)
    grams, items, places = [np.empty(0, dtype=np.uint64)], [empty], [empty]
    for item, text in texts:
        hashes = run_hashes(text.word_hashes, n)
        grams.append(hashes)
        items.append(np.full(len(hashes), item, dtype=np.int64))
        places.append(np.arange(len(hashes), dtype=np.int64))
    return _sorted(n, np.concatenate(grams), np.concatenate(items), np.concatenate(places))


def _sorted(n: int, hashes: Hashes, items: Places, places: Places) -> WordRuns:
    order = np.lexsort((places, items, hashes))
    hashes, items, places = hashes[order], items[order], places[order]
    # An item may hold a run twice, so items are counted, not occurrences.
    is_new = np.ones(len(hashes), dtype=bool)
    is_new[1:] = (hashes[1:] != hashes[:-1]) | (items[1:] != items[:-1])
    values, n_items = np.unique(hashes[is_new], return_counts=True)
    is_content = np.isin(hashes, values[n_items <= MOST_ITEMS])
    return WordRuns(n, hashes[is_content], items[is_content], places[is_content])
