"""Onboarding: attempts, decisions, new guideline versions, and the gate before work."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditEvent, Notice, User
from accounts.notices import services as notices_services
from labeling.guidelines import rating_form
from labeling.guidelines import selectors as guidelines_selectors
from labeling.guidelines import services as guidelines_services
from labeling.models import (
    Campaign,
    Guideline,
    GuidelineReading,
    OnboardingStep,
    Pool,
    ProfileAnswer,
    Rater,
    RaterSkill,
    StepAttempt,
)
from labeling.pay import services as pay_services
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.people.onboarding import selectors as onboarding_selectors
from labeling.people.onboarding import services as onboarding_services
from labeling.people.pools import services as pools_services
from labeling.queue import onboarding_left
from labeling.queue.claiming import claim
from tests.cast import NOON, rater_called
from tests.labeling.people.onboarding_questions import FLAGS, QUIZ

pytestmark = pytest.mark.django_db


def step(
    pool: Pool, kind: str = "flags", *, questions: Sequence[Any] = FLAGS, **more: Any
) -> OnboardingStep:
    values: dict[str, Any] = {
        "title": "A test",
        "text": "",
        "cut": Decimal("0.75"),
        "max_attempts": 2,
        "by": None,
        "now": NOON,
    } | more
    return onboarding_services.add_step(pool=pool, kind=kind, questions=questions, **values)


def submit(
    step: OnboardingStep, rater: Rater, answers: Sequence[Any], *, version: int = 1
) -> StepAttempt:
    number = (
        guidelines_selectors.latest_version(guideline=step.guideline).number
        if step.guideline
        else None
    )
    return onboarding_services.submit_step(
        step=step, rater=rater, version=version, guideline_version=number, answers=answers, now=NOON
    )


def progress(rater: Rater, pool: Pool) -> list[str]:
    return [
        line.progress.value for line in onboarding_selectors.rater_steps(rater=rater, pool=pool)
    ]


RIGHT = [True, False, True, False]

HALF = [True, False, False, True]


# --- attempts -------------------------------------------------------------------------------------


def test_three_of_four_reach_a_cut_of_75_percent(day_shift: Pool, rosa: Rater) -> None:
    attempt = submit(step(day_shift), rosa, [True, False, True, True])

    assert (attempt.state, attempt.score) == ("passed", 0.75)


def test_below_the_cut_a_rater_tries_again_and_then_a_person_decides(
    day_shift: Pool, rosa: Rater
) -> None:
    test = step(day_shift)

    assert submit(test, rosa, HALF).state == "below"
    assert progress(rosa, day_shift) == ["again"]
    assert submit(test, rosa, HALF).state == "waiting"
    with pytest.raises(onboarding_services.UnableToSubmitStep):
        submit(test, rosa, RIGHT)


def test_a_person_may_pass_somebody_below_the_cut(
    day_shift: Pool, alice: User, rosa: Rater
) -> None:
    attempt = submit(step(day_shift, max_attempts=1), rosa, HALF)

    onboarding_services.decide_attempt(
        attempt=attempt, decision="pass", words="Close enough.", by=alice, now=NOON
    )

    assert progress(rosa, day_shift) == ["passed"]
    assert AuditEvent.objects.filter(by=alice, action="decide", before__score=0.5).exists()
    assert Notice.objects.get(person=rosa.user).sentence == "You have passed “A test”."


def test_a_person_may_allow_one_attempt_more(day_shift: Pool, alice: User, rosa: Rater) -> None:
    test = step(day_shift, max_attempts=1)
    onboarding_services.decide_attempt(
        attempt=submit(test, rosa, HALF), decision="again", words="", by=alice, now=NOON
    )

    assert progress(rosa, day_shift) == ["again"]
    assert submit(test, rosa, RIGHT).state == "passed"


def test_who_is_refused_has_no_further_go(day_shift: Pool, alice: User, rosa: Rater) -> None:
    test = step(day_shift)
    onboarding_services.decide_attempt(
        attempt=submit(test, rosa, HALF), decision="refuse", words="", by=alice, now=NOON
    )

    assert progress(rosa, day_shift) == ["refused"]


def test_a_step_may_want_a_person_in_any_case(day_shift: Pool, rosa: Rater) -> None:
    assert submit(step(day_shift, needs_decision=True), rosa, RIGHT).state == "waiting"


def test_admins_are_told_once_of_a_step_that_waits_until_they_have_read_it(
    day_shift: Pool, alice: User, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    test = step(day_shift, needs_decision=True)
    for rater in (rosa, raul):
        submit(test, rater, RIGHT)

    notice = Notice.objects.get(person=alice)
    assert (notice.sentence, notice.path) == (
        f"{rosa.alias} submitted “A test”, which needs a decision.",
        "/queues/onboarding/",
    )
    notices_services.mark_read(person=alice, now=NOON)
    submit(test, rita, RIGHT)

    assert Notice.objects.filter(person=alice).count() == 2


def test_admins_are_told_of_each_step_that_waits(
    alice: User, rosa: Rater, raul: Rater, day_shift: Pool
) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)
    pools_services.add_raters(pool=other, raters=[raul], by=None, now=NOON)

    submit(step(day_shift, needs_decision=True), rosa, RIGHT)
    submit(step(other, needs_decision=True), raul, RIGHT)

    assert Notice.objects.filter(person=alice).count() == 2


def test_nobody_is_told_of_what_needs_no_decision(
    alice: User, rosa: Rater, raul: Rater, day_shift: Pool
) -> None:
    test = step(day_shift)

    submit(test, rosa, RIGHT)
    submit(test, raul, HALF)

    assert not Notice.objects.filter(person=alice).exists()


def test_demonstrations_pass_at_a_mean_of_six(
    day_shift: Pool, alice: User, noor: User, rosa: Rater
) -> None:
    written = step(
        day_shift, "demonstrations", questions=[{"prompt": "a"}, {"prompt": "b"}], cut=Decimal(6)
    )
    attempt = submit(written, rosa, ["One.", "Two."])
    assert attempt.state == "waiting"

    onboarding_services.score_demonstration(attempt=attempt, scores=[5, 6], by=alice, now=NOON)
    assert progress(rosa, day_shift) == ["waiting"]
    scored = onboarding_services.score_demonstration(
        attempt=attempt, scores=[7, 6], by=noor, now=NOON
    )

    assert (scored.score, scored.state) == (6.0, "passed")


def test_steps_come_one_after_another(day_shift: Pool, rosa: Rater) -> None:
    consent = step(day_shift, "consent", questions=[], cut=None)
    step(day_shift)
    assert progress(rosa, day_shift) == ["open", "later"]

    submit(consent, rosa, [True])

    assert progress(rosa, day_shift) == ["passed", "open"]


def test_nobody_outside_the_pool_submits(day_shift: Pool, rosa: Rater) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)

    with pytest.raises(onboarding_services.UnableToSubmitStep):
        submit(step(other), rosa, RIGHT)


def test_consent_is_recorded_with_the_version_that_was_read(day_shift: Pool, rosa: Rater) -> None:
    consent = step(day_shift, "consent", questions=[], cut=None, text="First words.")
    changed(consent, text="Other words.", is_major=False)

    with pytest.raises(onboarding_services.UnableToSubmitStep) as raised:
        submit(consent, rosa, [True], version=1)
    attempt = submit(consent, rosa, [True], version=2)

    assert "has changed since you opened it" in raised.value.sentence
    assert (attempt.version.text, attempt.submitted_at) == ("Other words.", NOON)


def changed(step: OnboardingStep, *, text: str, is_major: bool) -> None:
    version = step.versions.latest("number")
    onboarding_services.edit_step(
        step=step,
        title=version.title,
        text=text,
        questions=version.questions,
        guideline=step.guideline,
        cut=step.cut,
        max_attempts=step.max_attempts,
        needs_decision=False,
        paid_minutes=0,
        is_major=is_major,
        by=None,
        now=NOON,
    )


@pytest.mark.parametrize(("is_major", "after"), [(True, ["open"]), (False, ["passed"])])
def test_only_a_major_change_is_gone_through_again(
    is_major: bool, after: list[str], day_shift: Pool, rosa: Rater
) -> None:
    consent = step(day_shift, "consent", questions=[], cut=None, text="First words.")
    submit(consent, rosa, [True])

    changed(consent, text="Other words.", is_major=is_major)

    assert progress(rosa, day_shift) == after


@pytest.mark.parametrize(("is_major", "after"), [(True, ["open"]), (False, ["passed"])])
def test_raters_qualify_anew_when_the_guidelines_major_version_changes(
    is_major: bool,
    after: list[str],
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    demonstration_campaign: Campaign,
) -> None:
    quiz = step(day_shift, "guideline", questions=QUIZ, guideline=guideline)
    submit(quiz, rosa, [0])

    guidelines_services.new_guideline_version(
        guideline=guideline,
        text="Other.",
        form=rating_form.default(),
        is_major=is_major,
        by=None,
        now=NOON,
    )

    assert progress(rosa, day_shift) == after
    assert onboarding_left.steps_left(rater=rosa, pool=day_shift).exists() == is_major


def test_a_quiz_opened_before_the_guideline_changed_is_not_taken(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    quiz = step(day_shift, "guideline", questions=QUIZ, guideline=guideline)
    guidelines_services.new_guideline_version(
        guideline=guideline,
        text="Other.",
        form=rating_form.default(),
        is_major=True,
        by=None,
        now=NOON,
    )

    with pytest.raises(onboarding_services.UnableToSubmitStep) as raised:
        onboarding_services.submit_step(
            step=quiz, rater=rosa, version=1, guideline_version=1, answers=[0], now=NOON
        )

    assert "The guideline has changed since you opened this step." in raised.value.sentence
    assert not StepAttempt.objects.exists()
    assert not GuidelineReading.objects.exists()


def test_another_guideline_makes_the_steps_next_version(
    day_shift: Pool, guideline: Guideline
) -> None:
    quiz = step(day_shift, "guideline", questions=QUIZ, guideline=guideline)
    quiz.guideline = guidelines_services.create_guideline(
        name="Harmless answers", text="Do no harm.", by=None, now=NOON
    )

    changed(quiz, text=quiz.versions.get().text, is_major=False)

    assert list(quiz.versions.values_list("number", flat=True)) == [1, 2]


def test_passing_the_guidelines_step_is_having_read_it(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    submit(step(day_shift, "guideline", questions=QUIZ, guideline=guideline), rosa, [0])

    assert GuidelineReading.objects.filter(rater=rosa, version__guideline=guideline).exists()


def test_a_profile_is_kept_apart_from_the_attempt(day_shift: Pool, rosa: Rater) -> None:
    questions = [
        {"text": "Age", "choices": ["under 30", "30 or more"]},
        {"text": "Home", "choices": ["town", "village"]},
    ]

    attempt = submit(step(day_shift, "profile", questions=questions, cut=None), rosa, [1, None])

    assert attempt.answers == []
    assert list(ProfileAnswer.objects.values_list("question", "answer")) == [("Age", "30 or more")]


def test_a_profile_is_counted_and_few_people_are_not_told(day_shift: Pool) -> None:
    questions = [{"text": "Age", "choices": ["under 30", "30 or more"]}]
    profile = step(day_shift, "profile", questions=questions, cut=None)
    for number in range(6):
        submit(profile, rater_called(f"Rater {number}", pool=day_shift), [0 if number else 1])

    (count,) = onboarding_selectors.profile_counts(step=profile)

    assert (count.n, count.cells) == (6, [("under 30", 5), ("30 or more", None)])


def test_topics_that_one_knows_are_declared_and_a_passed_test_has_tested_the_pools(
    day_shift: Pool, rosa: Rater
) -> None:
    terms = pools_services.PoolTerms(languages=("de",), expertise=("chat",))
    pools_services.edit_pool(
        pool=day_shift,
        name="Day shift",
        description="",
        is_held_out=False,
        terms=terms,
        by=None,
        now=NOON,
    )
    day_shift.refresh_from_db()
    submit(step(day_shift, "topics", questions=[{"topic": "chess"}], cut=None), rosa, ["chess"])
    submit(step(day_shift), rosa, RIGHT)

    known = set(RaterSkill.objects.filter(rater=rosa).values_list("code", "basis"))
    assert known == {("chess", "declared"), ("de", "tested"), ("chat", "tested")}


# --- the gate -------------------------------------------------------------------------------------


def test_nobody_is_given_an_item_before_the_last_step_is_passed(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    test = step(day_shift)

    with pytest.raises(claim.UnableToClaim) as raised:
        claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert raised.value.blocker.reason == "onboarding"
    submit(test, rosa, RIGHT)

    assert claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON) is not None


def test_a_retired_step_holds_nobody_back(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    onboarding_services.retire_step(step=step(day_shift), by=None, now=NOON)

    assert claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON) is not None


def test_steps_of_one_pool_are_not_anothers(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)
    pools_services.add_raters(pool=other, raters=[rosa], by=None, now=NOON)
    step(other)

    assert claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON) is not None


def test_steps_change_places(day_shift: Pool, rosa: Rater) -> None:
    step(day_shift, title="First")
    second = step(day_shift, title="Second")

    onboarding_services.move_step(step=second, places=-1, by=None, now=NOON)
    onboarding_services.move_step(step=second, places=-1, by=None, now=NOON)

    assert [
        line.version.title for line in onboarding_selectors.rater_steps(rater=rosa, pool=day_shift)
    ] == [
        "Second",
        "First",
    ]


def test_who_is_on_the_way_is_listed_with_what_is_left(
    day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    first = step(day_shift, "consent", questions=[], cut=None)
    step(day_shift)
    submit(first, rosa, [True])

    left = {
        entry.rater.pk: entry.n_left
        for entry in onboarding_selectors.onboarding_raters(pool=day_shift)
    }

    assert left == {rosa.pk: 1, raul.pk: 2}


def test_each_attempt_is_paid_as_its_step_says(day_shift: Pool, rosa: Rater) -> None:
    pay_services.set_rate(
        pool=day_shift,
        kind="onboarding",
        basis="hour",
        amount=Decimal(1200),
        currency="EUR",
        by=None,
        now=NOON,
    )
    submit(step(day_shift, paid_minutes=15), rosa, HALF)

    sheet = timesheets_selectors.timesheet(rater=rosa, since=NOON.date(), until=NOON.date())
    assert [(line.kind, line.n, line.amount) for line in sheet.lines] == [
        ("onboarding", 1, Decimal(300))
    ]
