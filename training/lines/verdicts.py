"""What a line comes to: whether raters prefer its model to the first one, and where the newest
chain is. Pure but for addresses.
"""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic.figures import Figure
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of
from training.configs.sample import SampleConfig
from training.lines import words as line_words
from training.lines.selectors import Attempt, Fate, Line
from training.models import Chain

_EVEN = 0.5


def of_line(line: Line) -> Verdict:
    newest, subject = line.newest, line.subject
    if not line.makes_models:
        return Verdict(gettext("This schedule trains no language model, so it has no line."))
    if newest is None:
        return Verdict(gettext("No chain has run yet, so there is no model to compare."))
    rate = line_words.among_all(line)
    effect = Effect.UNCLEAR if rate is None else effect_of(rate.low, rate.high, bar=_EVEN)
    said = _of_promoted(line, rate, effect) if line.promoted else _of_newest(line, rate, effect)
    if subject is not newest or newest.fate in (Fate.UNDECIDED, Fate.ASKED, Fate.WAITS):
        said = f"{said} {_LAST.get(newest.fate, '')}"
    return Verdict(said.strip(), _advice(line, rate), effect).with_actions(_actions(line))


def _of_promoted(line: Line, rate: Figure | None, effect: Effect) -> str:
    values = _values(line, rate)
    if rate is not None and effect == Effect.BETTER:
        words = gettext(
            "“%(model)s” is preferred to the first model in %(rate)s of %(n)s votes (%(range)s)."
        )
        return words % values
    is_current = line.subject is not None and line.subject.model == line.current
    opening = (
        gettext("“%(model)s” is the current model.")
        if is_current
        else gettext("“%(model)s” was promoted last, and can no longer be trained from.")
    )
    if rate is None:
        words = gettext("Nobody has compared it with the first, “%(first)s”.")
    elif effect == Effect.WORSE:
        words = gettext(
            "Raters prefer the first to it: it won %(rate)s of %(n)s votes (%(range)s)."
        )
    else:
        words = gettext(
            "Raters preferred it to the first in %(rate)s of %(n)s votes (%(range)s): %(doubt)s."
        )
    return f"{opening} {words}" % values


def _of_newest(line: Line, rate: Figure | None, effect: Effect) -> str:
    """While nothing is promoted."""
    none = gettext("No model has been promoted yet.")
    if line.subject is None:
        return none
    if rate is None:
        words = gettext("Nobody has compared “%(model)s” with the first, “%(first)s”.")
    elif effect == Effect.BETTER:
        words = gettext(
            "Raters prefer the newest, “%(model)s”, to the first in %(rate)s of %(n)s votes"
            " (%(range)s)."
        )
    elif effect == Effect.WORSE:
        words = gettext(
            "Raters prefer the first to the newest, “%(model)s”, which won %(rate)s of %(n)s votes"
            " (%(range)s)."
        )
    else:
        words = gettext(
            "Raters preferred the newest, “%(model)s”, to the first in %(rate)s of %(n)s votes"
            " (%(range)s): %(doubt)s."
        )
    return f"{none} {words % _values(line, rate)}"


def _values(line: Line, rate: Figure | None) -> dict[str, object]:
    subject = line.subject
    values: dict[str, object] = {
        "model": subject.model if subject else "",
        "first": line.first or "",
    }
    if rate is None:
        return values
    has_interval = rate.low is not None
    return values | {
        "rate": line_words.percent(rate.value),
        "n": grouped(rate.n),
        "range": line_words.interval(rate),
        "doubt": (
            gettext("chance may explain the difference")
            if has_interval
            else gettext("too few prompts to tell")
        ),
    }


_LAST: dict[Fate, Promise] = {
    Fate.UNDECIDED: _("The last chain is undecided."),
    Fate.REFUSED: _("The last chain's model was not promoted."),
    Fate.WAITS: _("The last chain needs a decision."),
    Fate.ASKED: _("Raters are comparing the last chain's model."),
    Fate.GOING: _("The last chain is running."),
    Fate.FAILED: _("The last chain has failed."),
    Fate.STOPPED: _("The last chain was stopped."),
}


def _advice(line: Line, rate: Figure | None) -> str:
    if rate is None or rate.low is None or line.n_compared < 2:
        return ""
    return gettext(
        "Raters have compared several models with the first. This interval holds for all of them"
        " together, so it is wider than the one in the picture."
    )


def _actions(line: Line) -> list[Action]:
    """Where a person is needed comes first; then the comparison that is missing."""
    newest, subject = line.newest, line.subject
    assert newest is not None
    chain = newest.chain
    page = reverse("chain", args=[chain.pk])
    if chain.state in (Chain.State.APPROVAL, Chain.State.FAILED):
        return [Action(gettext("Go to chain %(n)s") % {"n": chain.number}, page)]
    if chain.state == Chain.State.GOING:
        return [Action(gettext("See chain %(n)s") % {"n": chain.number}, page)]
    if subject is not None and (url := _comparison(line, subject)):
        return [Action(gettext("Sample the first model to have it compared"), url)]
    fire = reverse("schedule_fire", args=[line.schedule.pk])
    return [Action(gettext("Run the next chain"), fire, is_act=True)]


def _comparison(line: Line, subject: Attempt) -> str:
    """The form of a run in which the first model answers the prompts that this one has answered."""
    first = line.first
    is_missing = subject.against_first is None and subject.held_out is not None
    if not is_missing or first is None or first.freed_at is not None or subject.model == first:
        return ""
    query = urlencode({"base_model": first.pk, "snapshot": subject.held_out})
    return f"{reverse('run_new', args=[SampleConfig.kind])}?{query}"
