"""A problem that many lines have is said once, with their number and where they are."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.data.imports import selectors as imports_selectors
from labeling.data.imports.problems import SAID_BY_LINE, Problems
from labeling.importers.drafts import ImportProblem
from labeling.models import Import

Bring = Callable[..., Import]


def said(*lines: int, sentence: str = "Bad.") -> list[dict[str, object]]:
    problems = Problems()
    for line in lines:
        problems.add(ImportProblem(line, sentence))
    return problems.as_json


def test_a_problem_of_few_lines_is_said_at_each() -> None:
    assert [row["line"] for row in said(3, 4, 9, 9)] == [3, 4, 9, 9]


def test_a_problem_of_many_lines_is_said_once() -> None:
    [row] = said(*range(1, 8_001))

    sentence = "Bad. 8000 lines have this problem: 1\N{EN DASH}8000."
    assert row == {"line": 1, "sentence": sentence, "n_lines": 8_000}


def test_lines_that_are_apart_are_named_as_far_as_they_fit() -> None:
    [row] = said(*range(2, 100, 2))

    assert str(row["sentence"]).startswith("Bad. 49 lines have this problem: 2, 4, 6, ")
    assert str(row["sentence"]).endswith(", 40, ….")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=SAID_BY_LINE))
def test_no_line_is_lost_of_a_problem_of_few_lines(lines: list[int]) -> None:
    assert [row["line"] for row in said(*lines)] == sorted(lines)


@given(st.integers(SAID_BY_LINE + 1, 500))
def test_many_lines_take_one_row(n: int) -> None:
    assert len(said(*range(n))) == 1


@pytest.mark.django_db
def test_a_file_whose_prompt_has_another_name_says_so_once(bring: Bring) -> None:
    rows: list[dict[str, Any]] = [
        {"question": f"What is {n} and {n}?", "answer": "Both."} for n in range(300)
    ]

    batch = bring(*rows)

    [problem] = batch.problems
    assert batch.counts["problems"] == 300
    assert imports_selectors.import_report(batch=batch).n_unlisted == 0
    assert "the row has question, answer. Choose under Columns" in problem["sentence"]
    assert "300 lines have this problem: 1\N{EN DASH}300." in problem["sentence"]


@pytest.mark.django_db
def test_it_is_right_once_the_column_is_chosen(bring: Bring) -> None:
    rows = [{"question": "What is bread?", "answer": "Baked dough."}]

    batch = bring(*rows, columns={"prompt": "question", "response": "answer"})

    assert (batch.counts["prompts"], batch.counts["responses"], batch.problems) == (1, 1, [])
