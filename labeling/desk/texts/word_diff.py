"""Word diff of two texts, pure and with bounded running time for any input.

Lines are aligned first, then words inside changed lines. Tokens that occur exactly once on each
side are anchors, and the rest is aligned between them, as in Bram Cohen's patience diff. A gap
without anchors is compared token by token if it is small, and replaced as a whole if not. The
result is always a correct diff; only a hostile text gets a coarse one.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, pairwise, takewhile
from operator import itemgetter

STEPS = 200
"""difflib aligns a gap only if it cannot take more steps a token than this: a fifth of a second for
the worst 20,000 tokens.
"""
DEPTH = 8
"""How deep anchors are searched between anchors; every level costs one pass over the text."""
MOST_TOKENS = 30_000
"""With more tokens than this on a side (15,000 words and the spaces between), only the common
beginning and end are found.
"""

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A stretch of text: `kind` is same, removed (only in the older text) or added (only in the
    newer).
    """

    kind: str
    text: str


def pieces(before: str, after: str) -> list[Piece]:
    """The pieces that are the same or removed join up to `before`; those that are the same or added
    join up to `after`.
    """
    older, newer = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(older), len(newer)) > MOST_TOKENS:
        changes = _by(older, newer, depth=0)
    else:
        changes = _by_lines(before.splitlines(keepends=True), after.splitlines(keepends=True))
    found_texts = [(kind, "".join(tokens)) for kind, tokens in changes if tokens]
    return [
        Piece(kind, "".join(text for _kind, text in run))
        for kind, run in groupby(found_texts, itemgetter(0))
    ]


_Part = tuple[str, Sequence[str]]


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[_Part]:
    removed: Sequence[str] = ()
    for kind, lines in _by(before, after):
        if kind == "removed":
            removed = lines
        elif kind == "added":
            yield from _by(_TOKEN.findall("".join(removed)), _TOKEN.findall("".join(lines)))
        else:
            yield kind, lines


def _by(before: Sequence[str], after: Sequence[str], *, depth: int = DEPTH) -> Iterator[_Part]:
    """Removed, added and same pieces in turn; any of them may be empty."""
    start = new_start = 0
    for at, new_at, n in (*_matches(before, after, depth), (len(before), len(after), 0)):
        yield "removed", before[start:at]
        yield "added", after[new_start:new_at]
        yield "same", before[at : at + n]
        start, new_start = at + n, new_at + n


def _matches(
    before: Sequence[str], after: Sequence[str], depth: int
) -> Iterator[tuple[int, int, int]]:
    """(start in `before`, start in `after`, length) of equal stretches, in order."""
    head = _n_alike(before, after)
    tail = _n_alike(before[head:][::-1], after[head:][::-1])
    yield 0, 0, head
    for at, new_at, n in _matches_within(
        before[head : len(before) - tail], after[head : len(after) - tail], depth
    ):
        yield head + at, head + new_at, n
    yield len(before) - tail, len(after) - tail, tail


def _matches_within(
    before: Sequence[str], after: Sequence[str], depth: int
) -> Iterator[tuple[int, int, int]]:
    n_before, n_after = Counter(before), Counter(after)
    if _most_steps(n_before, n_after) <= STEPS * (len(before) + len(after)):
        yield from SequenceMatcher(str.isspace, before, after, autojunk=False).get_matching_blocks()
        return
    once = {token for token, n in n_before.items() if n == 1 and n_after[token] == 1}
    if not once or not depth:
        return
    fixed = _longest_row(before, after, once)
    for (at, new_at), (end, new_end) in pairwise([(0, 0), *fixed, (len(before), len(after))]):
        for start, new_start, n in _matches(before[at:end], after[new_at:new_end], depth - 1):
            yield at + start, new_at + new_start, n


def _n_alike(before: Sequence[str], after: Sequence[str]) -> int:
    """Length of the common prefix."""
    return sum(
        1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    )


def _most_steps(n_before: Counter[str], n_after: Counter[str]) -> int:
    """An upper bound on difflib's steps: for every stretch it finds, it goes over all pairs of
    equal tokens again.
    """
    n_pairs = sum(n * n_after[token] for token, n in n_before.items() if not token.isspace())
    return n_pairs * min(n_before.total(), n_after.total())


def _longest_row(
    before: Sequence[str], after: Sequence[str], once: Set[str]
) -> list[tuple[int, int]]:
    """Positions of the longest run of tokens from `once` (which occur once on each side) that have
    the same order on both sides, by patience sorting.
    """
    place = {token: new_at for new_at, token in enumerate(after) if token in once}
    ends: list[int] = []
    """the smallest position in `after` at which a row of this length can end"""
    last: list[int] = []
    """index in `rows` of such a row's end"""
    rows: list[tuple[int, int, int]] = []
    """position in `before`, position in `after`, index of the row before it (-1 for none)"""
    for at, token in enumerate(before):
        new_at = place.get(token)
        if new_at is None:
            continue
        length = bisect_left(ends, new_at)
        ends[length : length + 1] = [new_at]
        last[length : length + 1] = [len(rows)]
        rows.append((at, new_at, last[length - 1] if length else -1))
    row_places, row = [], last[-1] if last else -1
    while row >= 0:
        at, new_at, row = rows[row]
        row_places.append((at, new_at))
    return row_places[::-1]
