"""Onboarding: steps that admins create, attempts that raters submit, and decisions by reviewers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Avg, Count, Max
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from jobs import guard
from labeling.guidelines import selectors as guidelines_selectors
from labeling.guidelines import services as guidelines_services
from labeling.models import (
    AttemptScore,
    Guideline,
    GuidelineVersion,
    OnboardingStep,
    Pool,
    PoolMembership,
    ProfileAnswer,
    Rater,
    RaterSkill,
    StepAttempt,
    StepVersion,
)
from labeling.people.onboarding import questions as onboarding_questions
from labeling.people.onboarding import selectors
from labeling.queue.claiming import order as claiming_order

Kind, State = OnboardingStep.Kind, StepAttempt.State
TESTS = frozenset({Kind.FLAGS, Kind.RANKINGS, Kind.DEMONSTRATIONS})


class UnableToSubmitStep(Refusal):
    """Raised when an attempt cannot be accepted; the text says why."""


def add_step(
    *,
    pool: Pool,
    kind: str,
    title: str,
    text: str,
    questions: Sequence[onboarding_questions.Question] = (),
    guideline: Guideline | None = None,
    cut: Any = None,
    max_attempts: int = 2,
    needs_decision: bool = False,
    paid_minutes: int = 0,
    by: User | None,
    now: datetime,
) -> OnboardingStep:
    """Add a step at the end of the pool's onboarding. Current raters have to take it before their
    next item.
    """
    with transaction.atomic():
        Pool.objects.select_for_update().get(pk=pool.pk)
        last = pool.steps.aggregate(last=Max("position"))["last"]
        step = OnboardingStep.objects.create(
            pool=pool,
            kind=kind,
            position=0 if last is None else last + 1,
            guideline=guideline,
            cut=cut,
            max_attempts=max_attempts,
            needs_decision=needs_decision,
            paid_minutes=paid_minutes,
            created_at=now,
        )
        _add_version(step, number=1, title=title, text=text, questions=questions, by=by, now=now)
        audit_log.record(by, "add_step", pool, after={"kind": kind, "title": title}, now=now)
    return step


def edit_step(
    *,
    step: OnboardingStep,
    title: str,
    text: str,
    questions: Sequence[onboarding_questions.Question],
    guideline: Guideline | None,
    cut: object,
    max_attempts: int,
    needs_decision: bool,
    paid_minutes: int,
    is_major: bool,
    by: User | None,
    now: datetime,
) -> StepVersion:
    """Change the step. A changed text creates its next version. With `is_major`, raters who passed
    before have to take it again.
    """
    with transaction.atomic():
        stored = OnboardingStep.objects.select_for_update().get(pk=step.pk)
        latest = stored.versions.latest("number")
        version = latest
        # A different guideline has to be read too, even if the step's own text is the same.
        is_other = stored.guideline_id != (guideline.pk if guideline else None)
        if (
            (latest.title, latest.text, latest.questions) != (title, text, list(questions))
            or is_other
            or is_major
        ):
            version = _add_version(
                stored,
                number=latest.number + 1,
                title=title,
                text=text,
                questions=questions,
                by=by,
                now=now,
            )
        OnboardingStep.objects.filter(pk=stored.pk).update(
            guideline=guideline,
            cut=cut,
            max_attempts=max_attempts,
            needs_decision=needs_decision,
            paid_minutes=paid_minutes,
            certified_from=version.number if is_major else stored.certified_from,
        )
        before = {
            "version": latest.number,
            "cut": _plain(stored.cut),
            "attempts": stored.max_attempts,
        }
        after = {
            "version": version.number,
            "cut": _plain(cut),
            "attempts": max_attempts,
            "again": is_major,
            "title": title,
        }
        audit_log.record(by, "change", stored, before=before, after=after, now=now)
    return version


def move_step(*, step: OnboardingStep, places: int, by: User | None, now: datetime) -> None:
    """Move it up (-1) or down (1) among the pool's steps."""
    with transaction.atomic():
        Pool.objects.select_for_update().get(pk=step.pool_id)
        order = list(
            OnboardingStep.objects.filter(pool=step.pool_id, retired_at=None).order_by(
                "position", "pk"
            )
        )
        here = next((place for place, other in enumerate(order) if other.pk == step.pk), None)
        if here is None or not 0 <= here + places < len(order):
            return
        order.insert(here + places, order.pop(here))
        for position, other in enumerate(order):
            OnboardingStep.objects.filter(pk=other.pk).update(position=position)
        audit_log.record(
            by,
            "reorder",
            step,
            before={"place": here + 1},
            after={"place": here + places + 1},
            now=now,
        )


def retire_step(*, step: OnboardingStep, by: User | None, now: datetime) -> bool:
    """Stop asking raters to take the step; existing attempts stay. False when it was retired
    before.
    """
    with transaction.atomic():
        if not guard.update_one(
            OnboardingStep.objects.filter(pk=step.pk, retired_at=None), retired_at=now
        ):
            return False
        audit_log.record(by, "retire", step, before={"kind": step.kind}, now=now)
    return True


def submit_step(
    *,
    step: OnboardingStep,
    rater: Rater,
    version: int,
    guideline_version: int | None = None,
    answers: Sequence[object],
    now: datetime,
) -> StepAttempt:
    """Store one attempt, scored at once if there are researchers' answers. Raises
    UnableToSubmitStep.

    `version` and, if the step has a guideline, `guideline_version` are the numbers of what the
    rater saw. A score at or above the cut passes, unless the step always needs a decision. Below
    it, the rater can try again while attempts are left; then a person decides.
    """
    with transaction.atomic():
        # serialises two tabs: one attempt at a time
        membership = (
            PoolMembership.objects.select_for_update()
            .filter(pool=step.pool_id, rater=rater, is_active=True)
            .first()
        )
        lines = selectors.rater_steps(rater=rater, pool=step.pool) if membership else []
        line = next((line for line in lines if line.step.pk == step.pk), None)
        if line is None or not line.is_open:
            raise UnableToSubmitStep(_("This step is not available to you now."))
        if line.version.number != version:
            raise UnableToSubmitStep(
                _("This step has changed since you opened it. Read it again. Nothing was counted.")
            )
        guideline = (
            guidelines_selectors.latest_version(guideline=line.step.guideline)
            if line.step.guideline
            else None
        )
        if guideline is not None and guideline.number != guideline_version:
            raise UnableToSubmitStep(
                _(
                    "The guideline has changed since you opened this step. Read it again, then"
                    " submit. Nothing was counted."
                )
            )
        attempt = _attempt(line, guideline, rater=rater, answers=answers, now=now)
        if step.kind == Kind.PROFILE:
            _keep_profile(step, rater, line.version.questions, answers)
        if step.kind == Kind.TOPICS:
            _keep_topics(rater, answers, now=now)
        if guideline is not None:
            guidelines_services.acknowledge(version=guideline, rater=rater, now=now)
        if attempt.state == State.PASSED:
            _passed(attempt, now=now)
        if attempt.state == State.WAITING:
            _notify_admins(attempt, now=now)
    return attempt


def decide_attempt(
    *, attempt: StepAttempt, decision: str, words: str, by: User, now: datetime
) -> None:
    """Store a reviewer's decision, whatever the score: pass, again (one more attempt), or refuse.
    The rater sees `words`. The same decision once more changes nothing.
    """
    state = {"pass": State.PASSED, "again": State.BELOW, "refuse": State.REFUSED}[decision]
    with transaction.atomic():
        stored = (
            StepAttempt.objects.select_for_update(of=("self",))
            .select_related("rater__user", "step", "version")
            .get(pk=attempt.pk)
        )
        before = {"state": stored.state, "score": stored.score}
        standing = (stored.state, stored.may_retry, stored.decision)
        if stored.decided_at and standing == (state, decision == "again", words):
            return
        stored.state, stored.may_retry = state, decision == "again"
        stored.decided_by, stored.decided_at, stored.decision = by, now, words
        stored.save(update_fields=["state", "may_retry", "decided_by", "decided_at", "decision"])
        after = {"state": state, "may_retry": stored.may_retry, "words": words}
        audit_log.record(by, "decide", stored, before=before, after=after, now=now)
        if state == State.PASSED:
            _passed(stored, now=now)
        _notify(stored, now=now)


def score_demonstration(
    *, attempt: StepAttempt, scores: Sequence[int], by: User, now: datetime
) -> StepAttempt:
    """Store a reviewer's score of 1 to 7 for each demonstration; the attempt's score is the mean
    over demonstrations and reviewers.

    At the cut it passes, unless the step always needs a decision.
    """
    with transaction.atomic():
        stored = (
            StepAttempt.objects.select_for_update(of=("self",))
            .select_related("rater__user", "step", "version")
            .get(pk=attempt.pk)
        )
        AttemptScore.objects.bulk_create(
            [
                AttemptScore(attempt=stored, place=place, reviewer=by, score=score, at=now)
                for place, score in enumerate(scores)
            ],
            update_conflicts=True,
            unique_fields=["attempt", "place", "reviewer"],
            update_fields=["score", "at"],
        )
        stored_scores = stored.scores.aggregate(mean=Avg("score"), n=Count("place", distinct=True))
        stored.score = stored_scores["mean"]
        step = stored.step
        is_whole = stored_scores["n"] >= len(stored.version.questions)
        may_pass = step.cut is None or stored.score >= float(step.cut)
        if stored.state == State.WAITING and is_whole and may_pass and not step.needs_decision:
            stored.state = State.PASSED
        stored.save(update_fields=["score", "state"])
        audit_log.record(
            by, "score", stored, after={"scores": list(scores), "mean": stored.score}, now=now
        )
        if stored.state == State.PASSED:
            _passed(stored, now=now)
            _notify(stored, now=now)
    return stored


def _add_version(
    step: OnboardingStep,
    *,
    number: int,
    title: str,
    text: str,
    questions: Sequence[object],
    by: User | None,
    now: datetime,
) -> StepVersion:
    return StepVersion.objects.create(
        step=step,
        number=number,
        title=title,
        text=text,
        questions=list(questions),
        created_by=by,
        created_at=now,
    )


def _attempt(
    line: selectors.RaterStep,
    guideline: GuidelineVersion | None,
    *,
    rater: Rater,
    answers: Sequence[object],
    now: datetime,
) -> StepAttempt:
    step, version = line.step, line.version
    score = onboarding_questions.score(step.kind, version.questions, answers)
    number = (step.attempts.filter(rater=rater).aggregate(last=Max("number"))["last"] or 0) + 1
    return StepAttempt.objects.create(
        step=step,
        version=version,
        guideline_version=guideline,
        rater=rater,
        number=number,
        state=_state(step, score, is_last=line.n_left <= 1),
        answers=[] if step.kind == Kind.PROFILE else list(answers),
        score=score,
        n_asked=len(version.questions),
        paid_minutes=step.paid_minutes,
        submitted_at=now,
    )


def _state(step: OnboardingStep, score: float | None, *, is_last: bool) -> StepAttempt.State:
    if step.kind == Kind.DEMONSTRATIONS:
        return State.WAITING
    # three of four is 75 %, despite floating-point rounding
    is_above = score is None or step.cut is None or score + 1e-9 >= float(step.cut)
    if is_above:
        return State.WAITING if step.needs_decision else State.PASSED
    return State.WAITING if is_last else State.BELOW


def _passed(attempt: StepAttempt, *, now: datetime) -> None:
    """Record a passed test as a tested skill, for each of the pool's languages and expertise."""
    if attempt.step.kind not in TESTS:
        return
    pool = attempt.step.pool
    tested = [(RaterSkill.Axis.LANGUAGE, code) for code in pool.languages]
    tested += [(RaterSkill.Axis.TOPIC, code) for code in pool.expertise]
    _know(attempt.rater, tested, basis=RaterSkill.Basis.TESTED, now=now)


def _keep_topics(rater: Rater, answers: Sequence[object], *, now: datetime) -> None:
    topics = [(RaterSkill.Axis.TOPIC, str(topic)[:64]) for topic in answers]
    _know(rater, topics, basis=RaterSkill.Basis.DECLARED, now=now)


def _know(rater: Rater, skills: Sequence[tuple[str, str]], *, basis: str, now: datetime) -> None:
    RaterSkill.objects.bulk_create(
        [
            RaterSkill(rater=rater, axis=axis, code=code, basis=basis, at=now)
            for axis, code in skills
        ],
        ignore_conflicts=True,
    )
    claiming_order.restart_rater(rater)


def _keep_profile(
    step: OnboardingStep, rater: Rater, questions: Sequence[Any], answers: Sequence[Any]
) -> None:
    """Store the given answers. Unanswered questions are absent, and a later profile replaces an
    earlier one.
    """
    ProfileAnswer.objects.filter(step=step, rater=rater).delete()
    ProfileAnswer.objects.bulk_create(
        ProfileAnswer(
            step=step,
            rater=rater,
            question=question["text"][:200],
            answer=question["choices"][answer][:200],
        )
        for question, answer in zip(questions, answers, strict=False)
        if answer is not None
    )


def _notify(attempt: StepAttempt, *, now: datetime) -> None:
    title, user = attempt.version.title, attempt.rater.user
    if user is None:
        return

    def words() -> str:
        sentences = {
            State.PASSED: _("You have passed “%(title)s”."),
            State.BELOW: _("You can try “%(title)s” again."),
            State.REFUSED: _("You did not pass “%(title)s”."),
            State.WAITING: _("“%(title)s” is in review."),
        }
        return sentences[State(attempt.state)] % {"title": title}

    notices_services.notify(
        people=[user],
        key=f"attempt-{attempt.pk}-{attempt.state}-{now.timestamp():.0f}",
        kind=Notice.Kind.FEEDBACK,
        words=words,
        path=reverse("onboarding", args=[attempt.step.pool_id]),
        now=now,
    )


def _notify_admins(attempt: StepAttempt, *, now: datetime) -> None:
    """Admins with an unread notice about this step get no other: the page that it links to lists
    all waiting attempts.
    """
    step, alias, title = attempt.step, attempt.rater.alias, attempt.version.title
    key = f"step-waits-{step.pk}-"
    admins = User.objects.filter(is_admin=True, is_active=True)
    notices_services.notify(
        people=admins.exclude(
            pk__in=Notice.objects.filter(key__startswith=key, read_at=None).values("person")
        ),
        key=f"{key}{attempt.pk}",
        kind=Notice.Kind.APPROVAL,
        words=lambda: (
            _("%(alias)s submitted “%(title)s”, which needs a decision.")
            % {
                "alias": alias,
                "title": title,
            }
        ),
        path=reverse("queue_onboarding"),
        now=now,
    )


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
