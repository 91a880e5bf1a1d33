"""Timesheets as values: lines, totals, and alarms where pay is below the floor. No database."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from labeling.models import Rate, Rater
from labeling.queue.spending import money

ALARM_NEEDS_S = 900.0
"""With less than a quarter of an hour, an hourly rate means nothing."""
CORRECTION = "correction"
PROLIFIC = "prolific"
"""What Prolific has paid: a negative amount among what is due, and nothing that was earned."""


@dataclass(frozen=True)
class TimesheetLine:
    """One rater's work of one kind in one pool on one day under one rate. `amount` is in minor
    units; None without a rate.
    """

    rater_id: int
    day: dt.date
    pool_id: int | None
    """None for a correction"""
    pool: str
    kind: str
    n: int
    n_extra: int
    n_skipped: int
    seconds: float
    """of judged and skipped items"""
    rate: Rate | None
    amount: Decimal | None
    currency: str
    is_paid: bool = False
    came_later: bool = False
    """whether it was added to a day that had been paid"""

    @property
    def is_receipt(self) -> bool:
        return self.kind == PROLIFIC

    @property
    def kind_words(self) -> str:
        if self.is_receipt:
            return _("paid through Prolific")
        return _("adjustment") if self.kind == CORRECTION else str(Rate.Kind(self.kind).label)

    @property
    def amount_words(self) -> str:
        return (
            money.words(self.amount, self.currency) if self.amount is not None else _("no rate set")
        )

    @property
    def rate_words(self) -> str:
        if self.rate is None:
            return "–"
        return (
            f"{money.words(self.rate.amount, self.rate.currency)} {self.rate.get_basis_display()}"
        )

    @property
    def rate_terms(self) -> tuple[str, str, Decimal]:
        """Two rates with the same terms pay the same."""
        return (
            (self.rate.basis, self.rate.currency, self.rate.amount)
            if self.rate
            else ("", "", Decimal(0))
        )

    @property
    def rate_order(self) -> int:
        """Earlier rates first; a rate read back from a payment has no position."""
        return (self.rate.pk or 0) if self.rate else 0


@dataclass(frozen=True)
class Alarm:
    """Work in a pool that pays less per hour than the floor of its rate."""

    pool_id: int | None
    pool: str
    kind: str
    per_hour: Decimal
    floor: Decimal
    currency: str

    @property
    def sentence(self) -> str:
        return _(
            "%(kind)s in “%(pool)s” come to %(per_hour)s per hour; the minimum is %(floor)s."
        ) % {
            "kind": str(Rate.Kind(self.kind).label).capitalize(),
            "pool": self.pool,
            "per_hour": money.words(money.whole(self.per_hour), self.currency),
            "floor": money.words(self.floor, self.currency),
        }


@dataclass(frozen=True)
class Timesheet:
    """A rater's lines from `since` to `until`, both included, and their totals."""

    since: dt.date
    until: dt.date
    lines: list[TimesheetLine] = field(default_factory=list)
    currency: str = ""
    """of an amount of 0"""

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
        return _sums(line for line in self.lines if not line.is_receipt)

    @property
    def due(self) -> dict[str, Decimal]:
        return _sums(line for line in self.lines if not line.is_paid)

    @property
    def total_words(self) -> str:
        return sums_in_words(self.totals, self.currency)

    @property
    def due_words(self) -> str:
        return sums_in_words(self.due, self.currency)

    @property
    def per_hour_words(self) -> str:
        """Over all work with a rate; one amount per currency."""
        return " + ".join(
            money.words(money.whole(amount * 3600 / Decimal(str(seconds))), currency)
            for currency, (amount, seconds) in _by_currency(self.lines).items()
            if seconds
        )

    @property
    def alarms(self) -> list[Alarm]:
        groups: dict[tuple[int | None, str, str], list[TimesheetLine]] = {}
        for line in self.lines:
            if line.rate is not None and line.rate.floor is not None:
                groups.setdefault((line.pool_id, line.kind, line.currency), []).append(line)
        alarms = [alarm for lines in groups.values() if (alarm := _alarm(lines)) is not None]
        return sorted(alarms, key=lambda alarm: (alarm.pool, alarm.kind, alarm.currency))


@dataclass(frozen=True)
class PayRow:
    rater: Rater
    sheet: Timesheet


def _alarm(lines: Sequence[TimesheetLine]) -> Alarm | None:
    """`lines` are of one pool, kind of work and currency, in order."""
    seconds, latest = sum(line.seconds for line in lines), lines[-1]
    floor = latest.rate.floor if latest.rate else None
    if seconds < ALARM_NEEDS_S or floor is None:
        return None
    per_hour = (
        sum((line.amount or Decimal(0) for line in lines), Decimal(0))
        * 3600
        / Decimal(str(seconds))
    )
    return (
        Alarm(latest.pool_id, latest.pool, latest.kind, per_hour, floor, latest.currency)
        if per_hour < floor
        else None
    )


def _sums(lines: Iterable[TimesheetLine]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.amount is not None:
            sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.amount
    return sums


def _by_currency(lines: Iterable[TimesheetLine]) -> dict[str, tuple[Decimal, float]]:
    sums: dict[str, tuple[Decimal, float]] = {}
    for line in lines:
        if line.amount is not None and line.seconds:
            amount, seconds = sums.get(line.currency, (Decimal(0), 0.0))
            sums[line.currency] = (amount + line.amount, seconds + line.seconds)
    return sums


def sums_in_words(sums: dict[str, Decimal], currency: str) -> str:
    """`currency`: of 0, if there is no sum."""
    shown = sums or {currency: Decimal(0)}
    return " + ".join(money.words(amount, code) for code, amount in sorted(shown.items()))
