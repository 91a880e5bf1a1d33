"""CSV downloads that no spreadsheet can mistake for formulas."""

import csv
import io
from collections.abc import Iterable, Mapping

from django.http import HttpResponse

FORMULA_STARTS = ("=", "+", "-", "@")


def response(
    name: str, columns: list[str], records: Iterable[Mapping[str, object]]
) -> HttpResponse:
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


def _plain(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip().startswith(FORMULA_STARTS):
        return value
    return value if value.removeprefix("-").replace(".", "", 1).isdecimal() else f"'{value}"
