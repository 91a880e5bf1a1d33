"""What is wrong with a file of a suite, by line, and the checks of one line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from django.utils.translation import gettext as _

from arithmetic import plain_text
from arithmetic.chats import Message
from labeling.importers import drafts, messages
from labeling.importers.drafts import Unusable

MAX_DEPTH = 20
MAX_LIST = 100
MAX_NUMBER = 1e300
MAX_PROBLEMS = 200
"""More are counted and not shown: a file of the wrong kind has one on every line."""


@dataclass(frozen=True)
class SuiteProblem:
    """`line` counts from 1; 0 means the whole file. `value` is what stands there, shortened. The
    sentence says what to do.
    """

    file: str
    line: int
    sentence: str
    value: str = ""

    def __str__(self) -> str:
        if not self.line:
            return self.sentence
        return _("Line %(line)d: %(sentence)s") % {"line": self.line, "sentence": self.sentence}


@dataclass
class Notes:
    """Collects the problems of one file."""

    file: str
    problems: list[SuiteProblem] = field(default_factory=list)
    n_more: int = 0

    def add(self, line: int, sentence: str, value: object = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(SuiteProblem(self.file, line, sentence, drafts.shown(value)))
        else:
            self.n_more += 1

    @property
    def n(self) -> int:
        return len(self.problems) + self.n_more


@dataclass(frozen=True)
class ItemLine:
    """One object of items.jsonl. A getter notes what is wrong and returns an empty value."""

    notes: Notes
    number: int
    row: Mapping[str, object]

    def wrong(self, sentence: str, value: object = "") -> None:
        self.notes.add(self.number, sentence, value)

    def text(self, name: str) -> str:
        try:
            return drafts.text_of(self.row.get(name), name)
        except Unusable as refused:
            self.wrong(refused.sentence)
            return ""

    def texts(self, name: str, *, least: int) -> list[str]:
        """A list of at least `least` texts."""
        value = self.row.get(name)
        if not isinstance(value, list) or not least <= len(value) <= MAX_LIST:
            self.wrong(
                _("`%(name)s` must be a list of %(least)d to %(most)d texts.")
                % {"name": name, "least": least, "most": MAX_LIST},
                "" if value is None else value,
            )
            return []
        return self._all_texts(name, value)

    def text_or_texts(self, name: str) -> list[str]:
        """A list of texts, or one text as a list of it."""
        if isinstance(self.row[name], str):
            return [text] if (text := self.text(name)) else []
        return self.texts(name, least=1)

    def number_of(self, name: str) -> float:
        value = self.row.get(name)
        if is_number(value):
            return float(value)
        self.wrong(_("`%(name)s` must be a number.") % {"name": name}, value)
        return 0.0

    def index(self, name: str, value: object, n: int) -> int | None:
        """A place in a list of `n`, counted from 0."""
        if is_whole(value) and 0 <= value < n:
            return int(value)
        if n:
            self.wrong(
                _(
                    "`%(name)s` must be a whole number from 0 to %(last)d: the place of the right"
                    " one, counted from 0."
                )
                % {"name": name, "last": n - 1},
                value,
            )
        return None

    def prompt(self) -> tuple[Message, ...]:
        """A text is one user message; a list is a conversation that ends with the user."""
        value = self.row.get("prompt")
        try:
            if isinstance(value, list):
                return messages.ends_with_user(messages.conversation(value, "prompt"), "prompt")
            return drafts.one_prompt(value, "prompt")
        except Unusable as refused:
            self.wrong(refused.sentence)
            return ()

    def short(self, name: str, limit: int) -> str:
        """A text or number on one line, at most `limit` characters; "" if it is not there."""
        value = self.row.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.wrong(_("`%(name)s` must be text.") % {"name": name}, value)
            return ""
        if problem := short_problem(name, str(value), limit):
            self.wrong(problem, value)
            return ""
        return str(value).strip()

    def _all_texts(self, name: str, values: Sequence[object]) -> list[str]:
        texts = []
        for place, value in enumerate(values):
            try:
                texts.append(drafts.text_of(value, f"{name}[{place}]"))
            except Unusable as refused:
                self.wrong(refused.sentence)
        return texts if len(texts) == len(values) else []


def short_problem(name: str, value: str, limit: int) -> str:
    """Why this is no text of one line that fits; "" if it is."""
    if len(value) > limit:
        return _("`%(name)s` is longer than %(limit)d characters. Shorten it.") % {
            "name": name,
            "limit": limit,
        }
    if plain_text.NOT_TEXT.search(value) or len(value.strip().splitlines()) > 1:
        return _("`%(name)s` must be one line of text without control characters.") % {"name": name}
    return ""


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number that fits a float."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER
    )


def is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def storage_problem(value: object) -> str:
    """Why a JSON value cannot be stored as it is; "" if it can."""
    waiting: list[tuple[int, object]] = [(0, value)]
    while waiting:
        depth, inner = waiting.pop()
        if depth > MAX_DEPTH:
            return _("This is nested more than %(n)d levels deep. Flatten it.") % {"n": MAX_DEPTH}
        if isinstance(inner, Mapping):
            waiting += [(depth + 1, part) for pair in inner.items() for part in pair]
        elif isinstance(inner, list):
            waiting += [(depth + 1, part) for part in inner]
        elif isinstance(inner, str) and plain_text.NOT_TEXT.search(inner):
            return _(
                "This contains an invalid character (NUL or half a surrogate pair). Remove the"
                " character."
            )
        elif isinstance(inner, float) and not math.isfinite(inner):
            return _("NaN and Infinity are not JSON numbers. Write null or a number.")
    return ""
