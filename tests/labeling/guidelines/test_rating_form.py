"""Rating forms: a question without an answer never becomes an answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.guidelines import rating_form
from labeling.guidelines.rating_form import Condition, Flag, InvalidRatingForm, RatingForm, Scale

NAMES = st.sampled_from(["overall", "clarity", "opinion", "sexual", "wrong_task", "tone"])
SCALES = st.builds(
    lambda name, low, span, is_required: Scale(
        name=name, label=name.title(), low=low, high=low + span, is_required=is_required
    ),
    NAMES,
    st.integers(-3, 3),
    st.integers(1, 20),
    st.booleans(),
)
FLAGS = st.builds(lambda name: Flag(name=name, label=name.title()), NAMES)
PLAIN = st.lists(st.one_of(SCALES, FLAGS), unique_by=lambda question: question.name)


@st.composite
def conditional(draw: Callable[[st.SearchStrategy[Any]], Any]) -> RatingForm:
    """Some of the questions are asked only after some answers to one before them."""
    questions: list[Scale | Flag] = []
    for question in draw(PLAIN):
        if questions and draw(st.booleans()):
            decisive = draw(st.sampled_from(questions))
            bound = draw(st.sampled_from(decisive.choices)) if isinstance(decisive, Scale) else None
            bounds = draw(st.sampled_from([(bound, None), (None, bound), (bound, bound)]))
            question = replace(question, asked_if=Condition(decisive.name, *bounds))
        questions.append(question)
    return RatingForm(tuple(questions))


FORMS = conditional()
TYPED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=25),
    st.sampled_from(["1", "7", "0", "on", "off", " 3 ", "٣", "²", "+-3"]),
)
FLAG = {"kind": "flag", "name": "a", "label": "A"}
SCALE = {"kind": "scale", "name": "s", "label": "S"}
ANSWERS = st.dictionaries(st.one_of(NAMES, st.text(max_size=5)), TYPED)


@given(FORMS)
def test_a_form_survives_its_json(form: RatingForm) -> None:
    assert rating_form.parse(form.as_json) == form


def test_the_default_form_is_instructgpts() -> None:
    form = rating_form.default()

    (overall,) = form.scales
    assert (
        overall.low,
        overall.high,
        overall.low_label,
        overall.high_label,
        overall.is_required,
    ) == (
        1,
        7,
        "poor",
        "excellent",
        True,
    )
    assert len(form.flags) == 11


@given(FORMS, ANSWERS)
def test_every_answer_is_cleaned_or_named_as_a_problem_and_none_is_made_up(
    form: RatingForm, answers: dict[str, Any]
) -> None:
    cleaned, problems = rating_form.clean(form, answers)

    named = {problem.question for problem in problems}
    answered = {name for name, typed in answers.items() if typed is not None and str(typed).strip()}
    not_asked = {
        question.name for question in form.questions if not is_asked(form, question, cleaned)
    }
    assert not named & set(cleaned)
    assert set(cleaned) <= answered
    assert not not_asked & (named | set(cleaned))
    assert answered <= named | set(cleaned) | not_asked


def is_asked(form: RatingForm, question: Scale | Flag, cleaned: dict[str, int | bool]) -> bool:
    """The slow twin: by hand, case by case."""
    condition = question.asked_if
    if condition is None:
        return True
    answer = cleaned.get(condition.question)
    if any(
        other.name == condition.question and isinstance(other, Flag) for other in form.questions
    ):
        return answer is True
    if answer is None:
        return False
    if condition.at_least is not None and answer < condition.at_least:
        return False
    return not (condition.at_most is not None and answer > condition.at_most)


def test_a_question_is_asked_only_after_the_answers_that_call_for_it() -> None:
    """Overall at most 3 asks how harmful, and that ticked asks to whom: an answer to what was not
    asked is left out.
    """
    overall = Scale("overall", "Overall", is_required=True)
    harm = Flag("harm", "Harmful", asked_if=Condition("overall", at_most=3))
    how_bad = Scale("how_bad", "How bad", high=3, is_required=True, asked_if=Condition("harm"))
    form = RatingForm((overall, harm, how_bad))

    assert rating_form.clean(form, {"overall": "5", "harm": "true", "how_bad": "9"}) == (
        {"overall": 5},
        [],
    )
    assert rating_form.clean(form, {"overall": "3", "harm": "true", "how_bad": "2"}) == (
        {"overall": 3, "harm": True, "how_bad": 2},
        [],
    )
    _cleaned, (problem,) = rating_form.clean(form, {"overall": "3", "harm": "true"})
    assert (problem.question, problem.code) == ("how_bad", "required")
    assert rating_form.clean(form, {"overall": "3", "harm": "false"}) == (
        {"overall": 3, "harm": False},
        [],
    )


@given(FORMS, ANSWERS)
def test_what_is_cleaned_fits_its_question(form: RatingForm, answers: dict[str, Any]) -> None:
    cleaned, _problems = rating_form.clean(form, answers)

    for scale in form.scales:
        if scale.name in cleaned:
            assert type(cleaned[scale.name]) is int
            assert cleaned[scale.name] in scale.choices
    for flag in form.flags:
        assert type(cleaned.get(flag.name, True)) is bool


@given(FORMS, ANSWERS)
def test_cleaning_what_is_clean_changes_nothing(form: RatingForm, answers: dict[str, Any]) -> None:
    cleaned, _problems = rating_form.clean(form, answers)

    again, problems = rating_form.clean(form, cleaned)

    assert again == cleaned
    assert {problem.code for problem in problems} <= {"required"}


@given(FORMS)
def test_only_required_scales_need_an_answer(form: RatingForm) -> None:
    cleaned, problems = rating_form.clean(form, {})

    assert cleaned == {}
    always = [scale for scale in form.scales if scale.asked_if is None]
    assert [problem.question for problem in problems] == [
        scale.name for scale in always if scale.is_required
    ]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, "a list called `questions`"),
        ({"questions": ["overall"]}, "Question 1 is not an object"),
        ({"questions": [{"kind": "flag", "label": "A"}]}, "Question 1 has no `name`"),
        ({"questions": [{"kind": "flag", "name": "a b", "label": "A"}]}, "`a b` is no name"),
        (
            {"questions": [{"kind": "slider", "name": "a", "label": "A"}]},
            "neither `scale` nor `flag`",
        ),
        (
            {"questions": [{"kind": "scale", "name": "a", "label": "A", "low": 3, "high": 3}]},
            "low below high",
        ),
        (
            {"questions": [{"kind": "scale", "name": "a", "label": "A", "low": True, "high": 3}]},
            "whole numbers",
        ),
        (
            {"questions": [{"kind": "flag", "name": "a", "label": "A"}] * 2},
            "Two questions are called `a`",
        ),
        ({"questions": [FLAG | {"asked_if": "b"}]}, "not an object with a `question`"),
        ({"questions": [FLAG | {"asked_if": {"at_most": 3}}]}, "Question 1 has no `question`"),
        (
            {"questions": [FLAG | {"asked_if": {"question": "a", "at_most": "3"}}]},
            "are whole numbers",
        ),
        ({"questions": [FLAG | {"asked_if": {"question": "a"}}]}, "no question before it"),
        (
            {"questions": [SCALE, FLAG | {"asked_if": {"question": "s"}}]},
            "`at_least` or `at_most` a number",
        ),
        (
            {"questions": [FLAG, SCALE | {"asked_if": {"question": "a", "at_most": 3}}]},
            "asked if a flag is ticked",
        ),
        (
            {"questions": [SCALE, FLAG | {"asked_if": {"question": "s", "at_least": 8}}]},
            "would never be asked",
        ),
    ],
)
def test_a_bad_form_is_refused_with_the_question_and_the_reason(
    raw: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRatingForm, match=sentence):
        rating_form.parse(raw)
