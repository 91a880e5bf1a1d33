"""What the refusal classifier said of stored answers, by the newest version that read them."""

from django.db.models import QuerySet

from training.benchmarks.scoring.scorers import SCORERS
from training.models import AnswerScore

HAS_TEXT = r"\S"
"""A regular expression for the texts that the classifier scores."""


def verdicts() -> QuerySet[AnswerScore]:
    """In the order of versions, so that the last one of an answer counts. Without those that
    version 1 gave to answers without text: it called them refusals.
    """
    return AnswerScore.objects.filter(
        scorer__in=SCORERS["refusal"].keys, answer__text__regex=HAS_TEXT
    ).order_by("pk")
