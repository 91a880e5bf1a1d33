"""A cron expression in words, with the times that it means next. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from training.schedules import timing

# Times of day that are listed one by one; more are counted.
N_TIMES_LISTED = 4


def in_words(*, cron: str, time_zone: str, after: datetime) -> str:
    """“Monday at 03:00. Next: Mon 30 Nov, 03:00, then Mon 7 Dec, 03:00.” Raises InvalidCron."""
    first = timing.next_due(cron=cron, time_zone=time_zone, after=after)
    second = timing.next_due(cron=cron, time_zone=time_zone, after=first)
    named = {"days": _days(cron), "times": _times(cron)}
    upcoming = {
        "first": _moment(first, time_zone),
        "second": _moment(second, time_zone),
    }
    return " ".join(
        [
            _("%(days)s %(times)s.") % named,
            _("Next: %(first)s, then %(second)s.") % upcoming,
        ]
    )


def _days(cron: str) -> str:
    times = timing.parse_cron(cron)
    words = _("Every day")
    if len(times.day_of_week) < 7:
        # cron counts from Sunday, Django from Monday
        days = sorted((day - 1) % 7 for day in times.day_of_week)
        words = get_text_list([str(WEEKDAYS[day]) for day in days], _("and"))
    if len(times.day_of_month) < 31:
        days_of_month = get_text_list([str(day) for day in sorted(times.day_of_month)], _("and"))
        is_any_weekday = len(times.day_of_week) == 7
        pattern = (
            _("On day %(days)s of the month")
            if is_any_weekday
            else _("%(weekdays)s that is day %(days)s of the month")
        )
        words = pattern % {"weekdays": words, "days": days_of_month}
    if len(times.month_of_year) < 12:
        months = get_text_list([str(MONTHS[n]) for n in sorted(times.month_of_year)], _("and"))
        words = _("%(days)s in %(months)s") % {"days": words, "months": months}
    return words


def _times(cron: str) -> str:
    times = timing.parse_cron(cron)
    clock = [
        f"{hour:02}:{minute:02}" for hour in sorted(times.hour) for minute in sorted(times.minute)
    ]
    if len(clock) > N_TIMES_LISTED:
        return _("%(n)s times a day") % {"n": len(clock)}
    return _("at %(times)s") % {"times": get_text_list(clock, _("and"))}


def _moment(at: datetime, time_zone: str) -> str:
    return date_format(at.astimezone(ZoneInfo(time_zone)), "D j M, H:i")
