"""Onboarding questions as admins type them, and how answers are scored."""

from typing import Any

import pytest

from labeling.people.onboarding import question_rows
from labeling.people.onboarding import questions as onboarding_questions
from tests.labeling.people.onboarding_questions import FLAGS, QUIZ

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "questions"),
    [
        ("guideline", QUIZ),
        ("profile", [{"text": "Age", "choices": ["under 30", "30 or more"]}]),
        ("flags", FLAGS),
        (
            "rankings",
            [{"prompt": "p\n\nq", "responses": ["one", "two", "three"], "ranks": [2, 1, 2]}],
        ),
        (
            "rankings",
            [{"prompt": "p", "responses": list("abcdefghi"), "ranks": list(range(1, 10))}],
        ),
        ("demonstrations", [{"prompt": "Explain rain."}, {"prompt": "Explain snow."}]),
    ],
)
def test_questions_are_read_back_as_they_are_written(kind: str, questions: list[Any]) -> None:
    shown = question_rows.rows(kind, None, questions)
    assert shown is not None
    posted = {"questions-TOTAL_FORMS": len(questions), "questions-INITIAL_FORMS": len(questions)}
    for form in shown:
        posted |= {form.add_prefix(name): value for name, value in form.initial.items()}

    again = question_rows.rows(kind, posted, questions)

    assert again is not None
    assert again.is_valid()
    assert again.questions == questions


def test_flags_score_the_share_that_agrees() -> None:
    assert onboarding_questions.score("flags", FLAGS, [True, False, True, True]) == 0.75


def test_a_missing_answer_agrees_with_nobody() -> None:
    assert onboarding_questions.score("flags", FLAGS, [True, False]) == 0.5


@pytest.mark.parametrize(
    ("ranks", "score"),
    [
        ([1, 2, 3], 1.0),
        ([3, 2, 1], 0.0),
        ([1, 1, 1], 0.5),
        ([2, 1, 3], pytest.approx(2 / 3)),
        ([1, 2, None], 0.0),
    ],
)
def test_rankings_score_by_pairs(ranks: list[int | None], score: float) -> None:
    question = {"prompt": "p", "responses": ["a", "b", "c"], "ranks": [1, 2, 3]}

    assert onboarding_questions.score("rankings", [question], [ranks]) == score
