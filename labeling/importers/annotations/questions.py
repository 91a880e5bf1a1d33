"""What the answers to a question are, from all the answers in a file: yes or no, a scale, or
categories.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from labeling.guidelines.rating_form import Flag, Question, Scale
from labeling.importers.annotations import roles
from labeling.importers.shapes.reading import number_of

MOST_VALUES = 200
MOST_CATEGORIES = 50
LONGEST_CATEGORY = 60
"""Longer words are texts, not categories."""
_TRUE = frozenset({"true", "yes", "y", "on", "t"})
_FALSE = frozenset({"false", "no", "n", "off", "f"})
_MISSING = frozenset({"", "nan", "null", "n/a", "na", "#n/a"})
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")
_FRACTION = re.compile(r"\d+ ?/ ?(\d+)")
_LEADING_NUMBER = re.compile(r"[+-]?\d+(?=\D)")
_ORDERS: Sequence[Sequence[str]] = (
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"),
    ("none", "low", "medium", "high", "critical"),
    ("none", "low", "moderate", "high", "severe"),
    ("none", "mild", "moderate", "severe", "extreme"),
    ("very low", "low", "medium", "high", "very high"),
    ("very bad", "bad", "okay", "good", "very good"),
    ("very poor", "poor", "fair", "good", "very good"),
    ("poor", "fair", "average", "good", "excellent"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("not at all", "slightly", "moderately", "very", "extremely"),
)


@dataclass
class Asked:
    """One question, with how often each of its answers occurs."""

    name: str
    label: str
    kind: str
    """roles.ANSWER if the answers decide, else SCALE, CHOICE or FLAG"""
    values: Counter[str] = field(default_factory=Counter)
    is_too_varied: bool = False

    def add(self, value: str) -> None:
        if value.lower() in _MISSING or self.is_too_varied:
            return
        self.values[value if len(value) <= 2 * LONGEST_CATEGORY else value[:200]] += 1
        self.is_too_varied = len(self.values) > 20 * MOST_VALUES

    def question(self) -> Question | None:
        """None if the answers are texts or too varied to compare."""
        if not self.values or self.is_too_varied:
            return None
        wanted = (self.kind,) if self.kind != roles.ANSWER else (roles.FLAG, roles.SCALE)
        if roles.FLAG in wanted and all(as_flag(value) is not None for value in self.values):
            return Flag(self.name, self.label)
        if roles.SCALE in wanted and (scale := self._scale()):
            return scale
        return self._categories() if self.kind != roles.FLAG else None

    def _scale(self) -> Scale | None:
        """A scale if nearly all answers are numbers; the others are reported line by line."""
        numbers = {value: number_in(value) for value in self.values}
        points = sorted({float(number) for number in numbers.values() if number is not None})
        n = sum(self.values[value] for value, number in numbers.items() if number is not None)
        if not points or n < 0.9 * self.values.total():
            return None
        low, high = int(points[0] // 1), -int(-points[-1] // 1)
        high = max(high, low + 1)
        if all(point.is_integer() for point in points) and high - low <= 100:
            return Scale(self.name, self.label, low, high)
        if len(points) > MOST_VALUES or abs(low) > 10**9 or abs(high) > 10**9:
            return None
        return Scale(self.name, self.label, low, high, points=tuple(points))

    def _categories(self) -> Scale | None:
        if len(self.values) > MOST_CATEGORIES or any(
            len(value) > LONGEST_CATEGORY for value in self.values
        ):
            return None
        labels, is_ordered = _ordered(self.values)
        if self.kind == roles.SCALE or (self.kind == roles.ANSWER and _are_fractions(labels)):
            labels, is_ordered = (labels, True) if is_ordered else _numbered(labels)
        if self.kind == roles.SCALE and not is_ordered:
            return None
        return Scale(
            self.name, self.label, 1, max(2, len(labels)), labels=labels, is_ordered=is_ordered
        )


def stored(question: Question, value: str) -> object:
    """The answer as it is stored: true or false, a number, or the category's own word; None if it
    is missing. Raises ValueError for an answer that the question does not have.
    """
    if value.lower() in _MISSING:
        return None
    if isinstance(question, Flag):
        flag = as_flag(value)
        if flag is None:
            raise ValueError(value)
        return flag
    if question.labels:
        if value not in question.labels:
            raise ValueError(value)
        return value
    number = number_in(value)
    if number is None or float(number) not in question.values:
        raise ValueError(value)
    return number


def number_in(value: str) -> float | None:
    """A number also as spreadsheets and people write it: 3,5 and −1 and 40 %. A comma before three
    digits may separate thousands, so that is no number.
    """
    plain = value.strip().replace("\N{MINUS SIGN}", "-").removesuffix("%").rstrip()
    if _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    return number_of(plain)


def as_flag(value: str) -> bool | None:
    word = value.strip().lower().removesuffix(".0")
    if word in _TRUE or word == "1":
        return True
    return False if word in _FALSE or word == "0" else None


def _ordered(values: Counter[str]) -> tuple[tuple[str, ...], bool]:
    """The categories: in their order if it is one that everybody knows, else by name."""
    words = {re.sub(r"[\s_-]+", " ", value.strip().lower()): value for value in values}
    if len(words) == len(values):
        for order in _ORDERS:
            if len(words) > 2 and words.keys() <= set(order):
                return tuple(words[word] for word in order if word in words), True
    return tuple(sorted(values)), False


def _are_fractions(labels: tuple[str, ...]) -> bool:
    """Whether all are points out of the same number, such as 4/5. Other numbers in front of words
    may only name categories.
    """
    matches = [_FRACTION.fullmatch(label) for label in labels]
    return len({match[1] if match else "" for match in matches}) == 1 and matches[0] is not None


def _numbered(labels: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """In the order of the numbers that all of them begin with, such as “5 - very good” and 4/5."""
    numbers = {label: _LEADING_NUMBER.match(label) for label in labels}
    by_label = {label: int(number[0]) for label, number in numbers.items() if number}
    if len(by_label) < len(labels) or len(set(by_label.values())) < len(labels):
        return labels, False
    return tuple(sorted(labels, key=by_label.__getitem__)), True
