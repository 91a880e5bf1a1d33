"""Template filters and tags of the admin's pages: labels, dates, rates and amounts as text."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from arithmetic import response_orders
from labeling.campaigns.pages import first_steps as campaigns_first_steps
from labeling.models import Campaign, Prompt
from labeling.queue.spending import money
from labeling.votes.item_answers import ItemAnswer

register = template.Library()


register.filter("letter", response_orders.letter)


@register.filter
def in_order(answer: ItemAnswer) -> str:
    """A ranking with letters and symbols: “B › A = C”."""
    return " › ".join(" = ".join(tier) for tier in answer.tiers)


@register.filter
def role(name: str) -> str:
    """The speaker's role in a conversation, as a label."""
    return {
        "system": gettext("System"),
        "user": gettext("User"),
        "assistant": gettext("Assistant"),
        "tool": gettext("Tool"),
    }.get(name, name)


@register.filter
def state_kind(state: str) -> str:
    """The state component's kind for a campaign's state."""
    return {"open": "accent", "paused": "warning"}.get(state, "")


@register.filter
def status_kind(status: str) -> str:
    """The state component's kind for a rater's status."""
    return {"at_work": "good", "paused": "warning", "closed": "danger"}.get(status, "")


@register.filter
def invitation_kind(state: str) -> str:
    return {"waits": "accent", "accepted": "good", "expired": "warning"}.get(state, "")


@register.filter
def progress_kind(progress: str) -> str:
    """The state component's kind for a rater's progress in onboarding, or for an attempt."""
    return {
        "open": "accent",
        "again": "warning",
        "waiting": "accent",
        "passed": "good",
        "below": "warning",
        "refused": "danger",
    }.get(progress, "")


@register.filter
def topic(code: str) -> str:
    """The label of a category; any other tag unchanged."""
    return str(dict(Prompt.Category.choices).get(code, code))


@register.filter
def priced(minor: Decimal, currency: str) -> str:
    """An amount in minor units: `1250` EUR → “12.50 EUR”."""
    return money.words(minor, currency)


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


@register.simple_tag
def counted(campaign: Campaign, phrase: str, n: int, *, done: int = 0) -> str:
    """Answers or conversations, whichever the campaign's progress counts: “All 6 conversations”.
    `phrase` is one of labeling.kinds.units.Unit.
    """
    unit = campaign.about.unit
    return unit.words(getattr(unit, phrase), n, done=done)


@register.inclusion_tag("labeling/campaigns/steps/_first_steps.html")
def first_steps(*, is_whole: bool = False) -> dict[str, object]:
    """The next step on an empty site, or with `is_whole` all of them. Nothing on a site in use."""
    steps = campaigns_first_steps.first_steps()
    return {
        "steps": steps,
        "next": next((step for step in steps if step.is_next), None),
        "n_done": sum(step.is_done for step in steps),
        "is_whole": is_whole,
    }
