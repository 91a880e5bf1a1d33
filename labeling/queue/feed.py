"""The feed of judgments in the order of their ids, from a cursor on. It never skips one that is
still being written.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import takewhile

from django.db.models import Case, CharField, Exists, F, OuterRef, Prefetch, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from labeling.access import visible
from labeling.models import Judgment, RankedResponse
from labeling.votes import counting

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
    licences: Collection[str] | None = None,
    n: int,
    now: datetime,
) -> list[Judgment]:
    """At most `n` judgments, in their current version. A correction has an id of its own, so a
    corrected judgment appears again later.

    Only judgments that count (labeling.votes.counting), with extras and repeats marked, and
    without the texts of people who have withdrawn. labeling.review.judgment_events says what
    stopped counting since. Imported judgments keep the ids they had before their import was
    published, so a reader of the feed may have passed them.

    With `licences`, only judgments whose texts are all under one of these. "" stands for a prompt
    without a licence.
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
    if licences is not None:
        judgments = _under(judgments, licences)
    queryset = _with_parts(judgments.filter(pk__gt=after_id)).order_by("pk")[:n]
    return list(takewhile(lambda judgment: _given_at(judgment) <= now - SETTLED_AFTER, queryset))


def feed_position(*, at: datetime) -> int:
    """The id of the last judgment given by then: pass it as `after_id` to get everything since. 0
    before the first.
    """
    judgments = Judgment.versions.filter(import_batch=None).annotate(
        given_at=Coalesce("corrected_at", "submitted_at")
    )
    return (
        judgments.filter(given_at__lte=at).order_by("-pk").values_list("pk", flat=True).first() or 0
    )


def _under(judgments: QuerySet[Judgment], licences: Collection[str]) -> QuerySet[Judgment]:
    """Judgments whose texts are all under one of these. A text without a licence was written here,
    so it has that of its prompt.
    """
    allowed = {*licences, ""}
    shown = RankedResponse.objects.exclude(counting.by_withdrawn("response__"))
    others = (
        shown.filter(comparison=OuterRef("pk"))
        .annotate(own=_own_licence("response__"))
        .exclude(own__in=allowed)
    )
    imported = Coalesce(
        NullIf(KeyTextTransform("licence", "presentation"), Value("")),
        F("import_batch__source__licence"),
    )
    written = Case(
        When(demonstration=None, then=Value("")),
        When(import_batch__isnull=False, then=imported),
        When(demonstration__edit_of__isnull=False, then=_own_licence("demonstration__edit_of__")),
        default=Value(""),
        output_field=CharField(),
    )
    judgments = judgments.annotate(written_licence=written).filter(written_licence__in=allowed)
    return judgments.filter(~Exists(others), prompt__licence__in=list(licences))


def _own_licence(path: str) -> Coalesce:
    """Response.own_licence in SQL."""
    return Coalesce(NullIf(F(f"{path}licence"), Value("")), F(f"{path}source__licence"))


def _with_parts(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    ranked = (
        RankedResponse.objects.exclude(counting.by_withdrawn("response__"))
        .select_related("response__source")
        .order_by("position")
    )
    return judgments.select_related(
        "rater",
        "prompt__source",
        "campaign__pool",
        "guideline_version__guideline",
        "import_batch__source",
        "demonstration__edit_of__source",
        "comparison",
        "item",
    ).prefetch_related(Prefetch("comparison__ranked", ranked))


def _given_at(judgment: Judgment) -> datetime:
    return judgment.corrected_at or judgment.submitted_at
