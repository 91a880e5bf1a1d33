"""The admin's guideline pages, through HTTP."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.guidelines import constitution, rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline
from tests.cast import NOON
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

SCALE = {
    "name": "overall",
    "kind": "scale",
    "label": "Overall",
    "low": "1",
    "high": "5",
    "low_label": "bad",
    "high_label": "good",
    "is_required": "on",
}


def posted(*questions: dict[str, str], **fields: str) -> dict[str, str]:
    """The page's form with these questions as its rows."""
    rows = {
        f"questions-{number}-{name}": value
        for number, question in enumerate(questions)
        for name, value in ({"ORDER": str(number + 1)} | question).items()
    }
    size = {
        "questions-TOTAL_FORMS": str(len(questions)),
        "questions-INITIAL_FORMS": str(len(questions)),
    }
    size |= {"examples-TOTAL_FORMS": "0", "examples-INITIAL_FORMS": "0"}
    return {"text": "Be kind.", "purpose": "compare"} | rows | size | fields


def newest(guideline: Guideline) -> rating_form.RatingForm:
    version = guideline.versions.order_by("-number").first()
    assert version is not None
    return rating_form.parse(version.form)


def test_a_guideline_is_made_with_its_questions(alice: User, signed_in: SignedIn) -> None:
    answer = signed_in(alice).post(
        "/guidelines/new/",
        posted(SCALE, {"kind": "flag", "label": "Made up"}, name="Kind answers"),
    )

    guideline = Guideline.objects.get()
    assert answer.headers["Location"] == f"/guidelines/{guideline.pk}/versions/"
    assert newest(guideline).questions == (
        rating_form.Scale(
            name="overall",
            label="Overall",
            low=1,
            high=5,
            low_label="bad",
            high_label="good",
            is_required=True,
        ),
        rating_form.Flag(name="made_up", label="Made up"),
    )


def test_a_new_guideline_starts_with_the_questions_of_instructgpt(
    alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/guidelines/new/"))

    assert 'value="Makes up facts"' in page


def test_an_edit_makes_the_next_version_for_campaigns_that_are_not_closed(
    alice: User, guideline: Guideline, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE))

    demonstration_campaign.refresh_from_db()
    assert demonstration_campaign.guideline_version.number == 2
    assert guideline.versions.get(number=1).text.startswith("# Be helpful")


def test_a_renamed_question_keeps_its_name_so_that_answers_stay_comparable(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    signed_in(alice).post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE | {"label": "All in all"})
    )

    (question,) = newest(guideline).questions
    assert (question.name, question.label) == ("overall", "All in all")


def test_questions_are_put_in_the_order_of_their_places(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    flag = {"kind": "flag", "label": "Made up", "ORDER": "1"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE | {"ORDER": "2"}, flag))

    assert [question.name for question in newest(guideline).questions] == ["made_up", "overall"]


def test_a_removed_question_is_gone(alice: User, guideline: Guideline, signed_in: SignedIn) -> None:
    flag = {"kind": "flag", "label": "Made up", "DELETE": "on"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE, flag))

    assert [question.name for question in newest(guideline).questions] == ["overall"]


def test_a_scale_upside_down_gets_a_sentence(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE | {"low": "7", "high": "1"})
    )

    assert "The high end must be above the low end." in words(answer)
    assert guideline.versions.count() == 1


def test_a_question_is_asked_only_after_some_answers_to_another(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    low = {"kind": "flag", "label": "Made up", "asked_if": "Overall", "at_most": "2"}
    ticked = {"kind": "flag", "label": "Names a source", "asked_if": "Made up"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE, low, ticked))

    assert [question.asked_if for question in newest(guideline).questions] == [
        None,
        rating_form.Condition("overall", at_most=2),
        rating_form.Condition("made_up"),
    ]
    page = words(signed_in(alice).get(f"/guidelines/{guideline.pk}/versions/"))
    assert "if “Overall” is at most 2" in page
    assert "Made up [Overall ≤ 2]" in page
    page = words(signed_in(alice).get(f"/guidelines/{guideline.pk}/edit/"))
    assert '<option value="Overall" selected>' in page
    assert '<option value="Made up" selected>' in page


def test_of_two_questions_with_one_label_the_first_is_meant(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    again = {"kind": "flag", "label": "Overall"}
    low = {"kind": "flag", "label": "Made up", "asked_if": "Overall", "at_most": "2"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE, again, low))

    assert newest(guideline).questions[-1].asked_if == rating_form.Condition("overall", at_most=2)


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ({"asked_if": "Last"}, "“Last” does not come before this question."),
        ({"asked_if": "Made up"}, "“Made up” does not come before this question."),
        ({"asked_if": "Overall"}, "Enter the minimum or maximum value for “Overall”."),
        (
            {"asked_if": "Overall", "at_least": "6"},
            "“Overall” ranges from 1 to 5, so this question would never be asked.",
        ),
        (
            {"asked_if": "Unfit", "at_least": "1"},
            "“Unfit” is a checkbox. Leave both numbers empty.",
        ),
    ],
)
def test_a_condition_that_cannot_be_met_gets_a_sentence(
    condition: dict[str, str], sentence: str, alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    unfit, last = {"kind": "flag", "label": "Unfit"}, {"kind": "flag", "label": "Last"}
    flag = {"kind": "flag", "label": "Made up"} | condition

    answer = signed_in(alice).post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE, unfit, flag, last)
    )

    assert sentence in words(answer)
    assert guideline.versions.count() == 1


def test_one_more_question_keeps_what_was_typed_and_saves_nothing(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE, text="Be brief.", more="questions")
    )

    page = words(answer)
    assert "Be brief." in page
    assert 'name="questions-1-label"' in page
    assert guideline.versions.count() == 1


def test_the_history_shows_what_changed(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    guidelines_services.new_guideline_version(
        guideline=guideline,
        text="# Be helpful\n\nThen be brief.",
        form=rating_form.default(),
        by=alice,
        now=NOON,
    )

    page = words(signed_in(alice).get(f"/guidelines/{guideline.pk}/versions/"))

    assert "Then be honest.</del>" in page
    assert "Then be brief.</ins>" in page
    assert "The questions have not changed." in page


def test_an_old_version_can_be_read(alice: User, guideline: Guideline, signed_in: SignedIn) -> None:
    guidelines_services.new_guideline_version(
        guideline=guideline, text="New words.", form=rating_form.default(), by=alice, now=NOON
    )

    page = words(signed_in(alice).get(f"/guidelines/{guideline.pk}/versions/?version=1"))

    assert "Then be honest." in page
    assert "New words." not in page


@pytest.mark.parametrize("n_guidelines", [1, 20])
def test_the_list_asks_as_many_queries_for_one_guideline_as_for_twenty(
    n_guidelines: int, alice: User, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    for number in range(n_guidelines):
        guidelines_services.create_guideline(
            name=f"Guideline {number}", text="…", by=None, now=NOON
        )
    client = signed_in(alice)

    with django_assert_num_queries(15):
        client.get("/guidelines/")


@pytest.mark.parametrize("n_versions", [1, 20])
def test_the_history_asks_as_many_queries_for_one_version_as_for_twenty(
    n_versions: int,
    alice: User,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    for number in range(1, n_versions):
        guidelines_services.new_guideline_version(
            guideline=guideline, text=f"{number}", form=rating_form.default(), by=alice, now=NOON
        )
    client = signed_in(alice)

    with django_assert_num_queries(15):
        client.get(f"/guidelines/{guideline.pk}/versions/?version=1")


def test_an_arrow_moves_a_question_and_saves_nothing(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    flag = {"kind": "flag", "label": "Made up"}
    client = signed_in(alice)

    page = client.post(f"/guidelines/{guideline.pk}/edit/", posted(SCALE, flag, move="1-up")).text

    assert page.index('value="Made up"') < page.index('value="Overall"')
    assert re.search('name="questions-1-ORDER" value="1"', page)
    assert re.search('name="questions-0-ORDER" value="2"', page)
    assert guideline.versions.count() == 1


@pytest.mark.parametrize("move", ["0-up", "1-down", "9-up", "x", "-"])
def test_an_arrow_at_an_end_changes_nothing(
    move: str, alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    flag = {"kind": "flag", "label": "Made up"}
    page = signed_in(alice).post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE, flag, move=move)
    )

    assert page.status_code == 200
    assert page.text.index('value="Overall"') < page.text.index('value="Made up"')


def test_a_guideline_for_writing_has_no_questions(alice: User, signed_in: SignedIn) -> None:
    broken = SCALE | {"low": "7", "high": "1"}

    signed_in(alice).post("/guidelines/new/", posted(broken, name="Poems", purpose="write"))

    assert newest(Guideline.objects.get()).questions == ()


def test_questions_are_one_line_each_until_something_is_wrong(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    fine = client.get(f"/guidelines/{guideline.pk}/edit/").text
    wrong = client.post(
        f"/guidelines/{guideline.pk}/edit/", posted(SCALE | {"low": "7", "high": "1"})
    ).text

    assert "<details open" not in fine
    assert "Scale 1–7" in fine
    assert wrong.count("<details open") == 1


def test_a_merit_is_told_apart_from_a_fault(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    merit = {"kind": "flag", "label": "Kind", "is_merit": "on"}
    fault = {"kind": "flag", "label": "Rude"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", posted(merit, fault))

    assert [flag.is_merit for flag in newest(guideline).flags] == [True, False]


def test_a_form_saved_before_merits_existed_has_the_initial_one() -> None:
    old = {"questions": [{"kind": "flag", "name": "satisfies_constraint", "label": "keeps them"}]}

    assert rating_form.parse(old).flags[0].is_merit
    assert [flag.name for flag in rating_form.default().flags if flag.is_merit] == [
        "satisfies_constraint"
    ]


def test_an_empty_row_that_was_moved_is_still_empty(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    client, address = signed_in(alice), f"/guidelines/{guideline.pk}/edit/"
    client.post(address, posted(SCALE))
    rows = posted(SCALE | {"ORDER": "2"}, {"kind": "flag", "label": "", "ORDER": "1"})

    client.post(address, rows | {"questions-INITIAL_FORMS": "1", "text": "Be kinder."})

    assert guideline.versions.count() == 3
    assert [question.name for question in newest(guideline).questions] == ["overall"]


def test_one_press_adds_the_principles_and_they_are_saved_as_such(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    client, address = signed_in(alice), f"/guidelines/{guideline.pk}/edit/"
    own = {"name": "honest", "kind": "flag", "label": "Own words", "is_principle": "on"}
    shown = client.post(address, posted(SCALE, own) | {"more": "principles"})
    rows = shown.context["questions"]
    added = {
        f"questions-{number}-{name}": str(rows.forms[number][name].value() or "")
        for number in range(2, rows.total_form_count())
        for name in rows.forms[number].fields
    }
    size = {"questions-TOTAL_FORMS": str(rows.total_form_count())}

    client.post(address, posted(SCALE, own) | added | size)

    principles = newest(guideline).principles
    expected = [other for other in constitution.PRINCIPLES if other.name != "honest"]
    assert [question.label for question in principles[:1]] == ["Own words"]
    assert list(principles[1:]) == expected


def test_a_form_without_principles_is_stored_as_before() -> None:
    stored = rating_form.default().as_json

    assert not any("is_principle" in question for question in stored["questions"])
    principles = rating_form.RatingForm(constitution.PRINCIPLES)
    assert rating_form.parse(principles.as_json) == principles
