"""The page “Which principles explain the votes?” of a campaign whose guideline has principles."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from arithmetic.figures import Figure
from labeling import access as labeling_access
from labeling.models import Campaign
from labeling.quality import selectors as quality_selectors
from labeling.quality.measures.principles import FEWEST_PAIRS
from labeling.quality.pages import figure_text
from labeling.quality.pages import words as pages_words
from labeling.votes.arrays import as_figure
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    found = report.results.get("principles") if report else None
    if report is None or not found:
        raise Http404
    people = as_figure(report.results["agreement"]["raw_out"])
    fresh = quality_selectors.freshness(campaign=campaign)
    context = {
        "campaign": campaign,
        "report": report,
        "tab": "quality",
        "part": "agreement",
        "fresh": fresh,
        "spared": pages_words.spared(campaign, fresh.n_spared),
        "found": found,
        "verdict": verdict_of(campaign, found, people),
        "rows": [_row(row) for row in found["rows"]],
    }
    return render(request, "labeling/quality/ratings/principles.html", context)


def verdict_of(campaign: Campaign, found: Mapping[str, Any], people: Figure) -> Verdict:
    """`people` is how often two raters agree on a pair, ties left out."""
    gain = as_figure(found["gain"]) if found["rows"] else None
    if gain is None or gain.low is None:
        return Verdict(_too_few(found["n_pairs"]))
    effect = effect_of(gain.low, gain.high)
    values = {
        "share": _share(as_figure(found["held_out"])),
        "base": figure_text.share(as_figure(found["base"])),
        "n": grouped(found["n_votes"]),
    }
    sentence = {
        Effect.BETTER: _(
            "The principles together explain %(share)s of %(n)s votes, on prompts that their"
            " weights were not fitted to. Always naming the side that wins more often explains"
            " %(base)s."
        ),
        Effect.WORSE: _(
            "The principles explain the votes worse than always naming the side that wins more"
            " often: %(share)s of %(n)s votes in place of %(base)s."
        ),
        Effect.UNCLEAR: _(
            "Nothing shows that the principles explain the votes: together %(share)s of %(n)s, and"
            " always naming the side that wins more often explains %(base)s."
        ),
    }[effect]
    advice = _("Two raters agree on %(share)s of pairs.") % {"share": _share(people)}
    url = reverse("campaign_bias_judgments", args=[campaign.pk, "unexplained"])
    verdict = Verdict(sentence % values, advice if people.n else "", effect)
    return verdict.with_actions([Action(_("Read votes that no principle explains"), url)])


def _too_few(n_pairs: int) -> str:
    return ngettext(
        "Too few to tell: %(n)s pair has a vote and ratings on the principles; %(enough)s pairs"
        " on several prompts are needed.",
        "Too few to tell: %(n)s pairs have a vote and ratings on the principles; %(enough)s pairs"
        " on several prompts are needed.",
        n_pairs,
    ) % {"n": grouped(n_pairs), "enough": FEWEST_PAIRS}


def _share(figure: Figure) -> str:
    share, interval = figure_text.share(figure), figure_text.share_interval(figure)
    about = " ".join(part for part in (interval, figure_text.about(figure)) if part)
    return f"{share} ({about})" if about else share


def _row(row: Mapping[str, Any]) -> dict[str, object]:
    if "agrees" not in row:
        return {"label": row["label"], "meaning": _("Never rates one response higher.")}
    agrees = as_figure(row["agrees"])
    meaning = {
        Effect.BETTER: _("Goes with the votes."),
        Effect.WORSE: _("Goes against the votes."),
        Effect.UNCLEAR: _("Chance may explain it."),
    }[effect_of(agrees.low, agrees.high, bar=0.5)]
    explains = as_figure(row["explains"])
    return {"label": row["label"], "agrees": agrees, "explains": explains, "meaning": meaning}
