"""Examples in a guideline, as data."""

import pytest

from labeling.models import examples
from labeling.models.examples import BadExamples, Example

GOOD = Example(
    "Cool it first.\nThen freeze it.",
    is_good=True,
    why="Starts from the answer.",
    prompt="Can I freeze rice?",
)
BAD = Example("Great question!", is_good=False, why="No help.")


def test_examples_come_back_from_json_as_they_were() -> None:
    assert examples.parse(examples.as_json([GOOD, BAD])) == (GOOD, BAD)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"answer": "x"}, "Example 1 is not made of"),
        ({"answer": "x", "is_good": True, "why": "y", "rank": 1}, "Example 1 is not made of"),
        (
            {"answer": 3, "is_good": True, "why": "y"},
            "Example 1: `answer`, `why` and `prompt` are texts",
        ),
        ({"answer": "x", "is_good": "yes", "why": "y"}, "`is_good` is true or false"),
    ],
)
def test_what_is_no_example_is_named(row: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadExamples, match=sentence):
        examples.parse([row])


def test_as_lines_an_example_begins_with_what_it_is() -> None:
    assert examples.lines([GOOD, BAD]) == [
        "✓ Starts from the answer.",
        "  › Can I freeze rice?",
        "  Cool it first.",
        "  Then freeze it.",
        "✗ No help.",
        "  Great question!",
    ]
