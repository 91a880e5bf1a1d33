"""A figure as text: its value, and its 95 % interval, as a share, a coefficient or in percent."""

from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arithmetic.figures import RATERS_LIKE_THESE, THESE_RATERS, Figure

MOST_DECIMALS = 6


def share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.0f} %"


def share_interval(figure: Figure) -> str:
    return _interval(figure, "{} – {} %", factor=100, decimals=0)


def coefficient(figure: Figure) -> str:
    return "–" if figure.value is None else _number(figure.value, 2)


def coefficient_interval(figure: Figure) -> str:
    return _interval(figure, "{} – {}", decimals=2)


def percent(figure: Figure) -> str:
    """A figure in percent, such as a win rate."""
    return "–" if figure.value is None else _number(figure.value, 1)


def percent_interval(figure: Figure) -> str:
    return _interval(figure, "{} – {}", decimals=1)


FORMS: dict[str, tuple[Callable[[Figure], str], Callable[[Figure], str]]] = {
    "share": (share, share_interval),
    "coefficient": (coefficient, coefficient_interval),
    "percent": (percent, percent_interval),
}


def in_words(figure: Figure) -> str:
    """A share with its interval and count, “74 %, 69 – 78 % of 301”; the note if there is no value
    or no interval.
    """
    if figure.value is None:
        return _(figure.note)
    values = {"value": 100 * figure.value, "n": figure.n, "interval": share_interval(figure)}
    if figure.low is not None:
        return _("%(value).0f %%, %(interval)s of %(n)d") % values
    text = _("%(value).0f %% of %(n)d") % values
    return f"{text}. {_(figure.note)}" if figure.note else text


def about(figure: Figure) -> str:
    """Whom the interval is about; empty without one, and where raters are no part of it."""
    return "" if figure.low is None else about_words(figure.about)


def about_words(about: str) -> str:
    words = {
        RATERS_LIKE_THESE: _("for raters like these"),
        THESE_RATERS: _("for these raters only"),
    }
    return words.get(about, "")


def why_absent(figure: Figure) -> str:
    """Why there is no value; empty if there is one."""
    return _(figure.note) if figure.value is None and figure.note else ""


def _interval(figure: Figure, text: str, *, decimals: int, factor: int = 1) -> str:
    """“too few prompts” in place of the interval of a value that has none; its note has the
    reason.
    """
    if figure.low is None or figure.high is None:
        return _("too few prompts") if figure.value is not None and figure.note else ""
    return text.format(*_apart(factor * figure.low, factor * figure.high, decimals))


def _apart(low: float, high: float, decimals: int) -> tuple[str, str]:
    """Both ends, with as many more decimals as it takes to show that they differ."""
    while round(low, decimals) == round(high, decimals) and decimals < MOST_DECIMALS:
        decimals += 1
    return _number(low, decimals), _number(high, decimals)


def _number(value: float, decimals: int) -> str:
    """Rounded first, because Django's number_format cuts decimals off."""
    return number_format(round(value, decimals), decimals).replace("-", "−")
