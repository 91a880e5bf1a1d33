"""The quality rules of Gopher, C4 and FineWeb. Their numbers were set for web pages; `None` turns a
part off, and `recipe.PRESETS` does so for prompts and answers.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import filterfalse
from typing import ClassVar

from training.snapshots.curation.rules.verdicts import Text, Verdict

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
_SYMBOLS = frozenset("$+<=>^`|~")
_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s|$)")
_C4_ENDINGS = (".", "?", "!", '"', "'")
_TERMINAL = (*".!?。！？؟।۔", "⁇", "⁈", "⁉", "‼")
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


@dataclass(frozen=True)
class Length:
    """The number of characters in the text is within limits."""

    NAME: ClassVar[str] = "length"
    min_characters: int | None = 200
    max_characters: int | None = None

    def __call__(self, text: Text) -> Verdict | None:
        n = len(text.text)
        if self.min_characters is not None and n < self.min_characters:
            return Verdict(f"{self.NAME}.min", n, self.min_characters)
        if self.max_characters is not None and n > self.max_characters:
            return Verdict(f"{self.NAME}.max", n, self.max_characters)
        return None


@dataclass(frozen=True)
class GopherQuality:
    """Rae et al. 2021 (arXiv 2112.11446), table A1, with datatrove's readings of it."""

    NAME: ClassVar[str] = "gopher_quality"
    min_words: int | None = 50
    max_words: int | None = 100_000
    min_mean_word: float | None = 3
    max_mean_word: float | None = 10
    max_symbols_per_word: float | None = 0.1
    max_bullet_lines: float | None = 0.9
    max_ellipsis_lines: float | None = 0.3
    min_alphabetic_words: float | None = 0.8
    min_stop_words: int | None = 2
    """English ones: turn it off for other languages"""

    def __call__(self, text: Text) -> Verdict | None:
        if not text.tokens:
            return Verdict(f"{self.NAME}.words", 0, self.min_words or 1)
        words = list(filterfalse(is_sign, text.tokens))
        return self._of_words(words) or self._of_lines(text) or self._of_kinds(text)

    def _of_words(self, words: list[str]) -> Verdict | None:
        n = len(words)
        mean = sum(map(len, words)) / n if n else 0.0
        return (
            _below(f"{self.NAME}.words", n, self.min_words)
            or _above(f"{self.NAME}.words", n, self.max_words)
            or _below(f"{self.NAME}.mean_word", mean, self.min_mean_word)
            or _above(f"{self.NAME}.mean_word", mean, self.max_mean_word)
        )

    def _of_lines(self, text: Text) -> Verdict | None:
        n, lines = len(text.tokens), text.text.splitlines()
        n_ellipses = text.text.count("...") + text.text.count("…")
        bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines) / len(lines)
        ellipses = sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines)
        name, most = self.NAME, self.max_symbols_per_word
        return (
            _above(f"{name}.hashes", text.text.count("#") / n, most)
            or _above(f"{name}.ellipses", n_ellipses / n, most)
            or _above(f"{name}.bullet_lines", bullets, self.max_bullet_lines)
            or _above(f"{name}.ellipsis_lines", ellipses, self.max_ellipsis_lines)
        )

    def _of_kinds(self, text: Text) -> Verdict | None:
        n_alphabetic = sum(map(_has_letter, text.tokens))
        n_stop = len(STOP_WORDS.intersection(text.tokens))
        share = n_alphabetic / len(text.tokens)
        return _below(f"{self.NAME}.alphabetic", share, self.min_alphabetic_words) or _below(
            f"{self.NAME}.stop_words", n_stop, self.min_stop_words
        )


@dataclass(frozen=True)
class C4Quality:
    """Raffel et al. 2020: enough sentences in lines that end as sentences do, and no sign of a page
    that is a template or a program. It judges the document and leaves its lines alone.
    """

    NAME: ClassVar[str] = "c4_quality"
    min_sentences: int | None = 5
    min_words_per_line: int = 3
    max_word: int = 1000
    removes_braces: bool = True

    def __call__(self, text: Text) -> Verdict | None:
        n_sentences = 0
        for raw in text.text.splitlines():
            line = raw.strip()
            words = line.split()
            if len(line) > self.max_word and any(len(word) > self.max_word for word in words):
                continue
            line = _CITATION.sub("", line)
            is_sentence = line.endswith(_C4_ENDINGS) and not line.endswith("...")
            if not is_sentence or len(words) < self.min_words_per_line:
                continue
            low = line.lower()
            if "lorem ipsum" in low:
                return Verdict(f"{self.NAME}.lorem_ipsum", 1, 0)
            if "javascript" in low:
                continue
            if self.removes_braces and "{" in line:
                return Verdict(f"{self.NAME}.braces", 1, 0)
            if any(phrase in low for phrase in _POLICY):
                continue
            n_sentences += max(1, len(_SENTENCE_END.findall(line)))
        return _below(f"{self.NAME}.sentences", n_sentences, self.min_sentences)


@dataclass(frozen=True)
class FineWebQuality:
    """Penedo et al. 2024 (arXiv 2406.17557): shares of lines."""

    NAME: ClassVar[str] = "fineweb_quality"
    min_ended_lines: float | None = 0.12
    max_short_lines: float | None = 0.67
    short_line: int = 30
    max_repeated_characters: float | None = 0.01
    max_lines_per_word: float | None = 0.3

    def __call__(self, text: Text) -> Verdict | None:
        lines = [line for line in text.text.split("\n") if line.strip()]
        if not lines:
            return Verdict(f"{self.NAME}.empty", 0, 1)
        ended = sum(line.endswith(_TERMINAL) for line in lines) / len(lines)
        short = sum(len(line) <= self.short_line for line in lines) / len(lines)
        repeated = sum(map(len, lines)) - sum(map(len, dict.fromkeys(lines)))
        share = repeated / len(text.text.replace("\n", ""))
        breaks = text.text.count("\n") / max(1, len(text.tokens))
        name = self.NAME
        return (
            _below(f"{name}.ended_lines", ended, self.min_ended_lines)
            or _above(f"{name}.short_lines", short, self.max_short_lines)
            or _above(f"{name}.repeated", share, self.max_repeated_characters)
            or _above(f"{name}.line_breaks", breaks, self.max_lines_per_word)
        )


@lru_cache(maxsize=1 << 16)
def is_sign(token: str) -> bool:
    """Whether nothing in it is a letter, a digit, or a sign that stands for a word, as € does. A
    bullet counts as a word, as in datatrove.
    """
    return all((unicodedata.category(c)[0] == "P" and c != "•") or c in _SYMBOLS for c in token)


@lru_cache(maxsize=1 << 16)
def _has_letter(token: str) -> bool:
    return any(map(str.isalpha, token))


def _below(rule: str, value: float, least: float | None) -> Verdict | None:
    return None if least is None or value >= least else Verdict(rule, round(value, 4), least)


def _above(rule: str, value: float, most: float | None) -> Verdict | None:
    return None if most is None or value <= most else Verdict(rule, round(value, 4), most)
