"""What a curation's preview comes to: how much goes, by which rule most, and whether that rule is
known to be right.
"""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of
from training.snapshots.curation.ledger import Summary
from training.snapshots.curation.ratings import MeasuredRule, Rate, can_be_rated
from training.snapshots.curation.rule_words import rule_words

HALF = 0.5


def of_preview(summary: Summary, measured: Sequence[MeasuredRule], *, curation_id: int) -> Verdict:
    """`measured`: what raters have said of the recipe's rules, the newest first. Asks for raters
    where a rule that they can judge removes most, and nobody knows whether it should.
    """
    counted = [(name, counts.removed) for name, counts in summary.rules if counts.removed]
    if not counted:
        words = ngettext(
            "Would remove none of %(n)s document.",
            "Would remove none of %(n)s documents.",
            summary.read,
        )
        return Verdict(words % {"n": grouped(summary.read)})
    rule, n_by_rule = max(counted, key=lambda pair: pair[1])
    sentence = ngettext(
        "Would remove %(removed)s of %(n)s document, most by “%(rule)s” (%(by_rule)s).",
        "Would remove %(removed)s of %(n)s documents, most by “%(rule)s” (%(by_rule)s).",
        summary.read,
    ) % {
        "removed": grouped(summary.removed),
        "n": grouped(summary.read),
        "rule": rule_words(rule),
        "by_rule": grouped(n_by_rule),
    }
    if not can_be_rated(rule):
        return Verdict(sentence)
    rate = next((row.precision for row in measured if row.sample.rule == rule), Rate(0, None))
    effect = effect_of(rate.low, rate.high, bar=HALF)
    verdict = Verdict(f"{sentence} {_precision(rate, effect)}", _advice(effect), effect)
    if effect == Effect.BETTER:
        return verdict
    ask = f"{reverse('curation_rate', args=[curation_id])}?rule={rule}"
    recipe = reverse("curation_recipe", args=[summary.recipe])
    return verdict.with_actions(
        [Action(_("Show recipe"), recipe)]
        if effect == Effect.WORSE
        else [Action(_("Let raters judge this rule"), ask)]
    )


def _precision(rate: Rate, effect: Effect) -> str:
    if rate.share is None:
        return _("Nobody has judged whether this rule is right.")
    words = {
        "share": f"{100 * rate.share:.0f} %",
        "low": f"{100 * rate.low:.0f}",
        "high": f"{100 * rate.high:.0f}",
        "n": grouped(rate.n),
    }
    if effect == Effect.BETTER:
        return (
            _("Raters agree with it: %(share)s (%(low)s–%(high)s) of %(n)s judged should go.")
            % words
        )
    if effect == Effect.WORSE:
        return (
            _("Raters disagree with it: %(share)s (%(low)s–%(high)s) of %(n)s judged should go.")
            % words
        )
    return (
        _(
            "Too few labels to tell whether it is right: %(share)s (%(low)s–%(high)s) of %(n)s"
            " judged should go."
        )
        % words
    )


def _advice(effect: Effect) -> str:
    if effect == Effect.WORSE:
        return _("Change the recipe, or restore documents, before you create a snapshot.")
    if effect == Effect.UNCLEAR:
        return _("Check the rule before you rely on it.")
    return ""
