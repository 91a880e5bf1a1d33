"""How good a campaign's demonstrations are, as far as anything tells: reviewers' scores, and warnings that writers overruled."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from labeling.models import Campaign, Judgment


@dataclass(frozen=True)
class Written:
    n: int
    n_scored: int
    mean_score: float | None
    """of 1 to 7"""
    n_warned: int
    """given against a warning: too short or long, faster than reading, a constraint left open"""


def written(*, campaign: Campaign) -> Written:
    given = Judgment.objects.filter(campaign=campaign, kind=Judgment.Kind.DEMONSTRATION, is_gold=False)
    row = given.aggregate(
        n=Count("pk"),
        n_scored=Count("review__score"),
        mean_score=Avg("review__score"),
        n_warned=Count("pk", filter=~Q(warnings=[])),
    )
    return Written(**row)
