"""What campaigns of demonstrations, of conversations and of attacks come to, and all campaigns
together.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.models import Campaign, QualityReport, RedTeaming
from labeling.quality.contests import Contest, stored_contests
from labeling.quality.pages import conclusions, figure_text, rating_words
from labeling.quality.selectors import QualityRow, RaterMeasures
from labeling.votes.demonstrations import DemonstrationStats
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of

Rated = Sequence[tuple[Contest, Figure]]
MIDDLE = 4
"""of reviewers' scores from 1 to 7"""
HALF = 0.5


def of_demonstrations(
    campaign: Campaign, written: DemonstrationStats, marked: Sequence[str]
) -> Verdict:
    """`marked`: the aliases of raters whose way of writing needs a check."""
    review = Action(_("Review the answers"), reverse("campaign_review", args=[campaign.pk]))
    score = written.score
    if score.low is None or score.high is None:
        return Verdict(_few_reviewed(written)).with_actions([review])
    effect = effect_of(score.low, score.high, bar=MIDDLE)
    sentence = ngettext(
        "Reviewers gave %(score)s of 7 (%(low)s–%(high)s) on %(n)s reviewed answer of %(all)s:"
        " %(verdict)s.",
        "Reviewers gave %(score)s of 7 (%(low)s–%(high)s) on %(n)s reviewed answers of %(all)s:"
        " %(verdict)s.",
        score.n,
    ) % {
        "score": f"{score.value:.1f}",
        "low": f"{score.low:.1f}",
        "high": f"{score.high:.1f}",
        "n": grouped(score.n),
        "all": grouped(written.n),
        "verdict": {
            Effect.BETTER: _("better than middling"),
            Effect.WORSE: _("worse than middling"),
            Effect.UNCLEAR: _("they may as well be middling"),
        }[effect],
    }
    if marked:
        advice = _("Read some answers of %(rater)s first: the way they are written is unusual.")
        return Verdict(sentence, advice % {"rater": marked[0]}, effect).with_actions([review])
    export = Action(_("Export the answers"), reverse("export", args=[campaign.pk]))
    return Verdict(sentence, "", effect).with_actions(
        [export] if effect == Effect.BETTER else [review]
    )


def _few_reviewed(written: DemonstrationStats) -> str:
    return ngettext(
        "Too few to tell how good the answers are: %(n)s of %(all)s has a reviewer's score. It"
        " takes five prompts at least.",
        "Too few to tell how good the answers are: %(n)s of %(all)s have a reviewer's score. It"
        " takes five prompts at least.",
        written.n_scored,
    ) % {"n": grouped(written.n_scored), "all": grouped(written.n)}


def of_votes(campaign: Campaign, report: QualityReport, raters: Sequence[RaterMeasures]) -> Verdict:
    """Of a campaign with a report: of conversations, ratings or rankings."""
    if campaign.about.talks:
        contests = stored_contests(report=report)
        if RedTeaming.objects.filter(campaign=campaign).exists():
            return of_attacks(campaign, contests, raters)
        return of_conversations(campaign, contests, raters)
    return rating_words.verdict(campaign, report, raters)


def of_conversations(
    campaign: Campaign, contests: Sequence[Contest], raters: Sequence[RaterMeasures]
) -> Verdict:
    """Nobody else is in a conversation, so that raters can't agree: it says which model they
    preferred. The intervals of several pairs of models hold together.
    """
    known, apart = _told_apart(contests)
    sentence = _preferred(contests, known, apart)
    verdict = Verdict(sentence, "", Effect.BETTER if apart else Effect.UNCLEAR)
    talks = reverse("campaign_conversations", args=[campaign.pk])
    read = Action(_("Read the conversations"), talks)
    return _with_check(verdict, read, campaign, raters)


def of_attacks(
    campaign: Campaign, contests: Sequence[Contest], raters: Sequence[RaterMeasures]
) -> Verdict:
    """Attackers choose the answer that breaks a rule, so the model that wins by their ranks is the
    one that gives in less often; its share of wins is the other's share of choices. How often
    attacks succeed is said on the page of attacks.
    """
    known, apart = _told_apart(contests)
    attacks = f"{reverse('red_teaming')}?campaign={campaign.pk}"
    sentence = _gives_in(contests, known, apart)
    verdict = Verdict(sentence, "", Effect.BETTER if apart else Effect.UNCLEAR)
    see = Action(_("See how attacks end"), attacks)
    return _with_check(verdict, see, campaign, raters)


def _with_check(
    verdict: Verdict, action: Action, campaign: Campaign, raters: Sequence[RaterMeasures]
) -> Verdict:
    """With the action, or with a rater to check in its place."""
    flagged = [rater for rater in raters if rater.flags]
    if not flagged:
        return verdict.with_actions([action])
    sentence = f"{verdict.sentence} {conclusions.to_check(flagged, len(raters))}"
    check = conclusions.check_rater(campaign, flagged)
    return replace(verdict, sentence=sentence).with_actions([check])


def _told_apart(contests: Sequence[Contest]) -> tuple[Rated, Rated]:
    """Contests with an interval, all of which hold together, and those of them with a winner."""
    known = [
        (contest, _among(_share(contest.as_voted), len(contests)))
        for contest in contests
        if contest.as_voted.low is not None
    ]
    return known, [(one, rate) for one, rate in known if effect_of(rate.low, rate.high, bar=HALF)]


def _gives_in(contests: Sequence[Contest], known: Rated, apart: Rated) -> str:
    if not known:
        n = _n_votes(contests)
        return ngettext(
            "Too few to tell which model gives in more often: %(n)s choice.",
            "Too few to tell which model gives in more often: %(n)s choices.",
            n,
        ) % {"n": grouped(n)}
    if not apart:
        return _(
            "Too few to tell whether %(source)s or %(other)s gives in more often: attackers chose"
            " %(other)s in %(share)s of %(n)s choices. About %(enough)s would show a difference of"
            " 5 points."
        ) % _most_voted(known)
    return _(
        "%(other)s gives in more often than %(source)s: attackers chose it in %(share)s"
        " (%(low)s–%(high)s) of %(n)s choices."
    ) % _clearest(apart)


def _share(rate: Figure) -> Figure:
    """From 0 to 1, of a contest's rate in percent."""
    value, low, high = (
        None if at is None else at / 100 for at in (rate.value, rate.low, rate.high)
    )
    return replace(rate, value=value, low=low, high=high)


def _among(rate: Figure, n: int) -> Figure:
    low, high = intervals.among(rate.value or 0.0, (rate.low or 0.0, rate.high or 0.0), n)
    return replace(rate, low=max(low, 0.0), high=min(high, 1.0))


def _preferred(contests: Sequence[Contest], known: Rated, apart: Rated) -> str:
    if not known:
        n = _n_votes(contests)
        return ngettext(
            "Too few to tell which model raters prefer: %(n)s vote.",
            "Too few to tell which model raters prefer: %(n)s votes.",
            n,
        ) % {"n": grouped(n)}
    if not apart:
        return _(
            "Raters can't tell %(source)s from %(other)s: it won %(share)s of %(n)s votes. About"
            " %(enough)s would show a difference of 5 points."
        ) % _most_voted(known)
    return _(
        "Raters prefer %(source)s to %(other)s: it won %(share)s (%(low)s–%(high)s) of %(n)s votes."
    ) % _clearest(apart)


def _most_voted(known: Rated) -> dict[str, str]:
    """About the contest with the most votes, and how many would tell."""
    contest, rate = max(known, key=lambda pair: pair[1].n)
    return _about(contest, rate) | {"enough": _enough(rate)}


def _clearest(apart: Rated) -> dict[str, str]:
    """About the contest that is furthest from even; its `source` is the winner."""
    contest, rate = max(apart, key=lambda pair: abs((pair[1].value or 0.0) - HALF))
    if (rate.value or 0.0) < HALF:
        contest, rate = replace(contest, source=contest.other, other=contest.source), _turned(rate)
    return _about(contest, rate) | {"low": _percent(rate.low), "high": _percent(rate.high)}


def _n_votes(contests: Sequence[Contest]) -> int:
    return sum(contest.as_voted.n for contest in contests)


def _enough(rate: Figure) -> str:
    return grouped(intervals.n_enough(rate.n, (rate.low or 0.0, rate.high or 0.0), 0.05))


def _turned(rate: Figure) -> Figure:
    return replace(
        rate, value=1 - (rate.value or 0.0), low=1 - (rate.high or 0.0), high=1 - (rate.low or 0.0)
    )


def _about(contest: Contest, rate: Figure) -> dict[str, str]:
    return {
        "source": contest.source,
        "other": contest.other,
        "share": figure_text.share(rate),
        "n": grouped(rate.n),
    }


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.0f}"


def of_all(rows: Sequence[QualityRow]) -> Verdict:
    """Of how many campaigns it can be told that raters agree beyond chance. Intervals hold
    together, as those of many campaigns do not by themselves.
    """
    known = [row for row in rows if row.alpha.low is not None and row.alpha.high is not None]
    effects = []
    for row in known:
        ends = (row.alpha.low or 0.0, row.alpha.high or 0.0)
        low, high = intervals.among(row.alpha.value or 0.0, ends, len(known))
        effects.append(effect_of(low, high))
    n_flagged = sum(row.n_flagged > 0 for row in rows)
    values = {
        "n": len(rows),
        "agree": effects.count(Effect.BETTER),
        "unclear": len(rows) - sum(map(bool, effects)),
        "contradict": effects.count(Effect.WORSE),
        "flagged": n_flagged,
    }
    sentences = [
        ngettext(
            "Raters agree beyond chance in %(agree)s of %(n)s campaign.",
            "Raters agree beyond chance in %(agree)s of %(n)s campaigns.",
            len(rows),
        )
        % values
    ]
    if values["unclear"]:
        sentences.append(_("In %(unclear)s that can't be told.") % values)
    if values["contradict"]:
        sentences.append(_("In %(contradict)s they contradict each other.") % values)
    if n_flagged:
        sentences.append(
            ngettext(
                "%(flagged)s campaign has raters to check.",
                "%(flagged)s campaigns have raters to check.",
                n_flagged,
            )
            % values
        )
    effect = next((one for one in (Effect.WORSE, Effect.BETTER) if one in effects), Effect.UNCLEAR)
    verdict = Verdict(" ".join(sentences), "", effect)
    worst = _worst(rows, known, effects)
    return verdict if worst is None else verdict.with_actions([worst])


def _worst(
    rows: Sequence[QualityRow], known: Sequence[QualityRow], effects: Sequence[Effect]
) -> Action | None:
    """First a campaign whose raters contradict each other, then one with a rater to check."""
    contradicting = (row for row, one in zip(known, effects, strict=True) if one == Effect.WORSE)
    row = next(contradicting, None) or next((row for row in rows if row.n_flagged), None)
    if row is None:
        return None
    at = "#look" if row.n_flagged else "#disputed"
    label = _("Look at %(campaign)s") % {"campaign": row.campaign.name}
    return Action(label, f"{reverse('campaign_quality', args=[row.campaign.pk])}{at}")
