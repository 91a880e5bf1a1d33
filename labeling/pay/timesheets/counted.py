"""Work counted from the records and priced at the rates of its time: judgments, skips, onboarding
and corrections.

labeling.queue.spending.working_time decides which seconds count. An hourly rate pays judged and
skipped time; a rate per item pays judgments only, so time on skips lowers the pay per hour. Extra
judgments and golds are paid like any other. Days are in UTC, so that all raters' days add up.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import TruncDate

from arithmetic import days
from labeling.kinds import registry
from labeling.models import Judgment, PayDispute, Pool, Rate, Rater, StepAttempt
from labeling.pay.timesheets.sheets import CORRECTION, TimesheetLine
from labeling.queue.spending import prices, working_time


def counted_lines(
    *, since: dt.date, until: dt.date, rater: Rater | None = None
) -> list[TimesheetLine]:
    start = days.midnight(since, dt.UTC)
    end = days.end_of(until, dt.UTC)
    whose = Q(rater=rater) if rater is not None else Q()
    handed_in = whose & Q(submitted_at__gte=start, submitted_at__lt=end)
    lines = lines_of(
        judged=handed_in,
        skipped=whose & Q(ended_at__gte=start, ended_at__lt=end),
        learned=handed_in,
    )
    return lines + [_correction(dispute) for dispute in _corrections(whose, start, end)]


def lines_of(*, judged: Q, skipped: Q, learned: Q) -> list[TimesheetLine]:
    """The lines of the judgments, skips and onboarding attempts that match, without corrections."""
    judgments = Judgment.of_people.filter(judged, import_batch=None, campaign__isnull=False)
    worked = _grouped(
        judgments,
        pool="campaign__pool",
        kind=F("kind"),
        seconds=working_time.judged_s(),
        extra=Q(is_extra=True),
    )
    passed = _grouped(
        working_time.skips(skipped),
        pool="campaign__pool",
        # A skip is paid as an answer would have been.
        kind=Case(
            *(
                When(campaign__kind=kind, then=Value(str(settings.answer)))
                for kind, settings in registry.KINDS.items()
            )
        ),
        seconds=working_time.skipped_s(),
        extra=Q(),
        at="ended_at",
    )
    attended = _grouped(
        StepAttempt.objects.filter(learned, paid_minutes__gt=0),
        pool="step__pool",
        kind=Value(Rate.Kind.ONBOARDING),
        seconds=F("paid_minutes") * Value(60.0),
        extra=Q(pk=None),
    )
    rows = [*_with_skips(worked, passed), *attended]
    pools = dict(
        Pool.objects.filter(pk__in={row["pool_id"] for row in rows}).values_list("pk", "name")
    )
    rates = Rate.objects.in_bulk({row["rate_id"] for row in rows if row["rate_id"]})
    return [_line(row, pools[row["pool_id"]], rates.get(row["rate_id"])) for row in rows]


def _with_skips(
    worked: Iterable[dict[str, Any]], skipped: Iterable[dict[str, Any]]
) -> Iterable[dict[str, Any]]:
    """Adds a day's skips to the line of the judgments under the same rate."""
    lines = {_of_line(row): {**row, "n_skipped": 0} for row in worked}
    for row in skipped:
        line = lines.setdefault(
            _of_line(row), {**row, "n": 0, "n_extra": 0, "n_skipped": 0, "seconds": 0.0}
        )
        line["n_skipped"] += row["n"]
        line["seconds"] += row["seconds"]
    return lines.values()


def _of_line(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("rater_id", "day", "rate_id", "pool_id", "kind_of_work"))


def _grouped(
    rows: QuerySet[Model],
    *,
    pool: str,
    kind: object,
    seconds: object,
    extra: Q,
    at: str = "submitted_at",
) -> Iterable[dict[str, object]]:
    rate = (
        Rate.objects.filter(
            pool=OuterRef("pool_id_"), kind=OuterRef("kind_"), valid_from__lte=OuterRef(at)
        )
        .order_by("-valid_from")
        .values("pk")[:1]
    )
    grouped: Iterable[dict[str, object]] = (
        rows.annotate(pool_id_=F(pool), kind_=kind, paid_s=seconds)
        .annotate(day=TruncDate(at, tzinfo=dt.UTC), rate_id=Subquery(rate))
        .order_by()
        .values("rater_id", "day", "rate_id", pool_id=F("pool_id_"), kind_of_work=F("kind_"))
        .annotate(n=Count("pk"), n_extra=Count("pk", filter=extra), seconds=Sum("paid_s"))
    )
    return grouped


def _line(row: dict[str, Any], pool: str, rate: Rate | None) -> TimesheetLine:
    return TimesheetLine(
        rater_id=row["rater_id"],
        day=row["day"],
        pool_id=row["pool_id"],
        pool=pool,
        kind=row["kind_of_work"],
        n=row["n"],
        n_extra=row["n_extra"],
        n_skipped=row.get("n_skipped", 0),
        seconds=row["seconds"],
        rate=rate,
        amount=prices.price(rate=rate, n_judgments=row["n"], active_s=row["seconds"]),
        currency=rate.currency if rate else "",
    )


def _corrections(whose: Q, start: dt.datetime, end: dt.datetime) -> QuerySet[PayDispute]:
    return PayDispute.objects.filter(
        whose, answered_at__gte=start, answered_at__lt=end, correction__isnull=False
    )


def _correction(dispute: PayDispute) -> TimesheetLine:
    assert dispute.answered_at is not None
    day = dispute.answered_at.astimezone(dt.UTC).date()
    return TimesheetLine(
        rater_id=dispute.rater_id,
        day=day,
        pool_id=None,
        pool="",
        kind=CORRECTION,
        n=0,
        n_extra=0,
        n_skipped=0,
        seconds=0.0,
        rate=None,
        amount=dispute.correction,
        currency=dispute.currency,
    )
