"""Lines as they were paid, and work that was added to paid days later.

A paid line is shown as it was paid, even if the same work would cost something else today. Work or
money that is added to a paid day later becomes a separate line, due until it is paid too. Payments
are never taken back automatically: if the records now have less than was paid, the paid line stays.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from labeling.models import Payment, Pool, Rate, Rater
from labeling.pay.timesheets.sheets import CORRECTION, TimesheetLine
from labeling.queue.spending import money, prices

ROUNDING_S = 0.1
"""Payments store seconds rounded to a tenth."""

Key = tuple[int, dt.date, int | None, str]


def with_payments(
    lines: Iterable[TimesheetLine], *, since: dt.date, until: dt.date, rater: Rater | None = None
) -> list[TimesheetLine]:
    """The currently counted `lines`, with paid lines in place of those that have been paid."""
    paid, periods = _paid(since=since, until=until, rater=rater)
    counted = _by_key(lines)
    shown: list[TimesheetLine] = []
    for key in counted.keys() | paid.keys():
        now, before = counted.get(key, []), paid.get(key, [])
        rater_id, day = key[:2]
        if before:
            shown += [*before, *_since_paid(now, before)]
        elif any(first <= day <= last for first, last in periods.get(rater_id, ())):
            shown += [replace(line, came_later=True) for line in now]
        else:
            shown += now
    return shown


def as_record(line: TimesheetLine) -> dict[str, object]:
    """A line as a CSV record. Amounts are in the currency's major unit."""
    return _basics(line) | {
        "state": "paid" if line.is_paid else "due",
        "later": "yes" if line.came_later else "",
    }


def as_stored(line: TimesheetLine) -> dict[str, object]:
    """A line as JSON, for a payment."""
    floor = line.rate.floor if line.rate else None
    return _basics(line) | {
        "pool_id": line.pool_id,
        "floor": str(money.to_major(floor, line.currency)) if floor is not None else "",
        "later": line.came_later,
    }


def _basics(line: TimesheetLine) -> dict[str, object]:
    return {
        "day": str(line.day),
        "pool": line.pool,
        "work": line.kind,
        "n": line.n,
        "extra": line.n_extra,
        "skipped": line.n_skipped,
        "active_s": round(line.seconds, 1),
        "rate": str(money.to_major(line.rate.amount, line.rate.currency)) if line.rate else "",
        "paid_by": line.rate.basis if line.rate else "",
        "amount": (
            str(money.to_major(line.amount, line.currency)) if line.amount is not None else ""
        ),
        "currency": line.currency,
    }


def _paid(
    *, since: dt.date, until: dt.date, rater: Rater | None
) -> tuple[dict[Key, list[TimesheetLine]], dict[int, list[tuple[dt.date, dt.date]]]]:
    """Paid lines, and the days that payments cover, by rater."""
    payments = Payment.objects.filter(since__lte=until, until__gte=since).order_by("paid_at", "pk")
    if rater is not None:
        payments = payments.filter(rater=rater)
    lines: list[TimesheetLine] = []
    periods: dict[int, list[tuple[dt.date, dt.date]]] = {}
    for rater_id, first, last, records in payments.values_list(
        "rater_id", "since", "until", "lines"
    ):
        periods.setdefault(rater_id, []).append((first, last))
        lines += [_read(record, rater_id) for record in records]
    named = {line.pool for line in lines if line.pool and line.pool_id is None}
    if named:  # from before payments stored more of their pools than a name
        pools = dict(Pool.objects.filter(name__in=named).values_list("name", "pk"))
        lines = [
            replace(line, pool_id=pools.get(line.pool)) if line.pool_id is None else line
            for line in lines
        ]
    return _by_key(line for line in lines if since <= line.day <= until), periods


def _read(record: dict[str, Any], rater_id: int) -> TimesheetLine:
    """Parses what `as_stored` wrote."""
    currency = record["currency"]
    rate = None
    if record["rate"]:
        rate = Rate(
            kind=record["work"],
            basis=record["paid_by"],
            amount=money.to_minor(Decimal(record["rate"]), currency),
            currency=currency,
            floor=(
                money.to_minor(Decimal(record["floor"]), currency) if record.get("floor") else None
            ),
        )
    return TimesheetLine(
        rater_id=rater_id,
        day=dt.date.fromisoformat(record["day"]),
        pool_id=record.get("pool_id"),
        pool=record["pool"],
        kind=record["work"],
        n=record["n"],
        n_extra=record["extra"],
        n_skipped=record.get("skipped", 0),
        seconds=record["active_s"],
        rate=rate,
        amount=money.to_minor(Decimal(record["amount"]), currency),
        currency=currency,
        is_paid=True,
        came_later=record.get("later", False),
    )


def _by_key(lines: Iterable[TimesheetLine]) -> dict[Key, list[TimesheetLine]]:
    by_key: dict[Key, list[TimesheetLine]] = {}
    for line in lines:
        by_key.setdefault((line.rater_id, line.day, line.pool_id, line.kind), []).append(line)
    return by_key


def _since_paid(
    now: Sequence[TimesheetLine], before: Sequence[TimesheetLine]
) -> list[TimesheetLine]:
    """What the records of a day in a pool have in addition to what was paid, at the rates that were
    paid.

    Compared rate by rate if the day's rates are those that were paid. Otherwise a rate was set for
    the day afterwards, and everything additional is priced at the rate last paid for the day.
    """
    if not now:
        return []
    if now[0].kind == CORRECTION:
        return _corrected_since(now, before)
    rates = {line.rate_terms for line in before}
    if {line.rate_terms for line in now} != rates:
        return _beyond(now, before)
    return [
        later
        for terms in sorted(rates)
        for later in _beyond(
            [line for line in now if line.rate_terms == terms],
            [line for line in before if line.rate_terms == terms],
        )
    ]


def _beyond(now: Sequence[TimesheetLine], before: Sequence[TimesheetLine]) -> list[TimesheetLine]:
    n, seconds = (
        int(_excess(now, before, lambda line: line.n)),
        _excess(now, before, lambda line: line.seconds),
    )
    if seconds < ROUNDING_S * len(before):
        seconds = 0.0
    amount = prices.price(rate=before[-1].rate, n_judgments=n, active_s=seconds)
    if not amount:
        return []
    n_extra, n_skipped = (
        int(_excess(now, before, of))
        for of in (lambda line: line.n_extra, lambda line: line.n_skipped)
    )
    later = replace(before[-1], n=n, n_extra=n_extra, n_skipped=n_skipped, seconds=seconds)
    return [replace(later, amount=amount, is_paid=False, came_later=True)]


def _excess(
    now: Iterable[TimesheetLine],
    before: Iterable[TimesheetLine],
    of: Callable[[TimesheetLine], float],
) -> float:
    return max(0.0, sum(of(line) for line in now) - sum(of(line) for line in before))


def _corrected_since(
    now: Sequence[TimesheetLine], before: Sequence[TimesheetLine]
) -> list[TimesheetLine]:
    later = []
    for currency in sorted({line.currency for line in now}):
        earned, paid = (
            sum(
                (line.amount or Decimal(0) for line in lines if line.currency == currency),
                Decimal(0),
            )
            for lines in (now, before)
        )
        if earned != paid:
            later.append(replace(now[0], currency=currency, amount=earned - paid, came_later=True))
    return later
