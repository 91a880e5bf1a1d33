"""Where a day begins in a time zone."""

import datetime as dt

_LAST = dt.date.max - dt.timedelta(days=3)


def midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The beginning of `day` in `zone`."""
    return dt.datetime.combine(day, dt.time.min, zone)


def end_of(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The beginning of the next day. The last days of the calendar have none that every time zone
    can hold: nothing of ours is so late.
    """
    return midnight(min(day, _LAST) + dt.timedelta(days=1), zone)


def last_midnight(now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The beginning of the day that it is in `zone` at `now`."""
    return midnight(now.astimezone(zone).date(), zone)
