"""Rating forms, and that nothing unanswered ever becomes an answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling import rating_form
from labeling.rating_form import BadForm, Flag, RatingForm, Scale

NAMES = st.sampled_from(["overall", "clarity", "opinion", "sexual", "wrong_task", "tone"])
SCALES = st.builds(
    lambda name, low, span, is_required: Scale(name=name, label=name.title(), low=low, high=low + span, is_required=is_required),
    NAMES,
    st.integers(-3, 3),
    st.integers(1, 20),
    st.booleans(),
)
FLAGS = st.builds(lambda name: Flag(name=name, label=name.title()), NAMES)
FORMS = st.lists(st.one_of(SCALES, FLAGS), unique_by=lambda question: question.name).map(lambda asked: RatingForm(tuple(asked)))
TYPED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=25),
    st.sampled_from(["1", "7", "0", "on", "off", " 3 ", "٣", "²", "+-3"]),
)
ANSWERS = st.dictionaries(st.one_of(NAMES, st.text(max_size=5)), TYPED)


@given(FORMS)
def test_a_form_survives_its_json(form: RatingForm) -> None:
    assert rating_form.parse(form.as_json) == form


def test_the_default_form_is_instructgpts() -> None:
    form = rating_form.default()

    (overall,) = form.scales
    assert (overall.low, overall.high, overall.low_label, overall.high_label, overall.is_required) == (
        1,
        7,
        "poor",
        "excellent",
        True,
    )
    assert len(form.flags) == 11


@given(FORMS, ANSWERS)
def test_every_answer_is_cleaned_or_named_as_a_problem_and_none_is_made_up(form: RatingForm, answers: dict[str, Any]) -> None:
    cleaned, problems = rating_form.clean(form, answers)

    named = {problem.question for problem in problems}
    answered = {name for name, typed in answers.items() if typed is not None and str(typed).strip()}
    assert not named & set(cleaned)
    assert set(cleaned) <= answered
    assert answered <= named | set(cleaned)


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
    assert [problem.question for problem in problems] == [scale.name for scale in form.scales if scale.is_required]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, "a list called `questions`"),
        ({"questions": ["overall"]}, "Question 1 is not an object"),
        ({"questions": [{"kind": "flag", "label": "A"}]}, "Question 1 has no `name`"),
        ({"questions": [{"kind": "flag", "name": "a b", "label": "A"}]}, "`a b` is no name"),
        ({"questions": [{"kind": "slider", "name": "a", "label": "A"}]}, "neither `scale` nor `flag`"),
        ({"questions": [{"kind": "scale", "name": "a", "label": "A", "low": 3, "high": 3}]}, "low below high"),
        ({"questions": [{"kind": "scale", "name": "a", "label": "A", "low": True, "high": 3}]}, "whole numbers"),
        ({"questions": [{"kind": "flag", "name": "a", "label": "A"}] * 2}, "Two questions are called `a`"),
    ],
)
def test_a_bad_form_is_refused_with_the_question_and_the_reason(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadForm, match=sentence):
        rating_form.parse(raw)
