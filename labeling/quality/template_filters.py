"""Template filters of the quality pages: figures as text, and positions in charts."""

from dataclasses import replace

from django import template
from django.utils.translation import gettext

from arithmetic.figures import Figure
from labeling.models import Judgment
from labeling.quality.pages import figure_text

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
    return figure_text.in_words(figure)


@register.filter
def why_absent(figure: Figure) -> str:
    return figure_text.why_absent(figure)


@register.filter
def figure(figure: Figure, form: str) -> str:
    """A figure's value as text, in a form of labeling.quality.pages.figure_text.FORMS."""
    return figure_text.FORMS[form][0](figure)


@register.filter
def interval(figure: Figure, form: str) -> str:
    """A figure's interval as text, “too few prompts”, or empty if there is no value."""
    return figure_text.FORMS[form][1](figure)


@register.inclusion_tag("labeling/quality/figures/_cell.html")
def figure_cell(figure: Figure, form: str, *, head: str = "", url: str = "") -> dict[str, object]:
    """One cell of a table: the value, linked to the judgments behind it, with its interval below.
    The tooltip says why there is no value.
    """
    return {
        "value": figure_text.FORMS[form][0](figure),
        "interval": figure_text.FORMS[form][1](figure),
        "words": figure_text.in_words(figure)
        if form == "share"
        else figure_text.why_absent(figure),
        "head": head,
        "url": url if figure.n else "",
    }


@register.inclusion_tag("labeling/quality/figures/_cell.html")
def rater_cell(measured: Figure, form: str, *, head: str = "", url: str = "") -> dict[str, object]:
    """A figure of one rater: nothing without an interval, because few answers say little."""
    known = measured if measured.low is not None else replace(measured, value=None)
    return figure_cell(known, form, head=head, url=url if known.value is not None else "")


@register.inclusion_tag("labeling/quality/figures/_cells.html")
def figure_cells(
    figure: Figure, form: str, *, head: str = "", interval_head: str = "", is_strong: bool = False
) -> dict[str, object]:
    """Two cells of a table: the value, and its interval with whom it is about."""
    return {
        "value": figure_text.FORMS[form][0](figure),
        "interval": figure_text.FORMS[form][1](figure),
        "about": figure_text.about(figure),
        "head": head,
        "interval_head": interval_head,
        "is_strong": is_strong,
    }


@register.filter
def order_as_shown(judgment: Judgment) -> str:
    """A ranking by positions on the rater's page: “1 › 3 = 2”; the ratings of a single response."""
    tiers: dict[int, list[str]] = {}
    for entry in sorted(judgment.comparison.ranked.all(), key=lambda entry: entry.position):
        if entry.rank is not None:
            tiers.setdefault(entry.rank, []).append(str(entry.position + 1))
    return (
        " › ".join(" = ".join(tiers[rank]) for rank in sorted(tiers))
        or _ratings(judgment)
        or gettext("nothing ranked")
    )


def _ratings(judgment: Judgment) -> str:
    """“quality 4, topic code” of a response that was rated by itself; empty for several."""
    rated = list(judgment.comparison.ranked.all())
    if len(rated) != 1:
        return ""
    shown = {True: gettext("yes"), False: gettext("no")}
    return ", ".join(
        f"{name} {shown[answer] if isinstance(answer, bool) else answer}"
        for name, answer in rated[0].ratings.items()
    )
