"""Which prompts are duplicates or near-duplicates, and which split they belong to. Pure: no Django,
no database.

Two prompts are near-duplicates when the character 5-shingles of their texts have a Jaccard index of
0.8 or more, or when the opening or whole text of one equals the other's after `skeleton`.
Candidates are found by keys (equal texts, and bands of a MinHash), filtered by their signatures,
and then verified exactly.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arithmetic import chats
from arithmetic.chats import Message, Tool
from arithmetic.similarity import Hashes, MinHash, jaccard, shingles, skeleton

NEAR = 0.8
# Texts join a little below NEAR, so that a text this close to an indexed one needs no keys of its
# own: Jaccard distance is a metric, so whatever is within 0.2 of such a text is within 0.25 of the
# indexed one.
JOIN = 0.75
SAME = 0.95
# 24 bands of 7 find a pair at 0.8 with probability 0.996, and a pair at 0.2 (any two long texts of
# one language) with probability 0.0003.
BANDS = MinHash(24, 7)
# A signature holds one byte of each of the 168 MinHash values. For a pair at JOIN, fewer than half
# of them agree once in 10^13 times.
AGREEING = BANDS.n_values // 2
# Unrelated conversations share short openings such as "Hello there".
TELLING_OPENING = 40
# Keys shared by more prompts come from a common template and carry no information.
CROWDED = 32

SPLITS = (("train", 80), ("validation", 90), ("test", 100))


def fingerprint(messages: Sequence[Message], tools: Sequence[Tool] = ()) -> str:
    """SHA-256 (hex) of a conversation, ignoring Unicode form and white space but not letters.
    Thinking, tool calls and tools count where there are any.
    """
    digest = hashlib.sha256()
    for message in messages:
        digest.update(f"{message['role']}\x1f{letters_of(message['content'])}\x1e".encode())
        if parts := chats.parts_of(message):
            digest.update(f"{parts}\x1d".encode())
    if tools:
        digest.update(f"{chats.as_json(tools)}\x1d".encode())
    return digest.hexdigest()


def letters_of(text: str) -> str:
    """The text in one Unicode form, with a single space for any white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def split_of(cluster: str) -> str:
    """Train, validation or test, about 80/10/10 and always the same for the same cluster."""
    place = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8]) % 100
    return next(split for split, below in SPLITS if place < below)


@dataclass(frozen=True, eq=False)
class Sketch:
    """A prompt ready to be compared: its skeletons (opening, whole), the exact keys, and each
    skeleton's shingles, bands and signature.
    """

    texts: tuple[str, ...]
    sets: tuple[Hashes, ...]
    exact: frozenset[int]
    bands: tuple[frozenset[int], ...] = ()
    signature: bytes = b""
    """of all skeletons that have shingles, concatenated"""

    @cached_property
    def keys(self) -> frozenset[int]:
        return self.exact.union(*self.bands)

    def nearest(self, hashes: Hashes) -> float:
        """The highest Jaccard index between `hashes` and one of the texts."""
        return max(jaccard(hashes, compared) for compared in self.sets)

    def may_be_near(self, signature: bytes) -> bool:
        """Whether a prompt with this signature is worth comparing. A prompt without one always
        is.
        """
        if not signature:
            return True
        agrees = _values(self.signature)[:, None] == _values(signature)[None]
        return bool((agrees.sum(axis=2) >= AGREEING).any())


def compared_texts(messages: Sequence[Message]) -> tuple[str, ...]:
    """The skeletons that represent a conversation: its opening if long enough to be distinctive,
    and the whole.
    """
    turns = [message["content"] for message in messages if message["role"] != "system"]
    opening, whole = skeleton(turns[0]), skeleton("\n".join(turns))
    if len(turns) == 1:
        return (whole,)
    return (opening, whole) if len(opening) >= TELLING_OPENING else (whole,)


def remembered(messages: Sequence[Message], shared: Iterable[int] = ()) -> Sketch:
    """A sketch of a stored prompt; `shared` are the exact keys it was found by."""
    texts = compared_texts(messages)
    # It needs no bands: the caller has already found it by them.
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
    """One sketch per conversation. `groups` names conversations that belong together whatever their
    text ("" for none).
    """
    texts = [compared_texts(messages) for messages in conversations]
    names = list(groups) if groups is not None else [""] * len(texts)
    sets = [tuple(shingles(text) for text in skeletons) for skeletons in texts]
    minhashes = iter(BANDS.values([hashes for prompt_sets in sets for hashes in prompt_sets]))
    made = []
    for skeletons, prompt_sets, group in zip(texts, sets, names, strict=True):
        exact = {_key("text", text) for text in skeletons}
        if group:
            exact.add(_key("group", group))
        values = [next(minhashes) for _ in prompt_sets]
        signature = b"".join(value.astype(np.uint8).tobytes() for value in values if len(value))
        made.append(
            Sketch(
                skeletons,
                prompt_sets,
                frozenset(exact),
                tuple(frozenset(BANDS.keys(value)) for value in values),
                signature,
            )
        )
    return made


def likeness(sketch: Sketch, other: Sketch) -> float:
    """The highest Jaccard index between any text of one and any of the other; 1 if they share an
    exact key.
    """
    if sketch.exact & other.exact:
        return 1.0
    return max(other.nearest(hashes) for hashes in sketch.sets)


@dataclass
class Cluster:
    """Prompts that must be in the same split. `is_fixed` if some of them are already stored and
    cannot change.
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
    """Where a prompt goes: its cluster, the clusters that it merges into this one, and the keys
    worth storing.

    `cluster` is None if the prompt would belong to two splits at once: it is nearly the same as
    prompts of all `sides`.
    """

    cluster: Cluster | None
    merged: tuple[Cluster, ...] = ()
    keys: frozenset[int] = frozenset()
    sides: tuple[str, ...] = ()


@dataclass
class Neighbourhood:
    """Members by key, limited to those that may matter to the prompts being placed."""

    by_key: dict[int, list[Member]] = field(default_factory=dict)
    unlike: Counter[int] = field(default_factory=Counter)
    """By key, the number of prompts that hold it and were not loaded because their signatures rule
    out similarity.
    """

    def add(self, member: Member, keys: Iterable[int]) -> None:
        for key in keys:
            self.by_key.setdefault(key, []).append(member)

    def place(self, sketch: Sketch, name: str) -> Placement:
        """Finds the cluster for a prompt, or creates one called `name` if nothing is near, and adds
        the prompt as a member.
        """
        roots = [member.cluster.root() for member in self._near(sketch)]
        clusters = list({id(cluster): cluster for cluster in roots}.values())
        fixed = [cluster for cluster in clusters if cluster.is_fixed]
        sides = tuple(sorted({cluster.split for cluster in fixed}))
        if len(sides) > 1:
            return Placement(None, sides=sides)
        home = (
            fixed[0] if fixed else clusters[0] if clusters else Cluster(name, False, split_of(name))
        )
        # Fixed clusters in the same split may stay separate.
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
        for hashes, bands in zip(sketch.sets, sketch.bands, strict=True):
            near = {
                id(member): member for key in bands for member in self.by_key.get(key, ())[:CROWDED]
            }
            # A text this similar is found through the keys of the stored one.
            if any(member.sketch.nearest(hashes) >= SAME for member in near.values()):
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
                # An exact key is decisive, so it outweighs every band.
                shared[id(member)] = shared.get(id(member), 0) + (
                    BANDS.n_bands if key in sketch.exact else 1
                )
        # Exact comparison is slow, so compare only those that share the most keys.
        likeliest = sorted(members.values(), key=lambda member: -shared[id(member)])[:CROWDED]
        return [member for member in likeliest if likeness(sketch, member.sketch) >= JOIN]


def _values(signature: bytes) -> NDArray[np.uint8]:
    """A row of MinHash values for each skeleton."""
    return np.frombuffer(signature, dtype=np.uint8).reshape(-1, BANDS.n_values)


def _key(kind: str, text: str) -> int:
    """A signed 64-bit number, which fits a database bigint."""
    return int.from_bytes(
        hashlib.blake2b(
            f"{kind}\x1f{text}".encode("utf-8", "surrogatepass"), digest_size=8
        ).digest(),
        signed=True,
    )
