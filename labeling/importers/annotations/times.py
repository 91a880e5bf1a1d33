"""When an answer was given, as files write it. Times without a zone are in UTC."""

from datetime import UTC, datetime, timedelta, timezone

from django.utils.translation import gettext as _

from labeling.importers.drafts import shown
from labeling.importers.shapes.reading import number_of

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS = (631_152_000, 4_102_444_800)
"""The same two moments in seconds since 1970."""
_PATTERNS = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f %z",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d %B %Y",
    "%b %d, %Y",
)
_US_ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4}


def moment(value: str) -> tuple[datetime | None, str]:
    """The moment, or None and a sentence if there is a value that cannot be read. A date in which
    day and month cannot be told apart is not read.
    """
    if not value:
        return None, ""
    number = number_of(value)
    time = _of_number(number) if number is not None else _of_words(value)
    if time is not None and _EARLIEST <= time < _LATEST:
        return time, ""
    return None, _(
        "The time “%(value)s” can't be read. Write it as 2026-01-31T12:00:00Z. The time of the"
        " import is used instead."
    ) % {"value": shown(value)}


def _of_number(number: float) -> datetime | None:
    for unit in (1, 1_000, 1_000_000, 1_000_000_000):
        if _SECONDS[0] <= number / unit < _SECONDS[1]:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit)
    return None


def _of_words(value: str) -> datetime | None:
    zone = next((name for name in _US_ZONES if f" {name} " in f"{value} "), "")
    plain = " ".join(word for word in value.split() if word != zone)
    time = _without_zone_name(plain)
    if time is None or time.tzinfo is not None:
        return time
    return time.replace(tzinfo=timezone(timedelta(hours=_US_ZONES.get(zone, 0))))


def _without_zone_name(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    for pattern in _PATTERNS:
        try:
            return datetime.strptime(value, pattern)  # noqa: DTZ007  # most have no zone
        except ValueError:
            continue
    return None
