"""Judgments that are new to a model: made after its snapshot, on items the snapshot does not
contain.
"""

from django.db.models import QuerySet

from labeling.models import Judgment
from labeling.votes import counting
from training.models import Snapshot


def comparisons_after(*, snapshot: Snapshot) -> QuerySet[Judgment]:
    """Those that count. An item is a prompt with its responses, so new
    responses to an old prompt count as new.
    """
    learned = Judgment.versions_of_everyone.filter(
        memberships__snapshot=snapshot, item__isnull=False
    ).values("item")
    after = Judgment.of_people.filter(
        counting.counts(with_extra=True, with_repeats=True),
        kind=Judgment.Kind.COMPARISON,
        submitted_at__gt=snapshot.created_at,
    )
    return after.exclude(item__in=learned)
