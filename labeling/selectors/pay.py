"""What work is paid, computed from the records each time: judgments, skips, onboarding, corrections. Nothing else enters.

Which seconds count is labeling.selectors.working_time's matter. An hourly rate pays them for what was judged and for what was
skipped; a rate by the item pays judgments alone, and the time on skips lowers what an hour comes to. Extra judgments and golds
are paid as any other. Days are UTC days, so that everybody's add up.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from labeling import money
from labeling.models import Judgment, PayDispute, Payment, Pool, Rate, Rater, StepAttempt
from labeling.selectors import working_time

ALARM_NEEDS_S = 900.0
"""Below a quarter of an hour a rate per hour says nothing."""
CORRECTION = "correction"


@dataclass(frozen=True)
class Line:
    """One rater's day in one pool with one kind of work under one rate. `amount` is minor units; None where no rate is set."""

    rater_id: int
    day: dt.date
    pool: str
    kind: str
    n: int
    n_extra: int
    n_skipped: int
    seconds: float
    """on what was judged and on what was skipped"""
    rate: Rate | None
    amount: Decimal | None
    currency: str
    is_paid: bool

    @property
    def kind_words(self) -> str:
        return _("correction") if self.kind == CORRECTION else str(Rate.Kind(self.kind).label)

    @property
    def amount_words(self) -> str:
        return money.words(self.amount, self.currency) if self.amount is not None else _("no rate set")

    @property
    def rate_words(self) -> str:
        if self.rate is None:
            return "–"
        return f"{money.words(self.rate.amount, self.rate.currency)} {self.rate.get_basis_display()}"


@dataclass(frozen=True)
class Alarm:
    """Work in a pool that comes to less an hour than the floor that its rate names."""

    pool: str
    kind: str
    per_hour: Decimal
    floor: Decimal
    currency: str

    @property
    def sentence(self) -> str:
        return _("%(kind)s in “%(pool)s” come to %(per_hour)s an hour; the floor is %(floor)s.") % {
            "kind": str(Rate.Kind(self.kind).label).capitalize(),
            "pool": self.pool,
            "per_hour": money.words(money.whole(self.per_hour), self.currency),
            "floor": money.words(self.floor, self.currency),
        }


@dataclass(frozen=True)
class Timesheet:
    """A rater's lines from `since` to `until`, both included, and what they come to."""

    since: dt.date
    until: dt.date
    lines: list[Line] = field(default_factory=list)

    @property
    def n(self) -> int:
        return sum(line.n for line in self.lines)

    @property
    def n_skipped(self) -> int:
        return sum(line.n_skipped for line in self.lines)

    @property
    def seconds(self) -> float:
        return sum(line.seconds for line in self.lines)

    @property
    def n_unpriced(self) -> int:
        return sum(line.amount is None for line in self.lines)

    @property
    def totals(self) -> dict[str, Decimal]:
        return _sums(self.lines)

    @property
    def due(self) -> dict[str, Decimal]:
        return _sums(line for line in self.lines if not line.is_paid)

    @property
    def total_words(self) -> str:
        return _in_words(self.totals)

    @property
    def due_words(self) -> str:
        return _in_words(self.due)

    @property
    def per_hour_words(self) -> str:
        """Over all work with a rate; one currency after the other."""
        return " + ".join(
            money.words(money.whole(amount * 3600 / Decimal(str(seconds))), currency)
            for currency, (amount, seconds) in _by_currency(self.lines).items()
            if seconds
        )

    @property
    def alarms(self) -> list[Alarm]:
        groups: dict[tuple[str, str, str], list[Line]] = {}
        for line in self.lines:
            if line.rate is not None and line.rate.floor is not None:
                groups.setdefault((line.pool, line.kind, line.currency), []).append(line)
        return [alarm for key, lines in sorted(groups.items()) if (alarm := _alarm(key, lines)) is not None]


@dataclass(frozen=True)
class PayRow:
    rater: Rater
    sheet: Timesheet


def timesheet(*, rater: Rater, since: dt.date, until: dt.date) -> Timesheet:
    return Timesheet(since, until, _lines(since=since, until=until, rater=rater))


def pay_rows(*, since: dt.date, until: dt.date) -> list[PayRow]:
    """A row for every rater with work in these days, in the same few queries however many there are."""
    by_rater: dict[int, list[Line]] = {}
    for line in _lines(since=since, until=until):
        by_rater.setdefault(line.rater_id, []).append(line)
    raters = Rater.objects.filter(pk__in=by_rater).select_related("user").order_by("alias")
    return [PayRow(rater, Timesheet(since, until, by_rater[rater.pk])) for rater in raters]


def payments_of(*, rater: Rater) -> QuerySet[Payment]:
    return rater.payments.select_related("paid_by").order_by("-since")


def disputes_of(*, rater: Rater) -> QuerySet[PayDispute]:
    return rater.disputes.select_related("answered_by").order_by("-raised_at", "-pk")


def open_disputes() -> QuerySet[PayDispute]:
    """The oldest first."""
    return PayDispute.objects.filter(answered_at=None).select_related("rater__user").order_by("raised_at", "pk")


def rates_of(*, pool: Pool) -> QuerySet[Rate]:
    """By kind, the newest first."""
    return pool.rates.select_related("created_by").order_by("kind", "-valid_from")


def payment_words(payment: Payment) -> str:
    return _in_words({currency: Decimal(amount) for currency, amount in payment.totals.items()})


def _lines(*, since: dt.date, until: dt.date, rater: Rater | None = None) -> list[Line]:
    start = dt.datetime.combine(since, dt.time.min, dt.UTC)
    end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time.min, dt.UTC)
    whose = Q(rater=rater) if rater is not None else Q()
    given = Judgment.objects.filter(
        whose, submitted_at__gte=start, submitted_at__lt=end, import_batch=None, campaign__isnull=False
    )
    worked = _grouped(given, pool="campaign__pool", kind=F("kind"), seconds=working_time.judged_s(), extra=Q(is_extra=True))
    passed = working_time.skips(whose & Q(ended_at__gte=start, ended_at__lt=end))
    skipped = _grouped(
        passed, pool="campaign__pool", kind=F("campaign__kind"), seconds=working_time.skipped_s(), extra=Q(), at="ended_at"
    )
    attempts = StepAttempt.objects.filter(whose, submitted_at__gte=start, submitted_at__lt=end, paid_minutes__gt=0)
    learned = _grouped(
        attempts, pool="step__pool", kind=Value(Rate.Kind.ONBOARDING), seconds=F("paid_minutes") * Value(60.0), extra=Q(pk=None)
    )
    rows = [*_with_skips(worked, skipped), *learned]
    pools = dict(Pool.objects.filter(pk__in={row["pool_id"] for row in rows}).values_list("pk", "name"))
    rates = Rate.objects.in_bulk({row["rate_id"] for row in rows if row["rate_id"]})
    paid = _paid_days(whose, since, until)
    lines = [_line(row, pools[row["pool_id"]], rates.get(row["rate_id"]), paid) for row in rows]
    lines += [_correction(dispute, paid) for dispute in _corrections(whose, start, end)]
    return sorted(lines, key=lambda line: (line.day, line.pool, line.kind, line.rate.pk if line.rate else 0))


def _with_skips(worked: Iterable[dict[str, Any]], skipped: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """A day's skips in the line of what was judged under the same rate."""
    lines = {_of_line(row): {**row, "n_skipped": 0} for row in worked}
    for row in skipped:
        line = lines.setdefault(_of_line(row), {**row, "n": 0, "n_extra": 0, "n_skipped": 0, "seconds": 0.0})
        line["n_skipped"] += row["n"]
        line["seconds"] += row["seconds"]
    return lines.values()


def _of_line(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("rater_id", "day", "rate_id", "pool_id", "kind_of_work"))


def _grouped(
    rows: QuerySet[Any], *, pool: str, kind: Any, seconds: Any, extra: Q, at: str = "submitted_at"
) -> Iterable[dict[str, Any]]:
    rate = (
        Rate.objects.filter(pool=OuterRef("pool_id_"), kind=OuterRef("kind_"), valid_from__lte=OuterRef(at))
        .order_by("-valid_from")
        .values("pk")[:1]
    )
    found: Iterable[dict[str, Any]] = (
        rows.annotate(pool_id_=F(pool), kind_=kind, paid_s=seconds)
        .annotate(day=TruncDate(at, tzinfo=dt.UTC), rate_id=Subquery(rate))
        .order_by()
        .values("rater_id", "day", "rate_id", pool_id=F("pool_id_"), kind_of_work=F("kind_"))
        .annotate(n=Count("pk"), n_extra=Count("pk", filter=extra), seconds=Sum("paid_s"))
    )
    return found


def _line(row: dict[str, Any], pool: str, rate: Rate | None, paid: dict[int, list[tuple[dt.date, dt.date]]]) -> Line:
    amount = None
    if rate is not None:
        n_paid = Decimal(row["n"]) if rate.basis == Rate.Basis.ITEM else Decimal(str(row["seconds"])) / 3600
        amount = money.whole(rate.amount * n_paid)
    return Line(
        rater_id=row["rater_id"],
        day=row["day"],
        pool=pool,
        kind=row["kind_of_work"],
        n=row["n"],
        n_extra=row["n_extra"],
        n_skipped=row.get("n_skipped", 0),
        seconds=row["seconds"],
        rate=rate,
        amount=amount,
        currency=rate.currency if rate else "",
        is_paid=_is_paid(row["rater_id"], row["day"], paid),
    )


def _corrections(whose: Q, start: dt.datetime, end: dt.datetime) -> QuerySet[PayDispute]:
    return PayDispute.objects.filter(whose, answered_at__gte=start, answered_at__lt=end, correction__isnull=False)


def _correction(dispute: PayDispute, paid: dict[int, list[tuple[dt.date, dt.date]]]) -> Line:
    assert dispute.answered_at is not None
    day = dispute.answered_at.astimezone(dt.UTC).date()
    return Line(
        rater_id=dispute.rater_id,
        day=day,
        pool="",
        kind=CORRECTION,
        n=0,
        n_extra=0,
        n_skipped=0,
        seconds=0.0,
        rate=None,
        amount=dispute.correction,
        currency=dispute.currency,
        is_paid=_is_paid(dispute.rater_id, day, paid),
    )


def _paid_days(whose: Q, since: dt.date, until: dt.date) -> dict[int, list[tuple[dt.date, dt.date]]]:
    found: dict[int, list[tuple[dt.date, dt.date]]] = {}
    rows = Payment.objects.filter(whose, since__lte=until, until__gte=since).values_list("rater_id", "since", "until")
    for rater_id, first, last in rows:
        found.setdefault(rater_id, []).append((first, last))
    return found


def _is_paid(rater_id: int, day: dt.date, paid: dict[int, list[tuple[dt.date, dt.date]]]) -> bool:
    return any(first <= day <= last for first, last in paid.get(rater_id, ()))


def _alarm(key: tuple[str, str, str], lines: Sequence[Line]) -> Alarm | None:
    seconds = sum(line.seconds for line in lines)
    latest = lines[-1].rate
    if seconds < ALARM_NEEDS_S or latest is None or latest.floor is None:
        return None
    per_hour = sum((line.amount or Decimal(0) for line in lines), Decimal(0)) * 3600 / Decimal(str(seconds))
    pool, kind, currency = key
    return Alarm(pool, kind, per_hour, latest.floor, currency) if per_hour < latest.floor else None


def _sums(lines: Iterable[Line]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.amount is not None:
            sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.amount
    return sums


def _by_currency(lines: Iterable[Line]) -> dict[str, tuple[Decimal, float]]:
    sums: dict[str, tuple[Decimal, float]] = {}
    for line in lines:
        if line.amount is not None and line.seconds:
            amount, seconds = sums.get(line.currency, (Decimal(0), 0.0))
            sums[line.currency] = (amount + line.amount, seconds + line.seconds)
    return sums


def _in_words(sums: dict[str, Decimal]) -> str:
    return " + ".join(money.words(amount, currency) for currency, amount in sorted(sums.items())) or "0"
