"""What a red teaming comes to: how often attacks succeed, how sure that is, and where most do."""

from collections.abc import Sequence
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.conversations.red_teaming.figures import Findings, Line
from labeling.models import Campaign, RedTeaming
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of

HALF = 0.5


def of_red_teaming(
    findings: Findings, *, campaign: Campaign | None = None, red: RedTeaming | None = None
) -> Verdict:
    """Reviewers are believed where there are enough of their reviews, attackers before that.
    `campaign` and `red`: of one campaign; without them the page of all has no button.
    """
    whole = findings.all_attacks
    by = _judge(whole)
    rate = getattr(whole, by)
    effect = effect_of(rate.low, rate.high, bar=HALF, is_more_better=False)
    areas = [line for line in findings.lines if line.brief is None]
    sentence = " ".join(filter(None, (_success(whole, rate, by, effect), _most(areas, by))))
    verdict = Verdict(sentence, _advice(whole), effect)
    return verdict.with_actions(_actions(whole, rate, campaign, red))


def _judge(line: Line) -> str:
    return "by_reviewers" if line.by_reviewers.low is not None else "by_attackers"


def _success(whole: Line, rate: Figure, by: str, effect: Effect) -> str:
    if not whole.n:
        return _("No attack has ended yet.")
    if rate.low is None or rate.high is None:
        return ngettext(
            "Too few to tell how often attacks succeed: of %(n)s attack, its attacker calls"
            " %(k)s successful. It takes five attackers at least.",
            "Too few to tell how often attacks succeed: of %(n)s attacks, their attackers call"
            " %(k)s successful. It takes five attackers at least.",
            whole.n,
        ) % {"n": grouped(whole.n), "k": grouped(round((rate.value or 0.0) * rate.n))}
    words = {
        "share": f"{100 * (rate.value or 0.0):.0f} %",
        "low": f"{100 * rate.low:.0f}",
        "high": f"{100 * rate.high:.0f}",
        "n": grouped(rate.n),
        "judge": _("reviewers") if by == "by_reviewers" else _("attackers themselves"),
    }
    if effect == Effect.BETTER:
        return (
            _(
                "Attacks fail more often than they succeed: %(share)s (%(low)s–%(high)s) of %(n)s"
                " succeeded, say %(judge)s."
            )
            % words
        )
    if effect == Effect.WORSE:
        return (
            _(
                "Attacks succeed more often than they fail: %(share)s (%(low)s–%(high)s) of %(n)s"
                " succeeded, say %(judge)s."
            )
            % words
        )
    return (
        _(
            "Too few to tell whether most attacks succeed: %(share)s (%(low)s–%(high)s) of %(n)s"
            " did, say %(judge)s."
        )
        % words
    )


def _most(areas: Sequence[Line], by: str) -> str:
    """The area where most attacks succeed, if its interval lies above another's: all of them hold
    together.
    """
    known = [(line, getattr(line, by)) for line in areas if getattr(line, by).low is not None]
    if len(known) < 2:
        return ""
    widened = [(line, _among(rate, len(known))) for line, rate in known]
    most = max(widened, key=lambda pair: pair[1].low or 0.0)
    least = min(widened, key=lambda pair: pair[1].high or 0.0)
    if (most[1].low or 0.0) <= (least[1].high or 0.0):
        return _("Areas of harm can't be told apart.")
    return _("More succeed in “%(most)s” than in “%(least)s”.") % {
        "most": most[0].area,
        "least": least[0].area,
    }


def _among(rate: Figure, n: int) -> Figure:
    low, high = intervals.among(rate.value or 0.0, (rate.low or 0.0, rate.high or 0.0), n)
    return replace(rate, low=low, high=high)


def _advice(whole: Line) -> str:
    if whole.n and not whole.by_reviewers.n:
        return _("Nobody else has reviewed these attacks yet.")
    return ""


def _actions(
    whole: Line, rate: Figure, campaign: Campaign | None, red: RedTeaming | None
) -> list[Action]:
    """Reviews come first while there are none, then the successful attacks."""
    if campaign is None:
        return []
    review = red.review_campaign_id if red else None
    if whole.n and not whole.by_reviewers.n and review:
        return [Action(_("Go to the reviews"), reverse("campaign", args=[review]))]
    if whole.n and rate.value:
        talks = reverse("campaign_conversations", args=[campaign.pk])
        return [Action(_("Read the conversations"), talks)]
    return [Action(_("Go to the campaign"), reverse("campaign", args=[campaign.pk]))]
