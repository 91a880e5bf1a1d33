"""Judgments that a model cannot know: made after the snapshot that it learned from, on items of
which that has none.
"""

from django.db.models import QuerySet

from labeling.models import Judgment
from training.models import Snapshot


def comparisons_after(*, snapshot: Snapshot) -> QuerySet[Judgment]:
    """As they stand now, golds left out. An item is a prompt with its responses: new responses to
    an old prompt are news.
    """
    learned = Judgment.versions.filter(memberships__snapshot=snapshot, item__isnull=False).values(
        "item"
    )
    after = Judgment.objects.filter(
        kind=Judgment.Kind.COMPARISON, is_gold=False, submitted_at__gt=snapshot.created_at
    )
    return after.exclude(item__in=learned)
