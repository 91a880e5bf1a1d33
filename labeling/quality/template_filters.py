"""Template filters of the quality pages: figures as text, and positions in charts."""

from django import template
from django.utils.translation import gettext

from labeling.models import Judgment
from labeling.statistics.figures import Figure

register = template.Library()


@register.filter
def at(share: float) -> str:
    """A share as a position on a line 100 units long, independent of the language's number
    format.
    """
    return f"{100 * share:.1f}"


@register.filter
def figure_words(figure: Figure) -> str:
    """“74 %, 69 to 78 % of 301” for screen readers and tooltips; the note if there is no value."""
    if figure.value is None:
        return gettext(figure.note)
    if figure.low is None or figure.high is None:
        return gettext("%(value).0f %% of %(n)d") % {"value": 100 * figure.value, "n": figure.n}
    numbers = {
        "value": 100 * figure.value,
        "low": 100 * figure.low,
        "high": 100 * figure.high,
        "n": figure.n,
    }
    return gettext("%(value).0f %%, %(low).0f to %(high).0f %% of %(n)d") % numbers


@register.filter
def order_as_shown(judgment: Judgment) -> str:
    """A ranking by positions on the rater's page: “1 › 3 = 2”."""
    tiers: dict[int, list[str]] = {}
    for entry in sorted(judgment.comparison.ranked.all(), key=lambda entry: entry.position):
        if entry.rank is not None:
            tiers.setdefault(entry.rank, []).append(str(entry.position + 1))
    return " › ".join(" = ".join(tiers[rank]) for rank in sorted(tiers)) or gettext(
        "nothing ranked"
    )
