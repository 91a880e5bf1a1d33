"""What raters say about revisions, in words that claim no more than the intervals carry."""

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from arithmetic import intervals
from pages.numbers import grouped
from pages.verdicts import Effect, Verdict, effect_of
from training.revisions.selectors import FEWEST_PAIRS, Part, Preferred

_CHANCE = 0.5
POINTS = 0.1
"""The distance from one half that a sentence asks data for."""


@dataclass(frozen=True)
class Row:
    """A principle, as the run's page shows it."""

    label: str
    n_pairs: int
    share: str
    conclusion: str


@dataclass(frozen=True)
class Shown:
    """`campaign`: the id of that in which raters compare."""

    verdict: Verdict
    rows: list[Row]
    campaign: int


def shown(found: Preferred) -> Shown:
    return Shown(verdict(found), rows(found), found.check.campaign_id)


def verdict(found: Preferred) -> Verdict:
    """Nothing is concluded before the raters have finished: whoever looks at growing votes sooner
    or later sees a lucky moment.
    """
    whole = found.whole
    if whole.figure.value is None:
        return Verdict(_asked(found))
    effect = _effect(whole) if not found.n_open else Effect.UNCLEAR
    end = _waits(found.n_open) if found.n_open else _conclusion(whole)
    return Verdict(f"{_preferred(whole)} {end}", _advice(effect), effect)


def rows(found: Preferred) -> list[Row]:
    return [_row(one.label, one.part, is_open=found.n_open > 0) for one in found.principles]


def _row(label: str, part: Part, *, is_open: bool) -> Row:
    if part.n_pairs < FEWEST_PAIRS:
        return Row(label, part.n_pairs, "–", _too_few(part))
    return Row(label, part.n_pairs, _share(part), "" if is_open else _conclusion(part))


def _asked(found: Preferred) -> str:
    words = ngettext(
        "Raters compare %(n)s revision with the answer before it, blind. Nobody has answered yet.",
        "Raters compare %(n)s revisions with the answers before them, blind. Nobody has answered"
        " yet.",
        found.check.n_asked,
    )
    return words % {"n": grouped(found.check.n_asked)}


def _preferred(part: Part) -> str:
    """“People preferred the revision in 61 % (47–74 %) of 54 pairs.”"""
    words = ngettext(
        "People preferred the revision in %(share)s of %(n)s pair.",
        "People preferred the revision in %(share)s of %(n)s pairs.",
        part.n_pairs,
    )
    if part.figure.n > part.n_pairs:
        words = gettext(
            "People preferred the revision in %(share)s of %(votes)s votes on %(n)s pairs."
        )
    return words % {
        "share": _share(part),
        "n": grouped(part.n_pairs),
        "votes": grouped(part.figure.n),
    }


def _share(part: Part) -> str:
    figure = part.figure
    if figure.value is None:
        return "–"
    value = gettext("%(n)s %%") % {"n": f"{100 * figure.value:.0f}"}
    if figure.low is None or figure.high is None:
        return value
    ends = {"low": f"{100 * figure.low:.0f}", "high": f"{100 * figure.high:.0f}"}
    return f"{value} ({gettext('%(low)s–%(high)s %%') % ends})"


def _waits(n: int) -> str:
    words = ngettext("%(n)s answer is still missing.", "%(n)s answers are still missing.", n)
    return words % {"n": grouped(n)}


def _conclusion(part: Part) -> str:
    effect = _effect(part)
    if effect == Effect.BETTER:
        return gettext("The revisions are better.")
    if effect == Effect.WORSE:
        return gettext("The answers before were better.")
    return _too_few(part)


def _too_few(part: Part) -> str:
    """How many pairs would tell; without an interval, from as many votes as there are."""
    figure = part.figure
    n, ends = max(part.n_pairs, 1), (figure.low, figure.high)
    low, high = ends if None not in ends else intervals.wilson(n / 2, n)
    assert low is not None
    assert high is not None
    enough = intervals.n_enough(n, (low, high), POINTS)
    if enough <= part.n_pairs:
        return gettext("Chance may explain the difference.")
    words = gettext("Too few to tell: about %(enough)s would show a preference of %(share)d %%.")
    return words % {"enough": grouped(enough), "share": round(100 * (_CHANCE + POINTS))}


def _effect(part: Part) -> Effect:
    return effect_of(part.figure.low, part.figure.high, bar=_CHANCE)


def _advice(effect: Effect) -> str:
    if effect == Effect.WORSE:
        return gettext("A model that learns from them learns to answer worse.")
    return ""
