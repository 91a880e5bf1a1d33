"""Two texts by words: what both have, and what only one of them. Pure, and bounded in time whatever
the texts are.

Lines are aligned first, then words inside what changed. Tokens that stand once on either side are
the fixed points between which the rest is aligned, as in Bram Cohen's patience diff; a gap without
any is compared token by token when it is small, and replaced whole when not. So every text has a
difference that is right, and only a hostile one has a coarse one.
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
"""difflib aligns a gap when that cannot take more than so many steps a token: a fifth of a second
for the worst 20,000 tokens.
"""
DEPTH = 8
"""Fixed points are looked for between fixed points this often; every time costs one pass over the
text.
"""
MOST_TOKENS = 30_000
"""Beyond this many a side (15,000 words and the space between them), only what the texts begin and
end with is found alike.
"""

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A stretch of both texts: `kind` is same, removed (only in the older) or added (only in the
    newer).
    """

    kind: str
    text: str


def pieces(before: str, after: str) -> list[Piece]:
    """Joined, what is the same or removed is `before`, and what is the same or added is `after`."""
    older, newer = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(older), len(newer)) > MOST_TOKENS:
        found = _by(older, newer, depth=0)
    else:
        found = _by_lines(before.splitlines(keepends=True), after.splitlines(keepends=True))
    told = [(kind, "".join(tokens)) for kind, tokens in found if tokens]
    return [
        Piece(kind, "".join(text for _kind, text in run))
        for kind, run in groupby(told, itemgetter(0))
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
    """Removed, added and same by turns, any of them empty."""
    start = new_start = 0
    for at, new_at, n in (*_matches(before, after, depth), (len(before), len(after), 0)):
        yield "removed", before[start:at]
        yield "added", after[new_start:new_at]
        yield "same", before[at : at + n]
        start, new_start = at + n, new_at + n


def _matches(
    before: Sequence[str], after: Sequence[str], depth: int
) -> Iterator[tuple[int, int, int]]:
    """(place in `before`, place in `after`, length) of stretches that are the same, in order."""
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
    """How many tokens the two have in common to begin with."""
    return sum(
        1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    )


def _most_steps(n_before: Counter[str], n_after: Counter[str]) -> int:
    """What difflib takes at most: for every stretch that it finds, it goes over all pairs of equal
    tokens again.
    """
    n_pairs = sum(n * n_after[token] for token, n in n_before.items() if not token.isspace())
    return n_pairs * min(n_before.total(), n_after.total())


def _longest_row(
    before: Sequence[str], after: Sequence[str], once: Set[str]
) -> list[tuple[int, int]]:
    """Places of the most tokens of `once` (that stand once on either side) that come in the same
    order (patience sorting).
    """
    place = {token: new_at for new_at, token in enumerate(after) if token in once}
    ends: list[int] = []
    """the smallest place in `after` at which a row of this length may end"""
    last: list[int] = []
    """where in `rows` such a row ends"""
    rows: list[tuple[int, int, int]] = []
    """place in `before`, place in `after`, and the row before it; -1 for none"""
    for at, token in enumerate(before):
        new_at = place.get(token)
        if new_at is None:
            continue
        length = bisect_left(ends, new_at)
        ends[length : length + 1] = [new_at]
        last[length : length + 1] = [len(rows)]
        rows.append((at, new_at, last[length - 1] if length else -1))
    found, row = [], last[-1] if last else -1
    while row >= 0:
        at, new_at, row = rows[row]
        found.append((at, new_at))
    return found[::-1]
