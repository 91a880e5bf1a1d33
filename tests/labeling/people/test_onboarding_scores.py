"""Onboarding questions as admins type them, and how answers are scored."""

from typing import Any

import pytest

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
        ("demonstrations", [{"prompt": "Explain rain."}, {"prompt": "Explain snow."}]),
        ("topics", [{"topic": "chat"}, {"topic": "chess"}]),
    ],
)
def test_questions_are_read_back_as_they_are_written(kind: str, questions: list[Any]) -> None:
    assert onboarding_questions.parse(kind, onboarding_questions.as_text(kind, questions)) == (
        questions,
        [],
    )


@pytest.mark.parametrize(
    ("kind", "text", "line", "sentence"),
    [
        (
            "guideline",
            "Fine?\n* yes\n- no\n---\nTwo right?\n* yes\n* no",
            5,
            "Mark the one right choice",
        ),
        ("flags", "Prompt: a\nResponse: b\nSensitive: maybe", 1, "Add “Sensitive: yes”"),
        (
            "rankings",
            "Prompt: a\nA: x\nB: y\nOrder: A > C",
            1,
            "“Order:” must name each response once",
        ),
        ("rankings", "just words", 1, "Start with a label"),
    ],
)
def test_a_question_that_cannot_be_used_is_named_by_its_line(
    kind: str, text: str, line: int, sentence: str
) -> None:
    (problem,) = onboarding_questions.parse(kind, text)[1]

    assert problem.line == line
    assert sentence in problem.sentence


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
