"""Dates and rates as text, for a campaign's page and its curve."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from labeling.campaigns.template_filters import register


@register.filter
def about(moment: datetime) -> str:
    """A date as precise as needed: “Thursday 15:00” within a week from now, else “3 December”."""
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return gettext("today %(time)s") % {"time": date_format(local, "H:i")}
    if abs(local.date() - today) < timedelta(days=7):
        return date_format(local, "l H:i")
    return date_format(local, "MONTH_DAY_FORMAT")


@register.filter
def rate(per_hour: float) -> str:
    """A pace without false precision: “38”, “4.5”, “0.3”."""
    tenths = round(per_hour, 1)
    return number_format(tenths if tenths < 10 and tenths % 1 else round(per_hour))
