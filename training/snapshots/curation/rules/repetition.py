"""Text that says the same thing again and again: the repetition rules of Gopher."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from arithmetic.similarity import Hashes, run_hashes
from training.snapshots.curation.rules.verdicts import Text, Verdict

_PARAGRAPHS = re.compile(r"\n{2,}")
_LINES = re.compile(r"\n+")
Limits = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Repetition:
    """Rae et al. 2021 (arXiv 2112.11446), table A1, as datatrove reads it. `top_grams` are for
    texts of 50 words or more: of five words, any two are a large share.
    """

    NAME: ClassVar[str] = "repetition"
    max_lines: float | None = 0.3
    max_paragraphs: float | None = 0.3
    max_line_characters: float | None = 0.2
    max_paragraph_characters: float | None = 0.2
    top_grams: Limits = ((2, 0.2), (3, 0.18), (4, 0.16))
    repeated_grams: Limits = ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.1))

    def __call__(self, text: Text) -> Verdict | None:
        if not text.text:
            return None
        return self._of_parts(text.text) or self._of_grams(text)

    def _of_parts(self, text: str) -> Verdict | None:
        for name, parts, most, most_characters in (
            (
                "paragraphs",
                _PARAGRAPHS.split(text.strip()),
                self.max_paragraphs,
                self.max_paragraph_characters,
            ),
            ("lines", _LINES.split(text), self.max_lines, self.max_line_characters),
        ):
            first = dict.fromkeys(parts)
            share = (len(parts) - len(first)) / len(parts)
            characters = (sum(map(len, parts)) - sum(map(len, first))) / len(text)
            if most is not None and share > most:
                return Verdict(f"{self.NAME}.{name}", round(share, 4), most)
            if most_characters is not None and characters > most_characters:
                rule = f"{self.NAME}.{name[:-1]}_characters"
                return Verdict(rule, round(characters, 4), most_characters)
        return None

    def _of_grams(self, text: Text) -> Verdict | None:
        hashes, size = text.token_hashes, len(text.text)
        ends = np.fromiter(accumulate(map(len, text.tokens), initial=0), np.int64)
        n_times = len(text.tokens)
        for n, most in self.top_grams:
            # The longest run, as often as the most frequent shorter one: if that is not too much,
            # nothing is.
            if n > len(text.tokens) or n_times * _longest(ends, n) <= most * size:
                continue
            n_characters, n_times = _top(run_hashes(hashes, n), ends, n)
            share = n_characters / size
            if share > most:
                return Verdict(f"{self.NAME}.top_{n}_gram", round(share, 4), most)
        for n, most in self.repeated_grams:
            grams = run_hashes(hashes, n)
            n_most = _at_most(grams, ends, n)
            if not n_most:
                # What holds no repeated run of n words holds no longer one either.
                return None
            if n_most / size <= most:
                continue
            share = _repeated(grams.tolist(), ends.tolist(), n) / size
            if share > most:
                return Verdict(f"{self.NAME}.{n}_grams", round(share, 4), most)
        return None


def _longest(ends: NDArray[np.int64], n: int) -> int:
    """Characters of the longest run, with its spaces."""
    return int((ends[n:] - ends[:-n]).max()) + n - 1


def _top(grams: Hashes, ends: NDArray[np.int64], n: int) -> tuple[int, int]:
    """(characters in all occurrences of the most frequent run, with its spaces; how often it
    occurs)
    """
    _values, first, counts = np.unique(grams, return_index=True, return_counts=True)
    most = int(counts.max())
    at = int(first[counts == most].min())
    return int(ends[at + n] - ends[at] + n - 1) * most, most


def _at_most(grams: Hashes, ends: NDArray[np.int64], n: int) -> int:
    """An upper bound for `_repeated`, without a loop."""
    if not len(grams):
        return 0
    _values, first = np.unique(grams, return_index=True)
    again = np.ones(len(grams), dtype=bool)
    again[first] = False
    at = np.flatnonzero(again)
    return int((ends[at + n] - ends[at]).sum())


def _repeated(grams: Sequence[int], ends: Sequence[int], n: int) -> int:
    """Characters in runs that occurred before; runs do not overlap."""
    seen: set[int] = set()
    at = n_characters = 0
    while at < len(grams):
        if grams[at] in seen:
            n_characters += ends[at + n] - ends[at]
            at += n
        else:
            seen.add(grams[at])
            at += 1
    return n_characters
