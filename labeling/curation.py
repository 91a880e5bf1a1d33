"""Which prompts are the same, which nearly so, and on which side of the split they fall. Pure: no
Django, no database.

Two prompts are near-duplicates when the character 5-shingles of their texts have a Jaccard index of
0.8 or more, or when one's opening or whole text equals the other's after `skeleton`. Candidates are
found by keys (equal texts, and bands of a MinHash), thinned out by what their signatures let
expect, and then verified exactly.

Shingles are 64-bit hashes in sorted arrays: as sets of strings they took nine tenths of an import's
time.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

Message = dict[str, str]
Shingles = NDArray[np.uint64]

SHINGLE = 5
NEAR = 0.8
# Members are admitted a little below NEAR, so that texts this close to one already indexed need no
# keys of their own: Jaccard distance is a metric, so whatever is within 0.2 of such a text is
# within 0.25 of the indexed one.
JOIN = 0.75
SAME = 0.95
# 24 bands of 7 find a pair at 0.8 with probability 0.996. Any two long texts of one language are at
# 0.2: 0.0003.
N_BANDS, ROWS = 24, 7
N_VALUES = N_BANDS * ROWS
# A signature keeps a byte of each of the 168 MinHash values. Of a pair at JOIN fewer than half
# agree once in 10^13 times.
AGREEING = N_VALUES // 2
# Below this many characters a Jaccard index says nothing; equal text does.
SHORT = 25
# An opening such as "Hello there" is shared by conversations that have nothing else in common.
TELLING_OPENING = 40
# Longer texts are compared by their beginnings.
COMPARED = 8_000
# Keys held by more prompts than this come from a template that they share, and tell nothing any
# more.
CROWDED = 32

SPLITS = (("train", 80), ("validation", 90), ("test", 100))


def fingerprint(messages: Sequence[Message]) -> str:
    """SHA-256 (hex) of a conversation whose Unicode form and white space do not matter, but whose
    letters do.
    """
    digest = hashlib.sha256()
    for message in messages:
        digest.update(f"{message['role']}\x1f{letters_of(message['content'])}\x1e".encode())
    return digest.hexdigest()


def letters_of(text: str) -> str:
    """The text in one Unicode form, with a space wherever it has white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def split_of(cluster: str) -> str:
    """Train, validation or test, about 80/10/10 and always the same for the same cluster."""
    place = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8]) % 100
    return next(split for split, below in SPLITS if place < below)


def skeleton(text: str) -> str:
    """What is left of a text when case, width, punctuation and spacing are taken away; the text
    where that is nothing.
    """
    folded = unicodedata.normalize("NFKC", text[:COMPARED]).casefold()
    return " ".join(folded.translate(_letters).split()) or text.strip()


class _Letters(dict[int, int]):
    """A translation table that leaves letters, digits and marks, and makes a space of everything
    else; filled as met.
    """

    def __missing__(self, code: int) -> int:
        c = chr(code)
        self[code] = code if c.isalnum() or unicodedata.category(c).startswith("M") else ord(" ")
        return self[code]


_letters = _Letters()


def jaccard(a: Shingles, b: Shingles) -> float:
    """Size of the intersection over size of the union; 0 for two empty sets."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common) if common else 0.0


def shingles(text: str) -> Shingles:
    """Every run of five characters of a skeleton, hashed, sorted, once each; none when it is too
    short to compare.
    """
    if len(text) < SHORT:
        return np.empty(0, dtype=np.uint64)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    n = len(codes) - SHINGLE + 1
    hashed = np.zeros(n, dtype=np.uint64)
    for at in range(SHINGLE):
        hashed = hashed * _ODD + codes[at : at + n]
    hashed = (hashed ^ (hashed >> np.uint64(31))) * _ODD
    return np.unique(hashed ^ (hashed >> np.uint64(29)))


_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Sketch:
    """A prompt made comparable: its skeletons (opening, whole), the keys that decide alone, and
    each skeleton's shingles, bands and signature.
    """

    texts: tuple[str, ...]
    sets: tuple[Shingles, ...]
    exact: frozenset[int]
    bands: tuple[frozenset[int], ...] = ()
    signature: bytes = b""
    """of all skeletons that have shingles, one after the other"""

    @cached_property
    def keys(self) -> frozenset[int]:
        return self.exact.union(*self.bands)

    def nearest(self, own: Shingles) -> float:
        """The highest Jaccard index between `own` and one of the texts."""
        return max(jaccard(own, other) for other in self.sets)

    def may_be_near(self, signature: bytes) -> bool:
        """Whether a prompt of this signature is worth comparing with. One that has none always
        is.
        """
        if not signature:
            return True
        own, other = (
            np.frombuffer(given, dtype=np.uint8).reshape(-1, N_VALUES)
            for given in (self.signature, signature)
        )
        return bool(((own[:, None] == other[None]).sum(axis=2) >= AGREEING).any())


def compared_texts(messages: Sequence[Message]) -> tuple[str, ...]:
    """The skeletons that stand for a conversation: what it opens with, if that is telling, and all
    of it.
    """
    turns = [message["content"] for message in messages if message["role"] != "system"]
    opening, whole = skeleton(turns[0]), skeleton("\n".join(turns))
    if len(turns) == 1:
        return (whole,)
    return (opening, whole) if len(opening) >= TELLING_OPENING else (whole,)


def remembered(messages: Sequence[Message], shared: Iterable[int] = ()) -> Sketch:
    """A stored prompt as something to compare with; `shared` are the keys it was found by that
    decide alone.
    """
    texts = compared_texts(messages)
    exact = frozenset(shared) | {_key("text", text) for text in texts}
    return Sketch(
        texts,
        tuple(shingles(text) for text in texts),
        exact,
        tuple(frozenset[int]() for _ in texts),
    )


def sketches(
    conversations: Iterable[Sequence[Message]], groups: Iterable[str] | None = None
) -> list[Sketch]:
    """One sketch a conversation. `groups` names what belongs together whatever its text ("" for
    nothing).
    """
    texts = [compared_texts(messages) for messages in conversations]
    names = list(groups) if groups is not None else [""] * len(texts)
    sets = [tuple(shingles(text) for text in several) for several in texts]
    digests = iter(_digests([own for several in sets for own in several]))
    made = []
    for several, own, group in zip(texts, sets, names, strict=True):
        exact = {_key("text", text) for text in several}
        if group:
            exact.add(_key("group", group))
        values = [next(digests) for _ in own]
        signature = b"".join(value.astype(np.uint8).tobytes() for value in values if len(value))
        made.append(
            Sketch(
                several,
                own,
                frozenset(exact),
                tuple(_band_keys(value) for value in values),
                signature,
            )
        )
    return made


def likeness(a: Sketch, b: Sketch) -> float:
    """The highest Jaccard index between a text of one and a text of the other; 1 when they share an
    exact key.
    """
    if a.exact & b.exact:
        return 1.0
    return max(b.nearest(own) for own in a.sets)


@dataclass
class Cluster:
    """Prompts that must lie on one side. `is_fixed` when some of them were there before and cannot
    change sides.
    """

    name: str
    is_fixed: bool
    split: str
    merged_into: "Cluster | None" = None

    def root(self) -> "Cluster":
        cluster = self
        while cluster.merged_into is not None:
            cluster = cluster.merged_into
        return cluster


@dataclass(frozen=True)
class Member:
    """A prompt that can be found by its keys."""

    sketch: Sketch
    cluster: Cluster


@dataclass(frozen=True)
class Placement:
    """Where a prompt goes: its cluster, the clusters that it ties to this one, the keys worth
    storing.

    `cluster` is None when it would lie on two sides at once: it is nearly the same as prompts of
    `sides`.
    """

    cluster: Cluster | None
    merged: tuple[Cluster, ...] = ()
    keys: frozenset[int] = frozenset()
    sides: tuple[str, ...] = ()


@dataclass
class Neighbourhood:
    """Members by key, as far as they matter to the prompts at hand."""

    by_key: dict[int, list[Member]] = field(default_factory=dict)
    unlike: Counter[int] = field(default_factory=Counter)
    """By key, the prompts that hold it and were not read, as their signatures tell that they are
    not near.
    """

    def add(self, member: Member, keys: Iterable[int]) -> None:
        for key in keys:
            self.by_key.setdefault(key, []).append(member)

    def place(self, sketch: Sketch, name: str) -> Placement:
        """Find the cluster for a prompt, founding one called `name` when nothing is near; then it
        is a member too.
        """
        clusters = list(
            {id(c): c for c in (member.cluster.root() for member in self._near(sketch))}.values()
        )
        fixed = [cluster for cluster in clusters if cluster.is_fixed]
        sides = tuple(sorted({cluster.split for cluster in fixed}))
        if len(sides) > 1:
            return Placement(None, sides=sides)
        home = (
            fixed[0] if fixed else clusters[0] if clusters else Cluster(name, False, split_of(name))
        )
        # Fixed clusters that agree on their side may stay apart.
        merged = tuple(
            cluster for cluster in clusters if cluster is not home and not cluster.is_fixed
        )
        for cluster in merged:
            cluster.merged_into = home
        keys = self._worth_storing(sketch)
        self.add(Member(sketch, home), keys)
        return Placement(home, merged, keys)

    def _worth_storing(self, sketch: Sketch) -> frozenset[int]:
        keys = {key for key in sketch.exact if key not in self.by_key}
        for own, bands in zip(sketch.sets, sketch.bands, strict=True):
            found = {
                id(member): member for key in bands for member in self.by_key.get(key, ())[:CROWDED]
            }
            if any(member.sketch.nearest(own) >= SAME for member in found.values()):
                continue
            keys.update(
                key for key in bands if len(self.by_key.get(key, ())) + self.unlike[key] < CROWDED
            )
        return frozenset(keys)

    def _near(self, sketch: Sketch) -> list[Member]:
        shared: dict[int, int] = {}
        members: dict[int, Member] = {}
        for key in sketch.keys:
            for member in self.by_key.get(key, ()):
                members[id(member)] = member
                # An exact key decides alone, so it outweighs every band.
                shared[id(member)] = shared.get(id(member), 0) + (
                    N_BANDS if key in sketch.exact else 1
                )
        likeliest = sorted(shared, key=lambda i: -shared[i])[:CROWDED]
        return [members[i] for i in likeliest if likeness(sketch, members[i].sketch) >= JOIN]


def _key(kind: str, text: str) -> int:
    """A signed 64-bit number, as a database's bigint holds it."""
    return int.from_bytes(
        hashlib.blake2b(
            f"{kind}\x1f{text}".encode("utf-8", "surrogatepass"), digest_size=8
        ).digest(),
        signed=True,
    )


def _digests(sets: Sequence[Shingles]) -> list[NDArray[np.uint32]]:
    """The MinHash values of each set; none of an empty one."""
    if not sets:
        return []
    offsets = np.cumsum([0, *(len(own) for own in sets)]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(sets), offsets, num_perm=N_VALUES, seed=1
    )
    rows = np.array(matrix.to_rows(), dtype="<u4")
    return [row if len(own) else row[:0] for row, own in zip(rows, sets, strict=True)]


def _band_keys(values: NDArray[np.uint32]) -> frozenset[int]:
    """One key a band, the band's number hashed in: the same values in two bands are two things."""
    if not len(values):
        return frozenset()
    bands = (bytes((i,)) + values[i * ROWS : (i + 1) * ROWS].tobytes() for i in range(N_BANDS))
    return frozenset(
        int.from_bytes(hashlib.blake2b(band, digest_size=8).digest(), signed=True) for band in bands
    )
