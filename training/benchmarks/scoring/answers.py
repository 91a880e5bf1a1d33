"""What scorers take and give: an item, a model's answer to it, and a score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a suite: `prompt` in messages, `content` by kind, `options` of the suite."""

    kind: str
    prompt: Sequence[Mapping[str, object]] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model answered: text, or values such as log-likelihoods and rewards."""

    text: str = ""
    follow_ups: Sequence[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    is_ended: bool | None = None


@dataclass(frozen=True)
class Score:
    """A score from 0 to 1 (a reward for the scorer `reward`), higher is better.

    `certainty` is the probability of the label, where the scorer knows one.
    """

    value: float
    label: str = ""
    certainty: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A rule that gives an answer a score, or None where it cannot score it.

    A change that can move a score gets a new version, so that old scores stay readable.
    """

    name: str
    version: int
    kinds: frozenset[str]
    title: str
    """What people call it; in the source language."""
    words: str
    """What it does, in a sentence; in the source language."""
    score: Callable[[Item, Answer], Score | None]
    needs_values: bool = False
    """It reads log-likelihoods or rewards, which only a model on a node gives."""

    @property
    def key(self) -> str:
        """What a stored score names, as “refusal 1”."""
        return f"{self.name} {self.version}"

    @property
    def keys(self) -> list[str]:
        """Of this version and those before it."""
        return [f"{self.name} {version}" for version in range(1, self.version + 1)]


def gettext_noop(text: str) -> str:
    """Mark `text` for translation. The page that shows it translates it."""
    return text
