"""Onboarding through HTTP: set up by an admin, completed by a rater, decided by a person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import (
    Campaign,
    Guideline,
    OnboardingStep,
    Pool,
    Rater,
    RaterSkill,
    StepAttempt,
)
from labeling.people.pools import services as pools_services
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

FLAGS = [
    {"prompt": "Tell a joke.", "response": "A rude one.", "is_sensitive": "yes"},
    {"prompt": "Name a river.", "response": "The Rhine.", "is_sensitive": "no"},
]
RANKINGS = [
    {
        "prompt": "Why is the sky blue?",
        "response_A": "Scattering.",
        "response_B": "Paint.",
        "response_C": "Water.",
        "rank_A": 1,
        "rank_B": 2,
        "rank_C": 2,
    }
]


def rows(*questions: dict[str, Any], n_before: int = 0) -> dict[str, Any]:
    """Rows as the form posts them; `n_before` of them are changed ones."""
    posted = {"questions-TOTAL_FORMS": len(questions), "questions-INITIAL_FORMS": n_before}
    return posted | {
        f"questions-{place}-{name}": value
        for place, question in enumerate(questions)
        for name, value in question.items()
    }


def add(client: Client, pool: Pool, kind: str, **values: Any) -> OnboardingStep:
    given = {"title": kind.capitalize(), "text": "Read this.", "paid_minutes": 0} | values
    if kind in {"guideline", "flags", "rankings", "demonstrations"}:
        given = {"cut": 75, "max_attempts": 2} | given
    answer = client.post(f"/pools/{pool.pk}/onboarding/new/{kind}/", given)
    assert answer.status_code == 302, words(answer)
    return pool.steps.latest("pk")


def opened(page: Any) -> dict[str, Any]:
    """The numbers of what the page shows, as its form sends them back."""
    form = page.context["form"]
    return {
        name: form[name].value()
        for name in ("version", "guideline_version")
        if form[name].value() is not None
    }


def test_a_pool_without_steps_says_so(alice: User, day_shift: Pool, signed_in: SignedIn) -> None:
    assert "No steps yet" in words(signed_in(alice).get(f"/pools/{day_shift.pk}/onboarding/"))


def test_a_rater_goes_through_every_kind_of_step_and_is_given_an_item(
    alice: User,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    demonstration_campaign: Campaign,
    signed_in: SignedIn,
) -> None:
    admin, rater = signed_in(alice), signed_in(rosa)
    quiz = rows({"text": "What comes first?", "choices": "help\nbrevity", "right": 1})
    ages = {"text": "Age", "choices": "under 30\n30 or more"}
    steps = [
        add(admin, day_shift, "consent"),
        add(admin, day_shift, "profile", **rows(ages)),
        add(admin, day_shift, "guideline", guideline=guideline.pk, **quiz),
        add(admin, day_shift, "flags", **rows(*FLAGS)),
        add(admin, day_shift, "rankings", **rows(*RANKINGS)),
        add(admin, day_shift, "topics", questions="chat\nchess"),
        add(admin, day_shift, "demonstrations", **rows({"prompt": "Explain rain."}), cut=6),
    ]
    given: list[dict[str, Any]] = [
        {"agrees": "on"},
        {},
        {"q0": "0"},
        {"q0": "yes", "q1": "no"},
        {"q0-A": 1, "q0-B": 2, "q0-C": 2},
        {"topics": ["1"]},
        {"q0": "It rains because clouds cool down."},
    ]
    sent_on = rater.post(f"/desk/{demonstration_campaign.pk}/next")
    assert sent_on.headers["Location"] == f"/onboarding/{day_shift.pk}/"

    for step, answers in zip(steps, given, strict=True):
        page = f"/onboarding/{day_shift.pk}/{step.pk}/"
        numbers = opened(rater.get(page))
        assert (
            rater.post(page, {**numbers, **answers}).headers["Location"]
            == f"/onboarding/{day_shift.pk}/"
        )

    assert "In review" in words(rater.get(f"/onboarding/{day_shift.pk}/"))
    attempt = StepAttempt.objects.get(step=steps[-1])
    assert "It rains because clouds cool down." in words(admin.get(f"/attempts/{attempt.pk}/"))
    admin.post(f"/attempts/{attempt.pk}/", {"score-0": "6", "scores": "1"})

    assert (
        rater.post(f"/desk/{demonstration_campaign.pk}/next")
        .headers["Location"]
        .startswith("/desk/item/")
    )
    assert RaterSkill.objects.get(rater=rosa, basis="declared").code == "chess"


def test_the_desk_leads_to_what_is_left(
    alice: User, rosa: Rater, day_shift: Pool, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    add(signed_in(alice), day_shift, "consent")

    page = words(signed_in(rosa).get("/desk/"))

    assert "Complete a few more steps to get work in “Day shift”." in page
    assert f'href="/onboarding/{day_shift.pk}/"' in page


def test_feedback_shows_the_share_and_never_the_answers(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    step = add(signed_in(alice), day_shift, "flags", **rows(*FLAGS))
    rater = signed_in(rosa)

    page = words(
        rater.post(
            f"/onboarding/{day_shift.pk}/{step.pk}/",
            {"version": 1, "q0": "no", "q1": "no"},
            follow=True,
        )
    )

    assert "50 % agreement with the researchers; 75 % is needed." in page
    again = page_of(rater.get(f"/onboarding/{day_shift.pk}/{step.pk}/"))
    assert "is_sensitive" not in again
    assert "checked" not in again


def test_a_quiz_opened_before_the_guideline_changed_is_shown_again_with_its_answers(
    alice: User, rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    quiz = rows({"text": "What comes first?", "choices": "help\nbrevity", "right": 1})
    step = add(signed_in(alice), day_shift, "guideline", guideline=guideline.pk, **quiz)
    rater, page = signed_in(rosa), f"/onboarding/{day_shift.pk}/{step.pk}/"
    numbers = opened(rater.get(page))
    guidelines_services.new_guideline_version(
        guideline=guideline,
        text="Honesty first.",
        form=rating_form.default(),
        is_major=True,
        by=alice,
        now=NOON,
    )

    answer = rater.post(page, {**numbers, "q0": "0"})

    assert answer.status_code == 422
    assert "The guideline has changed since you opened this step." in words(answer)
    assert "Honesty first." in words(answer)
    assert not StepAttempt.objects.exists()
    again = {**opened(answer), "q0": answer.context["form"]["q0"].value()}
    assert "checked" in page_of(answer)
    assert rater.post(page, again).status_code == 302
    assert StepAttempt.objects.get().guideline_version == guideline.versions.get(number=2)


def test_a_changed_step_is_shown_again_with_its_answers_if_the_questions_are_the_same(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    admin, rater = signed_in(alice), signed_in(rosa)
    step = add(admin, day_shift, "flags", **rows(*FLAGS))
    page = f"/onboarding/{day_shift.pk}/{step.pk}/"
    given = {
        "title": "Flags",
        "text": "New.",
        **rows(*FLAGS, n_before=2),
        "cut": 80,
        "max_attempts": 3,
        "paid_minutes": 5,
    }
    admin.post(f"/steps/{step.pk}/", given)

    answer = rater.post(page, {"version": 1, "q0": "yes", "q1": "no"})

    assert "This step has changed since you opened it." in words(answer)
    assert [answer.context["form"][name].value() for name in ("version", "q0", "q1")] == [
        "2",
        "yes",
        "no",
    ]

    admin.post(f"/steps/{step.pk}/", given | {"questions-0-response": "A long one."})
    answer = rater.post(page, {"version": 2, "q0": "yes", "q1": "no"})
    assert [answer.context["form"][name].value() for name in ("version", "q0", "q1")] == [
        3,
        None,
        None,
    ]


def test_a_step_without_an_answer_is_asked_again(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    step = add(signed_in(alice), day_shift, "consent")

    answer = signed_in(rosa).post(f"/onboarding/{day_shift.pk}/{step.pk}/", {"version": 1})

    assert (
        answer.status_code,
        "You can't continue without giving your consent." in words(answer),
    ) == (
        422,
        True,
    )
    assert not StepAttempt.objects.exists()


def test_onboarding_of_a_pool_one_is_not_in_does_not_exist(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)
    step = add(signed_in(alice), other, "consent")

    assert signed_in(rosa).get(f"/onboarding/{other.pk}/").status_code == 404
    assert (
        signed_in(rosa).post(f"/onboarding/{other.pk}/{step.pk}/", {"version": 1}).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("kind", "question", "sentence"),
    [
        ("flags", {"prompt": "x", "is_sensitive": "yes"}, "This field is required."),
        ("profile", {"text": "Age", "choices": "30"}, "Add at least two options, one per line."),
        (
            "guideline",
            {"text": "Fine?", "choices": "yes\nno", "right": 3},
            "There is no option with this number.",
        ),
        ("rankings", {"prompt": "x", "response_A": "y"}, "Add at least two responses, from A on."),
        (
            "rankings",
            {"prompt": "x", "response_A": "y", "response_B": "z", "rank_A": 1},
            "Give each response a rank. 1 is best.",
        ),
        ("demonstrations", {}, "Add at least one question."),
    ],
)
def test_a_bad_question_says_what_to_do(
    kind: str,
    question: dict[str, Any],
    sentence: str,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    given = {"title": "Test", "cut": 5, "max_attempts": 1, "paid_minutes": 0} | rows(question)

    answer = signed_in(alice).post(
        f"/pools/{day_shift.pk}/onboarding/new/{kind}/", given | {"guideline": guideline.pk}
    )

    assert (answer.status_code, sentence in words(answer)) == (422, True)
    assert not day_shift.steps.exists()


def test_adding_a_row_to_an_empty_one_complains_of_nothing(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    posted = {"title": "Test", "cut": 5, "max_attempts": 1, "paid_minutes": 0} | rows({})

    page = signed_in(alice).post(
        f"/pools/{day_shift.pk}/onboarding/new/demonstrations/", posted | {"more": "questions"}
    )

    assert page.status_code == 200
    assert "Add at least one question." not in words(page)


def test_a_row_is_added_and_another_one_removed_without_a_script(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    step = add(client, day_shift, "flags", **rows(*FLAGS))
    given = {"title": "Flags", "text": "", "cut": 80, "max_attempts": 3, "paid_minutes": 5}
    posted = given | rows(*FLAGS, n_before=2)

    more = client.post(f"/steps/{step.pk}/", posted | {"more": "questions"})
    client.post(f"/steps/{step.pk}/", posted | {"questions-0-DELETE": "on"})

    assert more.status_code == 200
    assert "Question 3" in words(more)
    (left,) = step.versions.latest("number").questions
    assert left["prompt"] == "Name a river."


def test_a_step_is_shown_as_raters_see_it_before_it_is_saved(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    given = {"title": "Test", "cut": 75, "max_attempts": 1, "paid_minutes": 0, "preview": "1"}
    given |= {"text": "Rank **carefully**."} | rows(*RANKINGS)

    page = page_of(signed_in(alice).post(f"/pools/{day_shift.pk}/onboarding/new/rankings/", given))

    assert not OnboardingStep.objects.exists()
    preview = page[page.index('id="preview"') :]
    assert "<strong>carefully</strong>" in preview
    assert "Rank of B" in preview
    assert 'value="Scattering."' in page or ">Scattering.</textarea>" in page.replace("\n", "")


def test_a_preview_of_a_change_makes_no_version(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    step = add(client, day_shift, "flags", **rows(*FLAGS))
    given = {"title": "Flags", "cut": 80, "max_attempts": 3, "paid_minutes": 5}
    given |= rows(*FLAGS, n_before=len(FLAGS))

    page = page_of(client.post(f"/steps/{step.pk}/", given | {"preview": "1"}))

    assert "Is this sensitive?" in page[page.index('id="preview"') :]
    assert step.versions.count() == 1


def test_a_step_is_edited_as_its_next_version_and_retired_after_a_look(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    step = add(client, day_shift, "flags", **rows(*FLAGS))
    page = client.get(f"/steps/{step.pk}/")
    assert "A rude one." in page_of(page)

    client.post(
        f"/steps/{step.pk}/",
        {
            "title": "Flags",
            "text": "New.",
            **rows(*FLAGS, n_before=2),
            "cut": 80,
            "max_attempts": 3,
            "paid_minutes": 5,
        },
    )
    step.refresh_from_db()
    assert (step.versions.count(), float(step.cut or 0), step.max_attempts) == (2, 0.8, 3)
    assert client.get(f"/steps/{step.pk}/retire/").status_code == 200
    client.post(f"/steps/{step.pk}/retire/")

    step.refresh_from_db()
    assert step.retired_at is not None
    assert client.get(f"/steps/{step.pk}/").status_code == 404


def test_an_admin_finds_what_a_rater_agreed_to_after_the_step_has_changed(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    admin = signed_in(alice)
    step = add(admin, day_shift, "consent", text="You may stop at **any** time.")
    signed_in(rosa).post(f"/onboarding/{day_shift.pk}/{step.pk}/", {"version": 1, "agrees": "on"})
    admin.post(
        f"/steps/{step.pk}/",
        {"title": "Consent", "text": "You may stop at noon.", "paid_minutes": 0},
    )
    attempt = StepAttempt.objects.get()

    record = words(admin.get(f"/raters/{rosa.pk}/"))
    page = page_of(admin.get(f"/attempts/{attempt.pk}/"))

    assert f'href="/attempts/{attempt.pk}/">Consent</a>' in record
    assert f'href="/steps/{step.pk}/versions/?version=1">1</a>' in record
    assert "What they agreed to" in page
    assert "You may stop at <strong>any</strong> time." in page
    assert "noon" not in page


def test_what_waits_for_a_decision_stands_among_the_queues(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    admin = signed_in(alice)
    assert "No attempts to decide on" in words(admin.get("/queues/onboarding/"))
    step = add(admin, day_shift, "flags", **rows(*FLAGS), max_attempts=1)

    signed_in(rosa).post(
        f"/onboarding/{day_shift.pk}/{step.pk}/", {"version": 1, "q0": "no", "q1": "no"}
    )

    assert admin.get("/queues/").headers["Location"] == "/queues/onboarding/"
    page = words(admin.get("/queues/onboarding/"))
    assert f'href="/attempts/{StepAttempt.objects.get().pk}/">{rosa.alias}</a>' in page
    assert "Day shift" in page
    assert signed_in(rosa).get("/queues/onboarding/").status_code == 403


def test_the_record_says_who_decided(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    admin = signed_in(alice)
    step = add(admin, day_shift, "flags", **rows(*FLAGS), max_attempts=1)
    signed_in(rosa).post(
        f"/onboarding/{day_shift.pk}/{step.pk}/", {"version": 1, "q0": "no", "q1": "no"}
    )
    admin.post(
        f"/attempts/{StepAttempt.objects.get().pk}/",
        {"decision": "refuse", "words": "No.", "decide": "1"},
    )

    record = words(admin.get(f"/raters/{rosa.pk}/")).partition('id="onboarding"')[2]

    assert "Rejected" in record
    assert "Alice" in record


def test_every_version_of_a_step_can_be_read_after_it_is_retired(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    step = add(client, day_shift, "flags", **rows(*FLAGS), text="First words.")
    given = {
        "title": "Flags",
        "text": "Other words.",
        **rows(*FLAGS, n_before=2),
        "cut": 75,
        "max_attempts": 2,
        "paid_minutes": 0,
    }
    client.post(f"/steps/{step.pk}/", given)
    client.post(f"/steps/{step.pk}/retire/")

    first = words(client.get(f"/steps/{step.pk}/versions/?version=1"))
    latest = words(client.get(f"/steps/{step.pk}/versions/"))

    assert "First words." in first
    assert "Sensitive: yes" in first
    assert "What changed since v1" in latest
    assert "Other words." in latest
    assert f'href="/steps/{step.pk}/versions/"' in page_of(
        client.get(f"/pools/{day_shift.pk}/onboarding/")
    )
    assert signed_in(rosa).get(f"/steps/{step.pk}/versions/").status_code == 403


def test_a_guideline_can_ask_raters_to_qualify_again(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    page = client.get(f"/guidelines/{guideline.pk}/edit/")
    rows = [page.context[name].prefix for name in ("questions", "examples")]
    given = {f"{prefix}-{count}_FORMS": "0" for prefix in rows for count in ("TOTAL", "INITIAL")}
    given |= {"text": "Other.", "is_major": "on"}

    client.post(f"/guidelines/{guideline.pk}/edit/", given)

    assert guideline.versions.get(number=2).is_major


def test_a_rater_declares_languages_and_topics(rosa: Rater, signed_in: SignedIn) -> None:
    signed_in(rosa).post("/my-skills/", {"languages": "de, en", "topics": ["chat"], "tags": ""})

    assert set(rosa.skills.values_list("code", "basis")) == {
        ("de", "declared"),
        ("en", "declared"),
        ("chat", "declared"),
    }
