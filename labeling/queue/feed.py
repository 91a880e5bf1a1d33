"""The feed of judgments in the order of their ids, from a cursor on. It never skips one that is
still being written.
"""

from datetime import datetime, timedelta
from itertools import takewhile

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Coalesce

from labeling.access import visible
from labeling.models import Judgment, RankedResponse
from labeling.quality import counting

SETTLED_AFTER = timedelta(seconds=30)
"""A page ends before judgments younger than this. Older ones can no longer be undone, and every
transaction that took a lower id has committed, so no cursor passes a judgment that is still to
come.
"""


def judgment_feed(
    *,
    after_id: int = 0,
    campaign_id: int | None = None,
    since: datetime | None = None,
    includes_imports: bool = False,
    n: int,
    now: datetime,
) -> list[Judgment]:
    """At most `n` judgments, in their current version. A correction has an id of its own, so a
    corrected judgment appears again later.

    Only judgments that count (labeling.quality.counting), with extras and repeats marked, and
    without the texts of people who have withdrawn. labeling.review.judgment_events says what
    stopped counting since. Imported judgments keep the ids they had before their import was
    published, so a reader of the feed may have passed them.
    """
    judgments = (
        visible(Judgment.objects.all())
        if includes_imports
        else Judgment.objects.filter(import_batch=None)
    )
    judgments = judgments.filter(counting.counts(with_extra=True, with_repeats=True))
    if campaign_id is not None:
        judgments = judgments.filter(campaign=campaign_id)
    if since is not None:
        judgments = judgments.filter(submitted_at__gte=since)
    found = _with_parts(judgments.filter(pk__gt=after_id)).order_by("pk")[:n]
    return list(takewhile(lambda judgment: _given_at(judgment) <= now - SETTLED_AFTER, found))


def feed_position(*, at: datetime) -> int:
    """The id of the last judgment given by then: pass it as `after_id` to get everything since. 0
    before the first.
    """
    given = Judgment.versions.filter(import_batch=None).annotate(
        given_at=Coalesce("corrected_at", "submitted_at")
    )
    return given.filter(given_at__lte=at).order_by("-pk").values_list("pk", flat=True).first() or 0


def _with_parts(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    ranked = (
        RankedResponse.objects.exclude(counting.by_withdrawn("response__"))
        .select_related("response__source")
        .order_by("position")
    )
    return judgments.select_related(
        "rater",
        "campaign__pool",
        "guideline_version__guideline",
        "demonstration",
        "comparison",
        "item",
    ).prefetch_related(Prefetch("comparison__ranked", ranked))


def _given_at(judgment: Judgment) -> datetime:
    return judgment.corrected_at or judgment.submitted_at
