"""Where a day begins, for the person a page is made for."""

import datetime as dt

from django.utils import timezone

_LAST = dt.date.max - dt.timedelta(days=3)


def midnight(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """The beginning of `day` in `zone`, or in the current time zone: the signed-in person's."""
    return dt.datetime.combine(day, dt.time.min, zone or timezone.get_current_timezone())


def end_of(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """The beginning of the next day. The last days of the calendar have none that every time zone
    can hold: nothing of ours is so late.
    """
    return midnight(min(day, _LAST) + dt.timedelta(days=1), zone)


def last_midnight(now: dt.datetime, zone: dt.tzinfo | None = None) -> dt.datetime:
    """The beginning of the day that it is at `now`."""
    return midnight(timezone.localdate(now, zone), zone)
