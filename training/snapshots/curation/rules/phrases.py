"""Words and phrases that count against a text: versioned blocklists, which are files beside this
module, and what assistants say about themselves. Also: licences that are allowed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from training.snapshots.curation.rules.verdicts import Span, Text, Verdict

FOLDER = Path(__file__).parent / "blocklists"


@dataclass(frozen=True)
class Blocklist:
    """The text has no phrase of a list. `phrases` adds the site's own."""

    NAME: ClassVar[str] = "blocklist"
    lists: tuple[str, ...] = ("spam-1",)
    phrases: tuple[str, ...] = ()
    most: int = 0
    """how many phrases a text may have"""

    def __call__(self, text: Text) -> Verdict | None:
        return _found(self.NAME, text, self.lists, self.phrases, self.most)


@dataclass(frozen=True)
class Boilerplate:
    """The text is not an assistant's way of speaking: "As an AI language model", "Certainly!"."""

    NAME: ClassVar[str] = "llm_boilerplate"
    lists: tuple[str, ...] = ("assistant-1",)
    most: int = 0

    def __call__(self, text: Text) -> Verdict | None:
        return _found(self.NAME, text, self.lists, (), self.most)


@lru_cache(maxsize=32)
def phrases_of(name: str) -> tuple[str, ...]:
    """The phrases of a list. Raises ValueError if there is no such list."""
    if name not in names():
        raise ValueError(f"There is no blocklist {name!r}. There are: {', '.join(names())}.")
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def names() -> list[str]:
    """The lists, each with its version at the end: a list that has landed never changes."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def digest_of(name: str) -> str:
    return sha256("\n".join(phrases_of(name)).encode()).hexdigest()


@lru_cache(maxsize=32)
def _pattern(
    lists: tuple[str, ...], phrases: tuple[str, ...]
) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """(the longest word of each phrase, the pattern of all phrases)"""
    every = dict.fromkeys([*(p for name in lists for p in phrases_of(name)), *phrases])
    # The longest first: "click here to win" before "click here".
    parts = [
        r"\s+".join(map(re.escape, phrase.split()))
        for phrase in sorted(every, key=lambda p: -len(p))
    ]
    anchors = dict.fromkeys(max(phrase.split(), key=len, default="").lower() for phrase in every)
    return tuple(anchors), re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def _found(
    rule: str, text: Text, lists: tuple[str, ...], phrases: tuple[str, ...], most: int
) -> Verdict | None:
    anchors, pattern = _pattern(lists, phrases)
    # Looking for plain words first is ten times as fast as the pattern.
    if not any(anchor in text.low for anchor in anchors):
        return None
    spans = tuple(Span(*match.span(), "phrase") for match in pattern.finditer(text.text))
    return Verdict(rule, len(spans), most, spans=spans) if len(spans) > most else None
