"""Which documents say what another one says, and which of them stays. Also: how many documents one
author may have.

These rules need all documents at once. The first pass writes a fixed-size record of each document;
the rules then read the records by column, so that memory grows by tens of bytes a document.

A near duplicate is compared with documents that stay, never with ones that go: A like B and B like
C removes C only if it is like what was kept. There are no chains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from arithmetic import similarity
from arithmetic.similarity import Hashes
from training.snapshots.curation.rules.verdicts import Text, Verdict, stable_hash

# 20 bands of 6: a pair at a Jaccard index of 0.8 is found with probability 0.998.
BANDS = similarity.MinHash(20, 6)
# The best of a crowd; the others in it are near to these too, or not at all.
CROWDED = 16
LONGEST, OLDEST, BEST_LICENCE = "longest", "oldest", "best_licence"
KEEPS = (LONGEST, OLDEST, BEST_LICENCE)
WORDS, CHARACTERS = "words", "characters"
NEVER = np.iinfo(np.int64).max
_FREEST_FIRST = (
    "cc0 pddl public unlicense mit-0 0bsd mit isc bsd zlib apache cc-by-4 cc-by-3 cc-by-2 odc-by"
    " cdla-permissive mpl lgpl cc-by-sa odbl gpl agpl cc-by-nd cc-by-nc"
)
LICENCES = _FREEST_FIRST.split()
"""What is not here comes last."""
RECORD = np.dtype(
    [
        ("document", "<u8"),
        ("exact", "<u8", (2,)),
        ("bands", "<u8", (BANDS.n_bands,)),
        ("offset", "<u8"),
        ("length", "<u4"),
        ("licence", "<u2"),
        ("has_bands", "u1"),
        ("is_changed", "u1"),
        ("author", "<u8"),
        ("created", "<i8"),
    ]
)
Records = NDArray[Any]
TextAt = Callable[[int], str]


@dataclass(frozen=True)
class ExactDuplicates:
    """No two texts are equal but for case, punctuation and spacing."""

    NAME: ClassVar[str] = "exact_duplicate"
    keeps: str = LONGEST

    def apply(self, records: Records, is_kept: NDArray[np.bool_], _read: TextAt) -> "Removals":
        alive = np.flatnonzero(is_kept)
        order = alive[_best_first(records[alive], self.keeps)]
        digests = records["exact"][order]
        _values, first, group = np.unique(digests, axis=0, return_index=True, return_inverse=True)
        twins = order[first[group.reshape(-1)]]
        return {
            int(row): (int(twin), Verdict(self.NAME, 1.0, 1.0))
            for row, twin in zip(order, twins, strict=True)
            if row != twin
        }


@dataclass(frozen=True)
class NearDuplicates:
    """No two texts share most of their runs of words (or characters, for short texts): MinHash
    finds candidates, and the exact Jaccard index decides.
    """

    NAME: ClassVar[str] = "near_duplicate"
    threshold: float = 0.8
    runs_of: str = WORDS
    run: int = 5
    keeps: str = LONGEST

    def apply(self, records: Records, is_kept: NDArray[np.bool_], read: TextAt) -> "Removals":
        alive = np.flatnonzero(is_kept & (records["has_bands"] == 1))
        order = alive[_best_first(records[alive], self.keeps)]
        buckets = _crowded_buckets(records, order)
        stays: dict[int, list[int]] = {}
        removed: Removals = {}

        @lru_cache(maxsize=512)
        def shingles_at(place: int) -> Hashes:
            return self.shingles(Text(read(place)))

        for place, mine in buckets:
            row = int(order[place])
            candidates = dict.fromkeys(other for key in mine for other in stays.get(key, ()))
            near = [
                (similarity.jaccard(shingles_at(row), shingles_at(other)), other)
                for other in candidates
            ]
            likeness, twin = max(near, key=lambda pair: pair[0], default=(0.0, -1))
            if likeness >= self.threshold:
                verdict = Verdict(self.NAME, round(likeness, 4), self.threshold)
                removed[row] = (twin, verdict)
                continue
            for key in mine:
                crowd = stays.setdefault(key, [])
                if len(crowd) < CROWDED:
                    crowd.append(row)
        return removed

    def shingles(self, text: Text) -> Hashes:
        if self.runs_of == CHARACTERS:
            return similarity.shingles(similarity.skeleton(text.text))
        return np.unique(similarity.run_hashes(text.word_hashes, self.run))


@dataclass(frozen=True)
class AuthorCap:
    """At most `most` documents by one author. Documents without an author are not counted."""

    NAME: ClassVar[str] = "author_cap"
    most: int = 200
    keeps: str = OLDEST

    def apply(self, records: Records, is_kept: NDArray[np.bool_], _read: TextAt) -> "Removals":
        alive = np.flatnonzero(is_kept & (records["author"] != 0))
        order = alive[_best_first(records[alive], self.keeps)]
        n_of: dict[int, int] = {}
        removed: Removals = {}
        for row in order.tolist():
            author = int(records["author"][row])
            n_of[author] = n = n_of.get(author, 0) + 1
            if n > self.most:
                removed[row] = (-1, Verdict(self.NAME, n, self.most))
        return removed


Removals = dict[int, tuple[int, Verdict]]
"""place of a removed document → place of its twin (-1 for none), and why"""


def record(
    text: Text,
    *,
    context: Text,
    near: NearDuplicates | None,
    document: int,
    offset: int,
    is_changed: bool,
    licence: str,
    author: str,
    created: str,
) -> Records:
    """The record of a document whose line begins at `offset`. Documents are alike only if the
    contexts, what the texts answer, are equal.
    """
    made = np.zeros(1, dtype=RECORD)
    made["is_changed"] = is_changed
    made["document"], made["offset"], made["length"] = document, offset, len(text.text)
    answered = " ".join(context.words)
    answer = " ".join(text.words) or text.text.strip()
    whole = f"{answered}\x1e{answer}" if answered else answer
    digest = sha256(whole.encode("utf-8", "surrogatepass")).digest()
    made["exact"] = np.frombuffer(digest[:16], dtype="<u8")
    made["licence"] = licence_rank(licence)
    made["author"] = stable_hash(author) if author else 0
    made["created"] = _seconds(created)
    shingles = near.shingles(text) if near else np.empty(0, dtype=np.uint64)
    if len(shingles):
        made["has_bands"] = 1
        # Answers to other questions are in other buckets, and never compared.
        keys = np.array(BANDS.keys(BANDS.values([shingles])[0]), dtype=np.int64).view(np.uint64)
        made["bands"] = keys ^ np.uint64(stable_hash(answered) if answered else 0)
    return made


def licence_rank(licence: str) -> int:
    """0 for the freest; a name that is not known comes last."""
    name = "-".join(licence.lower().replace("_", "-").split())
    # "cc-by-nc-sa" begins with "cc-by" too, so the longest beginning counts.
    known = [(len(prefix), rank) for rank, prefix in enumerate(LICENCES) if name.startswith(prefix)]
    return max(known)[1] if known else len(LICENCES)


def _seconds(created: str) -> int:
    """Documents without a date are the newest."""
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return NEVER
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _best_first(records: Records, keeps: str) -> NDArray[np.intp]:
    """The order in which documents are preferred. Ties go to the one that was read first."""
    document = records["document"]
    newness, shortness = records["created"], -records["length"].astype(np.int64)
    if keeps == OLDEST:
        return np.lexsort((document, newness))
    if keeps == BEST_LICENCE:
        return np.lexsort((document, shortness, records["licence"]))
    return np.lexsort((document, shortness))


def _crowded_buckets(
    records: Records, order: NDArray[np.intp]
) -> list[tuple[int, tuple[int, ...]]]:
    """(place in `order`, the buckets that it shares with others), in order. Most documents share
    none and are not here.
    """
    places, keys = [], []
    for band in range(BANDS.n_bands):
        column = records["bands"][:, band][order]
        _values, bucket, counts = np.unique(column, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(counts[bucket] > 1)
        places.append(shared)
        keys.append(bucket[shared].astype(np.int64) * BANDS.n_bands + band)
    place, key = np.concatenate(places), np.concatenate(keys)
    if not len(place):
        return []
    by_place = np.argsort(place, kind="stable")
    place, key = place[by_place], key[by_place]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    return [
        (int(place[start]), tuple(part.tolist()))
        for start, part in zip(starts, np.split(key, starts[1:]), strict=True)
    ]
