"""Writers who paste most of their text, and writers who hand in the same texts. Pure: the marks
that labeling.votes.demonstrations shows.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

MUCH_PASTED = 0.5
"""A writer whose median share of pasted text is below this is never marked."""
ABOVE_OTHERS = 0.3
"""and how far it must be above the writers who paste least"""
LEAST_WRITERS = 3
LEAST_CHARACTERS = 80
"""Shorter texts can be the same by chance: "Paris is the capital of France." """
LEAST_SAME = 2
"""One equal text may be a quotation that the prompt asked for."""


def pasting(shares: Mapping[int, float]) -> set[int]:
    """Writers who paste most of their text, by each writer's median share of pasted characters.

    They are compared with the half of the writers who paste least, so that half of them may paste
    and are still found. Where nearly all paste, as when a guideline says to write elsewhere, nobody
    is marked.
    """
    if len(shares) < LEAST_WRITERS:
        return set()
    ordered = sorted(shares.values())
    least = median(ordered[: (len(ordered) + 1) // 2])
    return {
        writer
        for writer, share in shares.items()
        if share >= MUCH_PASTED and share >= least + ABOVE_OTHERS
    }


@dataclass(frozen=True)
class SameTexts:
    """How many texts of a writer equal another writer's on the same prompt."""

    other: int
    n: int
    n_shared: int
    """prompts that both wrote for"""


def same_texts(texts: Iterable[tuple[int, int, str]]) -> dict[int, SameTexts]:
    """By writer: the other with the most equal texts, from (writer, prompt, text). Case, spaces and
    punctuation do not count.
    """
    by_prompt: dict[int, dict[int, str]] = defaultdict(dict)
    for writer, prompt, text in texts:
        by_prompt[prompt][writer] = _plain(text)
    shared: Counter[tuple[int, int]] = Counter()
    same: Counter[tuple[int, int]] = Counter()
    for written in by_prompt.values():
        for writer, text in written.items():
            for other, theirs in written.items():
                if writer != other:
                    shared[writer, other] += 1
                    same[writer, other] += text == theirs and len(text) >= LEAST_CHARACTERS
    by_writer: dict[int, SameTexts] = {}
    for (writer, other), n in sorted(same.items()):
        if n >= LEAST_SAME and (writer not in by_writer or n > by_writer[writer].n):
            by_writer[writer] = SameTexts(other, n, shared[writer, other])
    return by_writer


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()
