"""A rater's onboarding results, shown next to their quality figures."""

from django.db.models import QuerySet

from labeling.models import Rater, StepAttempt

FEWEST_IN_A_CELL = 5
"""A count of fewer people could identify one of them."""


def attempts_by(*, rater: Rater) -> QuerySet[StepAttempt]:
    """All attempts of the rater in all pools, including those of retired steps; latest first."""
    attempts = rater.step_attempts.select_related(
        "step__pool", "version", "guideline_version__guideline", "decided_by"
    )
    return attempts.order_by("-submitted_at", "-pk")
