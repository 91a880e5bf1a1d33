"""The steps of a pool's onboarding that a rater still has to take, and their progress."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from labeling.models import GuidelineVersion, OnboardingStep, StepAttempt, StepVersion


class OnboardingProgress(models.TextChoices):
    OPEN = "open", _("to do")
    LATER = "later", _("coming later")
    AGAIN = "again", _("below passing score; try again")
    WAITING = "waiting", _("in review")
    PASSED = "passed", _("done")
    REFUSED = "refused", _("not passed")


def steps_left(*, rater: Any, pool: Any) -> QuerySet[OnboardingStep]:
    """Steps of `pool` that `rater` has not passed, or has to pass again. Both may be objects or
    outer references.
    """
    in_force = Q(guideline_version=None) | Q(
        guideline_version__number__gte=OuterRef("guideline_from")
    )
    passed = StepAttempt.objects.filter(
        in_force,
        step=OuterRef("pk"),
        rater=rater,
        state=StepAttempt.State.PASSED,
        version__number__gte=OuterRef("certified_from"),
    )
    return with_guideline_version(OnboardingStep.objects.filter(pool=pool, retired_at=None)).filter(
        ~Exists(passed)
    )


def newest_versions(*, steps: Iterable[OnboardingStep]) -> dict[int, StepVersion]:
    newest: dict[int, StepVersion] = {}
    for version in StepVersion.objects.filter(step__in=list(steps)).order_by("number"):
        newest[version.step_id] = version
    return newest


def with_guideline_version(steps: QuerySet[OnboardingStep]) -> QuerySet[OnboardingStep]:
    """Adds `guideline_from`: the number of the guideline's latest version that requires raters to
    qualify again.
    """
    major = (
        GuidelineVersion.objects.filter(guideline=OuterRef("guideline"), is_major=True)
        .order_by("-number")
        .values("number")
    )
    return steps.annotate(guideline_from=Coalesce(Subquery(major[:1]), 1))


def is_attempt_valid(attempt: StepAttempt, step: OnboardingStep) -> bool:
    """Whether the attempt still counts: it is not older than a version that everybody has to take
    again.
    """
    if attempt.version.number < step.certified_from:
        return False
    if attempt.guideline_version is None:
        return True
    oldest: int = step.guideline_from  # type: ignore[attr-defined]
    return attempt.guideline_version.number >= oldest


def progress_of(
    attempts: list[StepAttempt], *, n_left: int, is_blocked: bool
) -> OnboardingProgress:
    states = {attempt.state for attempt in attempts}
    if StepAttempt.State.PASSED in states:
        return OnboardingProgress.PASSED
    if not attempts:
        return OnboardingProgress.LATER if is_blocked else OnboardingProgress.OPEN
    if attempts[-1].state == StepAttempt.State.WAITING:
        return OnboardingProgress.WAITING
    if attempts[-1].state == StepAttempt.State.BELOW and n_left:
        return OnboardingProgress.AGAIN
    return OnboardingProgress.REFUSED
