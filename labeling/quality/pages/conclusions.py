"""What a campaign of comparisons comes to: a sentence that its intervals carry, and what to do."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.models import Campaign, QualityReport
from labeling.quality.pages.figure_text import coefficient, coefficient_interval, share
from labeling.quality.selectors import RaterMeasures
from labeling.votes.arrays import as_figure
from pages.numbers import grouped
from pages.verdicts import Action, Verdict, effect_of

BARELY, FAIR, GOOD = 0.2, 0.5, 0.8
"""Bounds of α in the sentences on what it means."""


def of_comparisons(
    campaign: Campaign, report: QualityReport, raters: Sequence[RaterMeasures]
) -> Verdict:
    """Of a campaign whose answers are rankings."""
    measured = report.results["agreement"]
    alpha, raw = as_figure(measured["alpha_ordinal"]), as_figure(measured["raw_half"])
    flagged = [rater for rater in raters if rater.flags]
    sentence = " ".join(filter(None, (_agreement(alpha, raw), to_check(flagged, len(raters)))))
    verdict = Verdict(sentence, _advice(alpha, flagged), effect_of(alpha.low, alpha.high))
    return verdict.with_actions([_action(campaign, alpha, flagged)])


def _agreement(alpha: Figure, raw: Figure) -> str:
    if not raw.n:
        return _(
            "No pair of responses was judged by two raters, so nothing says how far they agree."
        )
    values = {"n": grouped(raw.n), "share": share(raw), "alpha": in_short(alpha)}
    if alpha.low is None:
        return (
            ngettext(
                "Too few to tell how far raters agree: two judged the same pair %(n)s time.",
                "Too few to tell how far raters agree: two judged the same pair %(n)s times.",
                raw.n,
            )
            % values
        )
    if is_undecided(alpha):
        enough = intervals.n_enough(raw.n, (alpha.low, alpha.high or alpha.low), BARELY)
        return _(
            "Too few to tell whether raters agree beyond chance: they agree on %(share)s of %(n)s"
            " pairs of votes (α %(alpha)s). About %(enough)s would tell."
        ) % (values | {"enough": grouped(enough)})
    return _("%(verdict)s: on %(share)s of %(n)s pairs of votes (α %(alpha)s).") % (
        values | {"verdict": capfirst(agreement_in_words(alpha))}
    )


def is_undecided(alpha: Figure) -> bool:
    """Whether chance and fair agreement are both within the interval."""
    return (alpha.low or 0.0) <= 0 and (alpha.high or 0.0) >= BARELY


def _advice(alpha: Figure, flagged: Sequence[RaterMeasures]) -> str:
    if alpha.low is None or is_undecided(alpha):
        return _("Have more items answered by two raters at least.")
    if (alpha.high or 0.0) < BARELY and flagged:
        return _("See whether these raters are the reason before you change the guideline.")
    if (alpha.high or 0.0) < BARELY:
        return _("Make the guideline clearer before you collect more answers.")
    return ""


def _action(campaign: Campaign, alpha: Figure, flagged: Sequence[RaterMeasures]) -> Action:
    """Answers are offered as data only if raters agree beyond chance and nobody needs a check."""
    if flagged:
        return check_rater(campaign, flagged)
    if alpha.low is None or is_undecided(alpha):
        return Action(_("See the items"), reverse("campaign_items", args=[campaign.pk]))
    if (alpha.high or 0.0) < BARELY:
        return read_disputed(campaign)
    return Action(_("Export the answers"), reverse("export", args=[campaign.pk]))


def read_disputed(campaign: Campaign) -> Action:
    at = f"{reverse('campaign_quality', args=[campaign.pk])}#disputed"
    return Action(_("Read the disputed items"), at)


def check_rater(campaign: Campaign, flagged: Sequence[RaterMeasures]) -> Action:
    at = f"{reverse('campaign_quality', args=[campaign.pk])}#look"
    return Action(_("Read answers of %(rater)s") % {"rater": flagged[0].alias}, at)


def in_short(alpha: Figure) -> str:
    return f"{coefficient(alpha)}, {coefficient_interval(alpha)}"


def agreement_in_words(alpha: Figure) -> str:
    """What the whole interval allows to say."""
    low, high = alpha.low or 0.0, alpha.high or 0.0
    if high < 0:
        return _("raters contradict each other")
    if low <= 0:
        return _("agreement can't be told from chance")
    if high < BARELY:
        return _("raters hardly agree beyond chance")
    if low >= GOOD:
        return _("raters give nearly the same ratings")
    if low >= FAIR:
        return _("raters agree well")
    if low >= BARELY:
        return _("raters agree fairly")
    return _("raters agree beyond chance")


def to_check(flagged: Sequence[RaterMeasures], n_raters: int) -> str:
    if not flagged:
        return ""
    return ngettext(
        "%(n)d of %(all)d rater needs a check.",
        "%(n)d of %(all)d raters need a check.",
        n_raters,
    ) % {"n": len(flagged), "all": n_raters}
