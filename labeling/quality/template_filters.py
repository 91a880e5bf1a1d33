"""Template filters of the quality pages: figures as text, and positions in charts."""

from django import template
from django.utils.translation import gettext

from labeling.models import Judgment
from labeling.quality.pages import words
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
    """“74 %, 69 – 78 % of 301” for screen readers and tooltips; the note if there is no value or
    no interval.
    """
    if figure.value is None:
        return gettext(figure.note)
    given = {"value": 100 * figure.value, "n": figure.n, "interval": words.share_interval(figure)}
    if figure.low is not None:
        return gettext("%(value).0f %%, %(interval)s of %(n)d") % given
    share = gettext("%(value).0f %% of %(n)d") % given
    return f"{share}. {gettext(figure.note)}" if figure.note else share


@register.filter
def interval(figure: Figure) -> str:
    """The interval of a share, or “too few prompts”."""
    return words.share_interval(figure)


@register.filter
def percent_interval(figure: Figure) -> str:
    """The interval of a figure in percent, or “too few prompts”."""
    return words.percent_interval(figure)


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
