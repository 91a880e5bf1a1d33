"""Shared by the pay pages: the period in the query string, and CSV downloads."""

import csv
import datetime as dt
import io
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
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
FORMULA_STARTS = ("=", "+", "-", "@")


def period(request: HttpRequest) -> tuple[PeriodForm, dt.date, dt.date]:
    """The bound form, and its first and last day, in UTC like timesheets."""
    today = timezone.now().astimezone(dt.UTC).date()
    since, until = PeriodForm(request.GET).period(today=today)
    return PeriodForm({"since": since, "until": until}), since, until


def csv_file(name: str, columns: list[str], records: Iterable[dict[str, Any]]) -> HttpResponse:
    """A spreadsheet treats a cell that begins with = or + as a formula, also after blanks, so such
    a text gets an apostrophe.
    """
    written = io.StringIO()
    writer = csv.DictWriter(written, columns)
    writer.writeheader()
    for record in records:
        writer.writerow({key: _plain(value) for key, value in record.items()})
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _plain(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(FORMULA_STARTS):
        return value
    return value if value.removeprefix("-").replace(".", "", 1).isdecimal() else f"'{value}"
