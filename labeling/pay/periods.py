"""Shared by the pay pages: the period in the query string, and the columns of downloads."""

import datetime as dt

from django.http import HttpRequest
from django.utils import timezone

from labeling.pay.forms import PeriodForm

COLUMNS = [
    "day",
    "pool",
    "work",
    "n",
    "extra",
    "skipped",
    "active_s",
    "rate",
    "paid_by",
    "amount",
    "currency",
    "state",
    "later",
]


def period(request: HttpRequest) -> tuple[PeriodForm, dt.date, dt.date]:
    """The bound form, and its first and last day, in UTC like timesheets."""
    today = timezone.now().astimezone(dt.UTC).date()
    since, until = PeriodForm(request.GET).period(today=today)
    return PeriodForm({"since": since, "until": until}), since, until
