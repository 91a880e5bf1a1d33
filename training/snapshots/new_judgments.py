"""Judgments that are new to a model: made after its snapshot, on items the snapshot does not
contain.
"""

from django.db.models import QuerySet

from labeling.models import Judgment
from training.models import Snapshot


def comparisons_after(*, snapshot: Snapshot) -> QuerySet[Judgment]:
    """Current versions, without gold items. An item is a prompt with its responses, so new
    responses to an old prompt count as new.
    """
    learned = Judgment.versions.filter(memberships__snapshot=snapshot, item__isnull=False).values(
        "item"
    )
    after = Judgment.objects.filter(
        kind=Judgment.Kind.COMPARISON, is_gold=False, submitted_at__gt=snapshot.created_at
    )
    return after.exclude(item__in=learned)
