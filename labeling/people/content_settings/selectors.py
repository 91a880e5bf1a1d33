"""How much upsetting content a rater has seen, by day."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from labeling.models import Judgment, Pass, Rater

DAYS = 7


@dataclass(frozen=True)
class Exposure:
    """Upsetting items that a rater judged or skipped on one day."""

    day: dt.date
    n: int


def n_met(*, rater: Rater, since: dt.datetime) -> int:
    """Upsetting items that the rater has seen since then. Two counts over one person's day."""
    judged = Judgment.of_everyone.filter(
        rater=rater, is_current=True, submitted_at__gte=since
    ).exclude(prompt__sensitive=[])
    skipped = Pass.objects.filter(rater=rater, created_at__gte=since).exclude(
        item__prompt__sensitive=[]
    )
    return judged.count() + skipped.count()


def is_pause_due(n: int) -> bool:
    """Whether to suggest a pause to a rater who has seen `n` such items today."""
    every = settings.UPSETTING_BEFORE_PAUSE
    return bool(every > 0 and n and n % every == 0)


def exposures(*, rater: Rater, now: dt.datetime) -> list[Exposure]:
    """Of the last DAYS days those with any, latest first. Days are in the active time zone."""
    since = now - dt.timedelta(days=DAYS)
    judged = Judgment.of_everyone.filter(
        rater=rater, is_current=True, submitted_at__gte=since
    ).exclude(prompt__sensitive=[])
    skipped = Pass.objects.filter(rater=rater, created_at__gte=since).exclude(
        item__prompt__sensitive=[]
    )
    met = _by_day(judged, "submitted_at")
    for day, n in _by_day(skipped, "created_at").items():
        met[day] = met.get(day, 0) + n
    return [Exposure(day, met[day]) for day in sorted(met, reverse=True)]


def _by_day(rows: QuerySet[Judgment] | QuerySet[Pass], at: str) -> dict[dt.date, int]:
    return dict(
        rows.annotate(day=TruncDate(at)).values_list("day").annotate(n=Count("pk")).order_by()
    )
