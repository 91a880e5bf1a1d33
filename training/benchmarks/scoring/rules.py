"""Scores of written answers by rules: the expected text, number, words or pattern."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import compute

from training.benchmarks.scoring.answers import Answer, Item, Score
from training.benchmarks.scoring.wording import holds, normalised

RULES = ("expected", "accepts", "rejects", "pattern", "number")
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?|[-−+]?\.\d+")
LONGEST_PATTERN = 500


def score(item: Item, answer: Answer) -> Score | None:
    """1 if the answer meets every rule of its item, 0 if not, None if the item has no rule. An
    empty answer meets none.

    - `expected`: the answer is this text (or one of these), marks, case and spaces aside.
    - `accepts`: it contains one of these, as whole words.
    - `rejects`: it contains none of these.
    - `pattern`: this regular expression (RE2) matches somewhere in it.
    - `number`: the last number in it is this one, within `tolerance` (0).

    `rules` in the suite's options holds for every item that does not say otherwise.
    """
    rules = {**item.options.get("rules", {}), **item.content}
    met = [_MEETS[name](answer.text, rules) for name in RULES if name in rules]
    return Score(float(all(met) and bool(answer.text.strip()))) if met else None


def pattern_problem(pattern: str) -> str:
    """What is wrong with a pattern, in the words of RE2; empty if it can be used."""
    if len(pattern) > LONGEST_PATTERN:
        return f"longer than {LONGEST_PATTERN} characters"
    try:
        matches("", pattern)
    except pa.ArrowInvalid as refused:
        return str(refused).removeprefix("Invalid regular expression: ")
    return ""


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern` matches somewhere in `text`.

    By RE2, whose time grows with the length of the text and no faster: with Python's `re`, one
    suite with a pattern such as (a+)+$ would keep a worker busy for ever.
    """
    result = compute.match_substring_regex(pa.array([text], pa.string()), pattern)
    return bool(result[0].as_py())


def last_number(text: str) -> float | None:
    """The last number in `text`: “so 1,250.50 in all” has 1250.5."""
    numbers = _NUMBER.findall(text)
    return float(numbers[-1].replace(",", "").replace("−", "-")) if numbers else None


def _is_expected(text: str, rules: Mapping[str, Any]) -> bool:
    return normalised(text) in {normalised(expected) for expected in _listed(rules["expected"])}


def _is_accepted(text: str, rules: Mapping[str, Any]) -> bool:
    return any(holds(text, accepted) for accepted in _listed(rules["accepts"]))


def _is_not_rejected(text: str, rules: Mapping[str, Any]) -> bool:
    return not any(holds(text, rejected) for rejected in _listed(rules["rejects"]))


def _matches_pattern(text: str, rules: Mapping[str, Any]) -> bool:
    return matches(text, rules["pattern"])


def _has_number(text: str, rules: Mapping[str, Any]) -> bool:
    number = last_number(text)
    return number is not None and math.isclose(
        number, float(rules["number"]), rel_tol=1e-9, abs_tol=float(rules.get("tolerance", 0.0))
    )


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


_MEETS = {
    "expected": _is_expected,
    "accepts": _is_accepted,
    "rejects": _is_not_rejected,
    "pattern": _matches_pattern,
    "number": _has_number,
}
