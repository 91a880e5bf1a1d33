"""Read queries of onboarding: a rater's steps and progress, and what admins see of it."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling.models import (
    CrowdVisit,
    OnboardingStep,
    Pool,
    ProfileAnswer,
    Rater,
    StepAttempt,
    StepVersion,
)
from labeling.quality.onboarding_scores import FEWEST_IN_A_CELL
from labeling.queue.onboarding_left import (
    OnboardingProgress,
    is_attempt_valid,
    newest_versions,
    progress_of,
    steps_left,
    with_guideline_version,
)


@dataclass(frozen=True)
class RaterStep:
    """A step and one rater's progress in it. `latest` is their latest attempt that still counts."""

    step: OnboardingStep
    version: StepVersion
    progress: OnboardingProgress
    n_left: int
    latest: StepAttempt | None

    @property
    def is_open(self) -> bool:
        return self.progress in {OnboardingProgress.OPEN, OnboardingProgress.AGAIN}


@dataclass(frozen=True)
class StepRow:
    """A step as an admin sees it."""

    step: OnboardingStep
    version: StepVersion
    n_passed: int
    n_waiting: int


@dataclass(frozen=True)
class OnboardingRater:
    rater: Rater
    n_left: int


@dataclass(frozen=True)
class ProfileCount:
    question: str
    n: int
    cells: list[tuple[str, int | None]]
    """answer and how many gave it; None for fewer than FEWEST_IN_A_CELL"""


def rater_steps(*, rater: Rater, pool: Pool) -> list[RaterStep]:
    """Every step of the pool in order, in three queries. Each step opens when the one before is
    passed.
    """
    steps = list(
        with_guideline_version(pool.steps.filter(retired_at=None))
        .select_related("guideline")
        .order_by("position", "pk")
    )
    versions = newest_versions(steps=steps)
    attempts: dict[int, list[StepAttempt]] = {}
    mine = StepAttempt.objects.filter(rater=rater, step__in=steps).select_related(
        "version", "guideline_version"
    )
    for attempt in mine.order_by("number"):
        attempts.setdefault(attempt.step_id, []).append(attempt)
    lines: list[RaterStep] = []
    for step in steps:
        is_blocked = any(
            line.is_open or line.progress in {OnboardingProgress.LATER, OnboardingProgress.REFUSED}
            for line in lines
        )
        lines.append(
            _line(step, versions[step.pk], attempts.get(step.pk, []), is_blocked=is_blocked)
        )
    return lines


def is_visiting(*, rater: Rater, pool: Pool) -> bool:
    """Whether the rater is here through a crowd link to a campaign of the pool."""
    return rater.crowd_visits.filter(
        link__campaign__pool=pool, state=CrowdVisit.State.WORKING
    ).exists()


def step_version(*, step: OnboardingStep, number: int) -> StepVersion | None:
    return step.versions.filter(number=number).first()


def step_rows(*, pool: Pool) -> list[StepRow]:
    """The pool's steps in order, with how many passed and how many wait, in two queries."""
    return rows_of_steps(steps=pool.steps.filter(retired_at=None))


def rows_of_steps(*, steps: QuerySet[OnboardingStep]) -> list[StepRow]:
    """The same for some steps."""
    listed = list(
        steps.select_related("guideline")
        .order_by("position", "pk")
        .annotate(
            n_passed=Count(
                "attempts__rater", filter=Q(attempts__state=StepAttempt.State.PASSED), distinct=True
            ),
            n_waiting=Count("attempts", filter=Q(attempts__state=StepAttempt.State.WAITING)),
        )
    )
    versions = newest_versions(steps=listed)
    return [StepRow(step, versions[step.pk], step.n_passed, step.n_waiting) for step in listed]


def waiting_attempts(*, pool: Pool | None = None) -> QuerySet[StepAttempt]:
    """Attempts that wait for a decision, of one pool or of all, oldest first."""
    waiting = StepAttempt.objects.filter(state=StepAttempt.State.WAITING)
    if pool is not None:
        waiting = waiting.filter(step__pool=pool)
    return waiting.select_related("rater__user", "version", "step__pool").order_by(
        "submitted_at", "pk"
    )


def attempts_of(*, step: OnboardingStep, rater: Rater) -> QuerySet[StepAttempt]:
    """Latest first."""
    return (
        step.attempts.filter(rater=rater)
        .select_related("version", "decided_by")
        .order_by("-number")
    )


def step_versions(*, step: OnboardingStep) -> list[StepVersion]:
    """Latest first; there is always at least one."""
    return list(step.versions.select_related("created_by").order_by("-number"))


def retired_steps(*, pool: Pool) -> list[StepVersion]:
    """The last version of every retired step, in two queries."""
    return list(newest_versions(steps=pool.steps.exclude(retired_at=None).order_by("pk")).values())


def onboarding_raters(*, pool: Pool) -> list[OnboardingRater]:
    """Raters in the pool who have steps left, by alias, in one query."""
    left = (
        steps_left(rater=OuterRef(OuterRef("pk")), pool=pool)
        .order_by()
        .annotate(one=models.Value(1))
        .values("one")
        .annotate(n=Count("pk"))
        .values("n")
    )
    inside = Rater.people.filter(
        memberships__pool=pool, memberships__is_active=True
    ).select_related("user")
    raters = (
        inside.annotate(n_left=Coalesce(Subquery(left), 0)).filter(n_left__gt=0).order_by("alias")
    )
    return [OnboardingRater(rater, rater.n_left) for rater in raters]


def profile_counts(*, step: OnboardingStep) -> list[ProfileCount]:
    """How many raters gave which answer. Single answers are never shown, and small counts are left
    out.
    """
    counts: dict[str, list[tuple[str, int]]] = {}
    rows = (
        ProfileAnswer.objects.filter(step=step)
        .values_list("question", "answer")
        .annotate(n=Count("pk"))
    )
    for question, answer, n in rows.order_by("question", "-n", "answer"):
        counts.setdefault(question, []).append((answer, n))
    return [
        ProfileCount(
            question=question,
            n=sum(n for _answer, n in cells),
            cells=[(answer, n if n >= FEWEST_IN_A_CELL else None) for answer, n in cells],
        )
        for question, cells in counts.items()
    ]


def _line(
    step: OnboardingStep, version: StepVersion, attempts: list[StepAttempt], *, is_blocked: bool
) -> RaterStep:
    in_force = [attempt for attempt in attempts if is_attempt_valid(attempt, step)]
    n_left = max(
        0, step.max_attempts + sum(attempt.may_retry for attempt in in_force) - len(in_force)
    )
    latest = in_force[-1] if in_force else None
    return RaterStep(
        step, version, progress_of(in_force, n_left=n_left, is_blocked=is_blocked), n_left, latest
    )
