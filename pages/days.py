"""Where a day begins, for the person a page is made for."""

import datetime as dt

from django.utils import timezone


def midnight(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """The beginning of `day` in `zone`, or in the current time zone: the signed-in person's."""
    return dt.datetime.combine(day, dt.time.min, zone or timezone.get_current_timezone())


def last_midnight(now: dt.datetime, zone: dt.tzinfo | None = None) -> dt.datetime:
    """The beginning of the day that it is at `now`."""
    return midnight(timezone.localdate(now, zone), zone)
