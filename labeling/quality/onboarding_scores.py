"""How raters did in onboarding, beside their quality figures."""

from django.db.models import QuerySet

from labeling.models import Rater, StepAttempt

FEWEST_IN_A_CELL = 5
"""A count of fewer people could point at one of them."""


def attempts_by(*, rater: Rater) -> QuerySet[StepAttempt]:
    """All that the rater went through, in every pool, steps that were retired since included; the
    latest first.
    """
    found = rater.step_attempts.select_related(
        "step__pool", "version", "guideline_version__guideline", "decided_by"
    )
    return found.order_by("-submitted_at", "-pk")
