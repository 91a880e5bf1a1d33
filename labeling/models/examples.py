"""Examples in a guideline: an answer, whether it is good or bad, and why. Pure: no Django, no
database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST = 20
"""Raters do not read more than this next to their work."""


class BadExamples(ValueError):
    """The JSON is not valid examples; the text says which one and why."""


@dataclass(frozen=True)
class Example:
    """An example answer. `why` is a sentence; `prompt` may be empty. Both texts are Markdown, like
    responses.
    """

    answer: str
    is_good: bool
    why: str
    prompt: str = ""


def as_json(examples: Iterable[Example]) -> list[dict[str, object]]:
    return [asdict(example) for example in examples]


def parse(raw: Sequence[Mapping[str, object]]) -> tuple[Example, ...]:
    """Parses the output of `as_json`. Raises BadExamples with a sentence."""
    return tuple(_parse(number, example) for number, example in enumerate(raw, start=1))


def lines(examples: Iterable[Example]) -> list[str]:
    """The examples as lines of text, so that two versions can be compared like texts: a heading for
    each, then its content.
    """
    text: list[str] = []
    for example in examples:
        text.append(f"{'✓' if example.is_good else '✗'} {example.why}")
        text += [f"  › {line}" for line in example.prompt.splitlines()]
        text += [f"  {line}" for line in example.answer.splitlines()]
    return text


def _parse(number: int, raw: Mapping[str, Any]) -> Example:
    try:
        example = Example(**raw)
    except TypeError:
        raise BadExamples(
            f"Example {number} is not made of `answer`, `is_good`, `why` and `prompt`."
        ) from None
    texts = (example.answer, example.why, example.prompt)
    if not all(isinstance(text, str) for text in texts) or not isinstance(example.is_good, bool):
        raise BadExamples(
            f"Example {number}: `answer`, `why` and `prompt` are texts, and `is_good` is true or"
            " false."
        )
    return example
