"""The figures of a campaign's pages: progress, pace, raters, skips and items."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    When,
    Window,
)
from django.db.models.functions import RowNumber, TruncDay, TruncHour, TruncMinute

from labeling.models import Campaign, Conversation, Item, ItemResponse, Judgment, Pass, Slot
from labeling.quality import campaign_figures
from labeling.quality.figure_cache import Compute, cached_figures, known_figures, refresh
from labeling.queue.spending import budgets
from labeling.queue.stuck import Stuck, stuck
from labeling.votes import counting

PACE_WINDOW = timedelta(hours=24)
PACE_NEEDS = 3
"""With fewer judgments in the window, a pace would be noise."""


_NOT_YET_ASKED = Q(state=Slot.State.FREE, reserved_for__isnull=False)
"""A repeat that waits until its rater has judged other items. Some repeats are never due, so they
do not count as work left.
"""


@dataclass(frozen=True)
class CampaignProgress:
    """A campaign's slots by state. An extra judgment fills no slot."""

    n_slots: int
    n_submitted: int
    n_in_hand: int
    n_extra: int = 0

    @property
    def n_left(self) -> int:
        return self.n_slots - self.n_submitted

    @property
    def is_done(self) -> bool:
        return self.n_slots > 0 and self.n_submitted >= self.n_slots


@dataclass(frozen=True)
class CampaignRow:
    campaign: Campaign
    progress: CampaignProgress
    last_at: datetime | None


@dataclass(frozen=True)
class Pace:
    """Answers or conversations per hour since `since`, which is at most a day ago."""

    per_hour: float
    since: datetime


@dataclass(frozen=True)
class CurvePoint:
    at: datetime
    n: int
    """answers or conversations until `at`"""


@dataclass(frozen=True)
class RaterRow:
    rater_id: int
    alias: str
    name: str
    """of the person; "" for imported raters"""
    n_judged: int
    median_s: float | None
    last_at: datetime


@dataclass(frozen=True)
class SkipRow:
    reason: str
    n: int

    @property
    def label(self) -> str:
        return str(dict(Pass.Reason.choices).get(self.reason, self.reason))


@dataclass(frozen=True)
class Board:
    """Everything on a campaign's first page."""

    progress: CampaignProgress
    pace: Pace | None
    done_at: datetime | None
    curve: list[CurvePoint]
    raters: list[RaterRow]
    skips: list[SkipRow]
    stuck: Stuck
    spending: budgets.Spending
    at: datetime
    """when it was computed: for a large campaign some time ago"""

    @property
    def n_skips(self) -> int:
        return sum(row.n for row in self.skips)


Sources = list[tuple[str, int]]
Standing = tuple[CampaignProgress, datetime | None]
"""(progress, time of the last judgment)"""


@dataclass(frozen=True)
class ItemRow:
    item: Item
    n_slots: int
    n_submitted: int
    n_in_hand: int
    n_skips: int


def campaigns(*, state: str = "") -> QuerySet[Campaign]:
    """Campaigns for the list: open and paused ones first, then drafts, then closed ones; newest
    first within each.
    """
    running, set_up = (Campaign.State.OPEN, Campaign.State.PAUSED), (Campaign.State.DRAFT,)
    listed_first = Case(
        When(state__in=running, then=0),
        When(state__in=set_up, then=1),
        default=2,
        output_field=IntegerField(),
    )
    queryset = Campaign.objects.select_related("pool").order_by(listed_first, "-pk")
    return queryset.filter(state=state) if state in Campaign.State else queryset


def compared_sources(*, campaign: Campaign, now: datetime) -> Sources:
    """Names of the sources that the campaign compares, each with its number of responses."""
    return cached_figures(
        name="sources", kind=Sources, ids=[campaign.pk], compute=_sources, now=now
    )[campaign.pk].value


def known_sources(*, campaign: Campaign, now: datetime) -> Sources | None:
    """The same for a page; None while they are being counted."""
    known = known_figures(
        name="sources", kind=Sources, ids=[campaign.pk], compute=_sources, now=now
    )
    return known[campaign.pk].value if known else None


def campaign_rows(*, campaigns: Iterable[Campaign], now: datetime) -> list[CampaignRow]:
    """A row for each of `campaigns`, with three queries in total."""
    shown = {campaign.pk: campaign for campaign in campaigns}
    figures = cached_figures(
        name="standing", kind=Standing, ids=list(shown), compute=_progress_with_last, now=now
    )
    return [CampaignRow(campaign, *figures[pk].value) for pk, campaign in shown.items()]


def known_rows(
    *, campaigns: Iterable[Campaign], now: datetime
) -> list[tuple[Campaign, CampaignRow | None]]:
    """The same for a page; None while they are being counted."""
    shown = {campaign.pk: campaign for campaign in campaigns}
    figures = known_figures(
        name="standing", kind=Standing, ids=list(shown), compute=_progress_with_last, now=now
    )
    return [
        (campaign, CampaignRow(campaign, *figures[pk].value) if pk in figures else None)
        for pk, campaign in shown.items()
    ]


def campaign_board(*, campaign: Campaign, now: datetime) -> Board:
    return cached_figures(name="board", kind=Board, ids=[campaign.pk], compute=_boards, now=now)[
        campaign.pk
    ].value


def known_board(*, campaign: Campaign, now: datetime) -> Board | None:
    """The same for a page; None while it is being counted."""
    known = known_figures(name="board", kind=Board, ids=[campaign.pk], compute=_boards, now=now)
    return known[campaign.pk].value if known else None


def refresh_figures(*, name: str, pk: int, now: datetime) -> None:
    """Recompute a cached figure of a campaign when it is old. Called by a worker."""
    compute: dict[str, Compute[Any]] = {
        "sources": _sources,
        "standing": _progress_with_last,
        "board": _boards,
        **campaign_figures.COMPUTE,
    }
    refresh(name=name, ids=[pk], compute=compute[name], now=now)


def _sources(ids: Collection[int], _now: datetime) -> dict[int, Sources]:
    def of(pk: int) -> Sources:
        responses = ItemResponse.objects.filter(item__campaign=pk)
        return list(
            responses.values_list("response__source__name")
            .annotate(n=Count("pk"))
            .order_by("response__source__name")
        )

    return {pk: of(pk) for pk in ids}


def _progress_with_last(ids: Collection[int], now: datetime) -> dict[int, Standing]:
    progress = _progress(campaign_ids=list(ids), now=now)
    judgments = (
        Judgment.of_people.filter(campaign__in=ids)
        .values_list("campaign_id")
        .annotate(last_at=Max("submitted_at"))
    )
    last = dict(judgments.values_list("campaign_id", "last_at"))
    return {pk: (progress.get(pk, CampaignProgress(0, 0, 0)), last.get(pk)) for pk in ids}


def _boards(ids: Collection[int], now: datetime) -> dict[int, Board]:
    campaigns = Campaign.objects.filter(pk__in=ids).select_related("pool")
    return {campaign.pk: _board(campaign, now) for campaign in campaigns}


def _board(campaign: Campaign, now: datetime) -> Board:
    progress = _progress(campaign_ids=[campaign.pk], now=now).get(
        campaign.pk, CampaignProgress(0, 0, 0)
    )
    pace = _pace(campaign=campaign, now=now)
    return Board(
        progress=progress,
        pace=pace,
        done_at=_done_at(campaign=campaign, progress=progress, pace=pace, now=now),
        curve=_curve(campaign=campaign),
        raters=_raters(campaign=campaign),
        skips=_skips(campaign=campaign),
        stuck=stuck(campaign=campaign, now=now),
        spending=budgets.spending(campaign=campaign, now=now),
        at=now,
    )


def campaign_items(*, campaign: Campaign, status: str = "", reason: str = "") -> QuerySet[Item]:
    """Items in order, without golds and turns of conversations. `status` is one of
    forms.ItemFilterForm; `reason` is a Pass.Reason.
    """
    items = campaign.items.filter(gold_use=None, is_turn=False).select_related("prompt")
    items = items.order_by("position")
    slots = Slot.objects.filter(item=OuterRef("pk"))
    taken, unsubmitted = (
        slots.filter(state=Slot.State.SUBMITTED),
        slots.exclude(state=Slot.State.SUBMITTED),
    )
    passes = Pass.objects.filter(item=OuterRef("pk"))
    conditions = {
        "untouched": ~Exists(taken) & Q(spared_at=None),
        "started": Exists(taken) & Exists(unsubmitted),
        "finished": ~Exists(unsubmitted) & Q(spared_at=None),
        "skipped": Exists(passes),
        "calibration": Q(is_calibration=True),
        "repeats": Q(repeat_of__isnull=False),
        "held": Q(held_at__isnull=False),
        "spared": Q(spared_at__isnull=False),
    }
    if status in conditions:
        items = items.filter(conditions[status])
    items = items.filter(repeat_of__isnull=status != "repeats")
    if reason:
        items = items.filter(Exists(passes.filter(reason=reason)))
    return items


def item_rows(*, items: Iterable[Item], now: datetime) -> list[ItemRow]:
    """A row for each of `items`, with two more queries in total."""
    shown = list(items)
    ids = [item.pk for item in shown]
    slots = {
        row["item_id"]: row
        for row in (
            Slot.objects.filter(item__in=ids)
            .values("item_id")
            .annotate(
                n=Count("pk"),
                submitted=Count("pk", filter=Q(state=Slot.State.SUBMITTED)),
                in_hand=Count("pk", filter=Q(state=Slot.State.LEASED, expires_at__gt=now)),
            )
        )
    }
    passes = dict(Pass.objects.filter(item__in=ids).values_list("item_id").annotate(n=Count("pk")))
    empty = {"n": 0, "submitted": 0, "in_hand": 0}
    return [
        ItemRow(
            item=item,
            n_slots=slots.get(item.pk, empty)["n"],
            n_submitted=slots.get(item.pk, empty)["submitted"],
            n_in_hand=slots.get(item.pk, empty)["in_hand"],
            n_skips=passes.get(item.pk, 0),
        )
        for item in shown
    ]


def _progress(*, campaign_ids: Sequence[int], now: datetime) -> dict[int, CampaignProgress]:
    slots = (
        # A conversation counts once, however many turns it has.
        Slot.objects.filter(campaign__in=campaign_ids, is_gold=False, item__is_turn=False)
        .values("campaign_id")
        .annotate(
            n=Count("pk", filter=~_NOT_YET_ASKED),
            submitted=Count("pk", filter=Q(state=Slot.State.SUBMITTED)),
            in_hand=Count("pk", filter=Q(state=Slot.State.LEASED, expires_at__gt=now)),
        )
    )
    extras = dict(
        Judgment.of_people.filter(
            counting.counts(with_extra=True, with_repeats=True),
            campaign__in=campaign_ids,
            is_extra=True,
        )
        .values_list("campaign_id")
        .annotate(n=Count("pk"))
        .values_list("campaign_id", "n")
    )
    return {
        row["campaign_id"]: CampaignProgress(
            n_slots=row["n"],
            n_submitted=row["submitted"],
            n_in_hand=row["in_hand"],
            n_extra=extras.get(row["campaign_id"], 0),
        )
        for row in slots
    }


def _pace(*, campaign: Campaign, now: datetime) -> Pace | None:
    recent = (
        _done(campaign, campaign.judgments.filter(is_gold=False))
        .filter(done_at__gt=now - PACE_WINDOW, done_at__lte=now)
        .aggregate(n=Count("pk"), first_at=Min("done_at"))
    )
    if recent["n"] < PACE_NEEDS:
        return None
    # Short bursts would give too high a pace, so it is measured over at least a quarter of an hour.
    hours = max((now - recent["first_at"]) / timedelta(hours=1), 0.25)
    return Pace(per_hour=recent["n"] / hours, since=recent["first_at"])


def _done_at(
    *, campaign: Campaign, progress: CampaignProgress, pace: Pace | None, now: datetime
) -> datetime | None:
    if campaign.state != Campaign.State.OPEN or pace is None or progress.n_left <= 0:
        return None
    return now + timedelta(hours=progress.n_left / pace.per_hour)


def _done(campaign: Campaign, judgments: QuerySet[Judgment]) -> QuerySet[Any]:
    """What progress counts, with `done_at`: these judgments, or whole conversations."""
    if campaign.about.talks:
        finished = Conversation.objects.filter(
            item__campaign=campaign,
            state=Conversation.State.FINISHED,
            rater__withdrawn_at=None,
        )
        return finished.annotate(done_at=F("finished_at"))
    return judgments.annotate(done_at=F("submitted_at"))


def _curve(*, campaign: Campaign) -> list[CurvePoint]:
    """Number of answers or conversations over time, in at most a few hundred points: by minute,
    hour or day, depending on the span.
    """
    counted = _done(campaign, campaign.judgments.filter(counting.counts(with_repeats=True)))
    span = counted.aggregate(first_at=Min("done_at"), last_at=Max("done_at"))
    if span["first_at"] is None:
        return []
    length = span["last_at"] - span["first_at"]
    trunc = (
        TruncMinute
        if length < timedelta(hours=6)
        else TruncHour
        if length < timedelta(days=14)
        else TruncDay
    )
    buckets = (
        counted.annotate(bucket=trunc("done_at"))
        .values("bucket")
        .annotate(n=Count("pk"), at=Max("done_at"))
        .order_by("bucket")
    )
    points, n = [CurvePoint(at=span["first_at"], n=0)], 0
    for bucket in buckets:
        n += bucket["n"]
        points.append(CurvePoint(at=bucket["at"], n=n))
    return points


def _raters(*, campaign: Campaign) -> list[RaterRow]:
    medians = _median_seconds(campaign=campaign)
    rows = (
        campaign.judgments.filter(is_gold=False)
        .values("rater_id", "rater__alias", "rater__user__name")
        .annotate(n=Count("pk"), last_at=Max("submitted_at"))
        .order_by("-n", "rater__alias")
    )
    return [
        RaterRow(
            rater_id=row["rater_id"],
            alias=row["rater__alias"],
            name=row["rater__user__name"] or "",
            n_judged=row["n"],
            median_s=medians.get(row["rater_id"]),
            last_at=row["last_at"],
        )
        for row in rows
    ]


def _median_seconds(*, campaign: Campaign) -> dict[int, float]:
    """Median active seconds by rater. SQLite has no percentile function, so the one or two middle
    rows are picked by number.
    """
    numbered = campaign.judgments.filter(active_s__isnull=False).annotate(
        place=Window(RowNumber(), partition_by="rater", order_by="active_s"),
        n=Window(Count("pk"), partition_by="rater"),
    )
    middle: dict[int, list[float]] = {}
    for rater_id, active_s in numbered.filter(
        place__gte=F("n") / 2.0, place__lte=F("n") / 2.0 + 1
    ).values_list("rater_id", "active_s"):
        if active_s is not None:
            middle.setdefault(rater_id, []).append(active_s)
    return {rater_id: median(values) for rater_id, values in middle.items()}


def _skips(*, campaign: Campaign) -> list[SkipRow]:
    counts = (
        Pass.objects.filter(item__campaign=campaign)
        .values_list("reason")
        .annotate(n=Count("pk"))
        .order_by("-n", "reason")
    )
    return [SkipRow(reason=reason, n=n) for reason, n in counts]
