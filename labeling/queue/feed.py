"""The feed of judgments in the order of their ids, from a cursor on. It never skips one that is
still being written.
"""

from collections.abc import Collection
from dataclasses import dataclass
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


LOOKED_AT = 20_000
"""A page is chosen from so many: those that count, or are under a licence, may be few in many."""
LISTED = 2_000
"""The same of judgments since a time, whose ids are sent to the database as a list."""


@dataclass(frozen=True)
class FeedPage:
    judgments: list[Judgment]
    looked_to: int | None
    """The page ends at this id because it has looked at so many judgments; None: at its last."""


def judgment_feed(
    *,
    after_id: int = 0,
    campaign_id: int | None = None,
    includes_imports: bool = False,
    n: int,
    now: datetime,
) -> list[Judgment]:
    """The judgments of the first feed_page that has any."""
    while True:
        page = feed_page(
            after_id=after_id,
            campaign_id=campaign_id,
            includes_imports=includes_imports,
            n=n,
            now=now,
        )
        if page.judgments or page.looked_to is None:
            return page.judgments
        after_id = page.looked_to


def feed_page(
    *,
    after_id: int = 0,
    campaign_id: int | None = None,
    since: datetime | None = None,
    includes_imports: bool = False,
    licences: Collection[str] | None = None,
    n: int,
    now: datetime,
) -> FeedPage:
    """At most `n` judgments, in their current version. A correction has an id of its own, so a
    corrected judgment appears again later.

    Only judgments that count (labeling.votes.counting), with extras and repeats marked, and
    without the texts of people who have withdrawn. labeling.review.judgment_events says what
    stopped counting since. Imported judgments keep the ids they had before their import was
    published, so a reader of the feed may have passed them.

    With `licences`, only judgments whose texts are all under one of these. "" stands for a prompt
    without a licence.
    """
    versions = Judgment.versions_of_people.filter(pk__gt=after_id)
    if not includes_imports:
        versions = versions.filter(import_batch=None)
    if campaign_id is not None:
        versions = versions.filter(campaign=campaign_id)
    if since is not None:
        candidates = _since(versions, since)
        end = candidates[-1] if len(candidates) == LISTED else None
        judgments = versions.filter(pk__in=candidates)
    else:
        end = _nth(versions)
        judgments = versions if end is None else versions.filter(pk__lte=end)
    judgments = judgments.filter(counting.counts(with_extra=True, with_repeats=True))
    if includes_imports:
        judgments = visible(judgments)
    if licences is not None:
        judgments = _under(judgments, licences)
    queryset = _with_parts(judgments).order_by("pk")[:n]
    settled = takewhile(lambda judgment: _given_at(judgment) <= now - SETTLED_AFTER, queryset)
    return FeedPage(list(settled), _settled(end, now))


def _since(versions: QuerySet[Judgment], since: datetime) -> list[int]:
    """Ids of the first LISTED since a time."""
    ids = versions.filter(submitted_at__gte=since).values_list("pk", flat=True)
    # The sum keeps PostgreSQL from reading all earlier ones in the order of their ids.
    return list(ids.order_by(F("pk") + 0)[:LISTED])


def _nth(versions: QuerySet[Judgment]) -> int | None:
    """The id of number LOOKED_AT; None if there are fewer."""
    ids = versions.order_by("pk").values_list("pk", flat=True)
    return ids[LOOKED_AT - 1 : LOOKED_AT].first()


def _settled(end: int | None, now: datetime) -> int | None:
    """`end`, unless a judgment before it may still be written."""
    if end is None or end > feed_position(at=now - SETTLED_AFTER):
        return None
    return end


def feed_position(*, at: datetime) -> int:
    """The id of the last judgment given by then: pass it as `after_id` to get everything since. 0
    before the first.
    """
    judgments = Judgment.versions_of_people.filter(import_batch=None).annotate(
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
