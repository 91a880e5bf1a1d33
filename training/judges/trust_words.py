"""Trust in a judge as sentences: what the looks come to, and a row for each part."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import clustering
from labeling.quality.pages import figure_text
from pages.verdicts import Verdict
from training.judges import sparing
from training.judges.trust import Slice
from training.models import TrustLook, TrustRule
from training.verdicts import look_names, standing

FEWEST = 30
"""With fewer pairs, no agreement is shown."""


@dataclass(frozen=True)
class Row:
    name: str
    pairs: str
    agreement: str
    stands: str
    looks: list[tuple[int, str]]
    """(id, what it found)"""
    next_look: str
    audits: str


@dataclass(frozen=True)
class Sparing:
    """What raters are spared, or could be."""

    sentence: str
    why_not: str
    """why it cannot be turned on; empty if it can"""
    of_people: list[tuple[str, int]]
    """(why raters get them, pairs)"""


def verdict(rule: TrustRule | None, slices: list[Slice]) -> Verdict:
    """For a judge that was started. The one place that says whether it is trusted."""
    if rule is None:
        return Verdict(
            _("It is trusted with nothing: people answer every pair."),
            _("Looks compare it with people on pairs that were drawn at random when it started."),
        )
    if not rule.is_on:
        return Verdict(_("Trust is off: people answer every pair."))
    if not standing.is_in_force(rule=rule):
        return Verdict(
            _("It is trusted with nothing: the guideline has changed since it was added."),
            _("Add another judge: it is asked by the new guideline."),
        )
    looked_at = [part for part in slices if part.name in rule.slices]
    n = len(looked_at)
    revoked = [part for part in looked_at if part.revoked]
    trusted = [part for part in looked_at if part.granted]
    if trusted:
        sentence = ngettext(
            "It is trusted in %(k)s of %(n)s part: people agree with what stands in at least"
            " %(target)s %% of pairs.",
            "It is trusted in %(k)s of %(n)s parts: people agree with what stands in at least"
            " %(target)s %% of pairs.",
            n,
        )
    elif revoked:
        sentence = _(
            "It is trusted with nothing: audits showed that people agree with it in less than"
            " %(target)s %% of pairs."
        )
    elif all(part.next_look is None for part in looked_at):
        sentence = _(
            "It is trusted with nothing: no look showed that people agree with it in"
            " %(target)s %% of pairs."
        )
    else:
        sentence = _(
            "Not trusted yet: no look has shown that people agree with it in %(target)s %% of"
            " pairs."
        )
    return Verdict(
        sentence % {"k": len(trusted), "n": n, "target": _percent(rule.target)},
        _advice(looked_at, revoked),
    )


def row(rule: TrustRule, part: Slice) -> Row:
    is_looked_at = part.name in rule.slices
    granted = part.granted
    audited = standing.audits_of(rule=rule, look=granted, name=part.name) if granted else []
    return Row(
        name=look_names.slice_name(rule.split, part.name),
        pairs=_("%(n)s of %(of)s drawn")
        % {"n": number_format(len(part.pairs)), "of": number_format(part.n_drawn)},
        agreement=_agreement(part),
        stands=_stands(part),
        looks=[(look.pk, _look(look)) for look in part.looks],
        next_look=_next_look(part) if is_looked_at else _("too few pairs for a look"),
        audits=_("people agreed in %(k)s of %(n)s")
        % {"k": sum(bool(pair.agrees) for pair in audited), "n": len(audited)}
        if audited
        else "–",
    )


def sparing_of(rule: TrustRule) -> Sparing:
    """Where the pairs go is counted only if a part is trusted, or was and raters are spared some
    still.
    """
    why_not = "" if sparing.is_possible(rule=rule) else _("It is trusted with nothing.")
    if why_not and not rule.spares_people:
        return Sparing(_("Raters get every pair."), why_not, [])
    found = sparing.division(rule=rule)
    if rule.spares_people:
        sentence = ngettext(
            "Raters are spared %(n)s of %(of)s pair now.",
            "Raters are spared %(n)s of %(of)s pairs now.",
            found.n_pairs,
        )
    else:
        sentence = ngettext(
            "Raters get every pair. They could be spared %(n)s of %(of)s pair.",
            "Raters get every pair. They could be spared %(n)s of %(of)s pairs.",
            found.n_pairs,
        )
    n = found.n_spared if rule.spares_people else found.n_standing
    numbers = {"n": number_format(n), "of": number_format(found.n_pairs)}
    reasons = {
        sparing.CALIBRATION: _("Calibration pairs"),
        sparing.AUDIT: _("Audits"),
        sparing.UNDECIDED: _("Undecided: its choice changed with the order"),
        sparing.TIE: _("A tie for the judge"),
        sparing.BELOW: _("Not sure enough, or in a part without trust"),
        sparing.WITHOUT: _("Without an answer of the judge"),
        sparing.NOT_ASKED: _("The judge has not answered yet"),
        sparing.ANSWERED: _("A person had answered before"),
    }
    rows = [(words, found.of_people[key]) for key, words in reasons.items()]
    return Sparing(sentence % numbers, why_not, [(words, n) for words, n in rows if n])


def _advice(looked_at: list[Slice], revoked: list[Slice]) -> str:
    if revoked:
        return _("Add another judge for a new trial: its calibration pairs are drawn anew.")
    waiting = sum(part.n_waiting for part in looked_at if part.next_look is not None)
    if waiting:
        return ngettext(
            "%(n)s calibration pair waits for a first answer of people; raters get it next.",
            "%(n)s calibration pairs wait for a first answer of people; raters get them next.",
            waiting,
        ) % {"n": number_format(waiting)}
    return ""


def _agreement(part: Slice) -> str:
    if len(part.pairs) < FEWEST:
        return _("fewer than 30 pairs")
    figure = clustering.share(
        [bool(pair.agrees) for pair in part.pairs], prompts=[pair.prompt for pair in part.pairs]
    )
    return figure_text.in_words(figure)


def _stands(part: Slice) -> str:
    if part.revoked:
        return _("nothing: taken back")
    look = part.granted
    if look is None or look.threshold is None:
        return _("nothing")
    if look.threshold == 0:
        return _("all that it decides")
    above = sum(pair.confidence >= look.threshold for pair in part.pairs)
    return _("from a confidence of %(threshold)s on: %(share)s %% of what it decides") % {
        "threshold": number_format(look.threshold, 3),
        "share": round(100 * above / max(1, len(part.pairs))),
    }


def _look(look: TrustLook) -> str:
    values = {
        "look": look_names.look_name(look, TrustRule.Split.NONE),  # the row says of which part
        "n": look.n_pairs,
        "outcome": look.get_outcome_display(),
        "bound": _percent(look.bound or 0.0),
    }
    if look.outcome == TrustLook.Outcome.REVOKED:
        return _("after %(n)s audits: taken back") % {"n": look.n}
    return _("%(look)s, at %(n)s: %(outcome)s, at least %(bound)s %%") % values


def _next_look(part: Slice) -> str:
    if part.revoked or part.next_look is None:
        return _("none")
    if part.granted and part.granted.threshold == 0:
        return _("none is needed")
    return _("%(n)s pairs") % {"n": part.next_look}


def _percent(share: float) -> str:
    value = round(100 * share, 1)  # number_format cuts off
    return number_format(value, 0 if value.is_integer() else 1)
