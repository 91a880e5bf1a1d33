"""What is left of a pool's onboarding for a rater, and what admins see of it."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling.models import GuidelineVersion, OnboardingStep, StepAttempt


def steps_left(*, rater: Any, pool: Any) -> QuerySet[OnboardingStep]:
    """Steps of `pool` that `rater` has yet to pass, or has to pass again: both objects or outer references."""
    major = GuidelineVersion.objects.filter(guideline=OuterRef("guideline"), is_major=True).order_by("-number").values("number")
    in_force = Q(guideline_version=None) | Q(guideline_version__number__gte=OuterRef("guideline_from"))
    passed = StepAttempt.objects.filter(
        in_force,
        step=OuterRef("pk"),
        rater=rater,
        state=StepAttempt.State.PASSED,
        version__number__gte=OuterRef("certified_from"),
    )
    steps = OnboardingStep.objects.filter(pool=pool, retired_at=None)
    return steps.annotate(guideline_from=Coalesce(Subquery(major[:1]), 1)).filter(~Exists(passed))
