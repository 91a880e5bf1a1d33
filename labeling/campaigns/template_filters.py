"""Words of the admin's pages that need the clock or the row at hand."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext

from labeling.models import Prompt
from labeling.quality.item_answers import ItemAnswer
from labeling.queue.spending import money

register = template.Library()


@register.filter
def in_order(answer: ItemAnswer) -> str:
    """A ranking in letters and symbols: “B › A = C”."""
    return " › ".join(" = ".join(tier) for tier in answer.tiers)


@register.filter
def role(name: str) -> str:
    """Who speaks in a conversation."""
    return {
        "system": gettext("System"),
        "user": gettext("User"),
        "assistant": gettext("Assistant"),
    }.get(name, name)


@register.filter
def state_kind(state: str) -> str:
    """Which of the component's meanings a campaign's state has: going on, wants a look, or nothing
    to say.
    """
    return {"open": "accent", "paused": "warning"}.get(state, "")


@register.filter
def standing_kind(standing: str) -> str:
    """Which of the component's meanings a rater's standing has."""
    return {"at_work": "good", "paused": "warning", "closed": "danger"}.get(standing, "")


@register.filter
def invitation_kind(state: str) -> str:
    return {"waits": "accent", "accepted": "good", "expired": "warning"}.get(state, "")


@register.filter
def progress_kind(progress: str) -> str:
    """Which of the component's meanings a step of onboarding has for its rater, or one of their
    attempts.
    """
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
    """A category in words; any other tag as it is."""
    return str(dict(Prompt.Category.choices).get(code, code))


@register.filter
def priced(minor: Decimal, currency: str) -> str:
    """An amount in minor units: `1250` EUR → “12.50 EUR”."""
    return money.words(minor, currency)
