"""What judges have done, as sentences."""

from decimal import ROUND_UP, Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic.figures import Figure
from labeling.quality.pages import figure_text
from labeling.queue.spending import money
from training.judges.selectors import Agreement, Estimate, Progress
from training.models import Judge, Verdict

_SHOWN = Decimal("0.01")
"""Of a minor unit: a request often costs less than a cent."""


def amount(trillionths: int, currency: str) -> str:
    """Rounded up, so that nothing is shown as cheaper than it was."""
    minor = money.to_minor(Decimal(trillionths).scaleb(-12), currency)
    return money.words(minor.quantize(_SHOWN, rounding=ROUND_UP), currency)


def progress(done: Progress, judge: Judge) -> str:
    """“It judged 120 of 200 pairs; …”"""
    values = {
        "n": number_format(done.n_judged, force_grouping=True),
        "of": number_format(done.n_pairs, force_grouping=True),
    }
    parts = [
        ngettext("It judged %(n)s of %(of)s pair", "It judged %(n)s of %(of)s pairs", done.n_pairs)
        % values
    ]
    if done.n_undecided:
        parts.append(
            _("undecided in %(n)s, where its choice changed with the order")
            % {"n": number_format(done.n_undecided, force_grouping=True)}
        )
    if done.n_without:
        parts.append(
            ngettext(
                "%(n)s pair has no answer that can be read",
                "%(n)s pairs have no answer that can be read",
                done.n_without,
            )
            % {"n": number_format(done.n_without, force_grouping=True)}
        )
    parts.append(_("cost %(amount)s") % {"amount": amount(done.cost, judge.currency)})
    return "; ".join(parts) + "."


def waiting(done: Progress) -> str:
    """For a judge whose server is away."""
    if not done.n_waiting:
        return ""
    return ngettext(
        "%(n)s pair waits for it; raters get that pair as before.",
        "%(n)s pairs wait for it; raters get those pairs as before.",
        done.n_waiting,
    ) % {"n": number_format(done.n_waiting, force_grouping=True)}


def agreement(found: Agreement) -> str:
    """With people, beside people among themselves where both can be told."""
    with_people, among = found.with_people, found.among_people
    if with_people.low is None:
        return _("Agreement with people: too few votes on the same pairs to tell.")
    sentence = _("Agreement with people, where both decided: %(share)s.") % {
        "share": _share(with_people)
    }
    if among.low is None:
        return sentence
    both = _("On the same pairs, people agreed with each other in %(share)s.")
    return f"{sentence} {both % {'share': _share(among)}}"


def estimate(left: Estimate, judge: Judge) -> str:
    """Before anything is asked: how much it is, and what it may cost."""
    if not left.n_pairs:
        return _("Every pair has been asked.")
    return ngettext(
        "Still to ask: %(n)s pair in 2 orders, about %(tokens)s tokens each: about %(amount)s.",
        "Still to ask: %(n)s pairs in 2 orders, about %(tokens)s tokens each: about %(amount)s.",
        left.n_pairs,
    ) % {
        "n": number_format(left.n_pairs, force_grouping=True),
        "tokens": number_format(left.tokens, force_grouping=True),
        "amount": amount(left.price, judge.currency),
    }


def up_to_date(*, has_trust: bool) -> str:
    """Of a judge that is running and has nothing to ask."""
    sentence = _("Up to date: no pair waits for it, and it costs nothing meanwhile.")
    if not has_trust:
        return sentence
    return f"{sentence} {_('Looks and audits go on with new answers of people.')}"


def without_answer(state: str, reason: str) -> str:
    """“not readable: both choices”"""
    words = str(Verdict.State(state).label)
    return f"{words}: {Verdict.Reason(reason).label}" if reason else words


def _share(figure: Figure) -> str:
    return " ".join(filter(None, (figure_text.in_words(figure), figure_text.about(figure))))
