"""A campaign's quality at a glance: what it comes to, four figures at most, what is unusual, and
its raters. Agreement, bias and gold items have a page each below it.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from labeling import access as labeling_access
from labeling.models import Campaign, QualityReport, RaterStanding
from labeling.quality import selectors as quality_selectors
from labeling.quality.pages import (
    figure_text,
    meanings,
    rating_words,
    taste_words,
    verdicts_by_kind,
)
from labeling.quality.pages import words as pages_words
from labeling.quality.pages.words import Measure
from labeling.queue.gold import selectors as gold_selectors
from labeling.votes.arrays import as_figure
from pages import list_pages
from pages.verdicts import effect_of

RATERS_PER_PAGE = 50
DISPUTED = 5
"""so many of the most disputed items are listed"""
NEUTRAL = 0.5


@dataclass(frozen=True)
class Unusual:
    """A line on something to look at, and where."""

    sentence: str
    label: str
    url: str


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    fresh = quality_selectors.freshness(campaign=campaign)
    context: dict[str, object] = {
        "campaign": campaign,
        "report": report,
        "tab": "quality",
        "part": "summary",
        "fresh": fresh,
        "spared": pages_words.spared(campaign, fresh.n_spared),
    }
    if report is not None:
        raters = quality_selectors.rater_measures(report=report)
        context |= {
            "verdict": verdicts_by_kind.of_votes(campaign, report, raters),
            "figures": with_pages(campaign, report),
            "flagged": [row for row in raters if row.flags],
            "tastes": taste_words.groups(raters),
            "taste_meaning": taste_words.meaning(),
            "unsure": [row for row in raters if row.unsure],
            "unsure_meaning": taste_words.unsure_meaning(),
            "unusual": _unusual(campaign, report),
            "disputed": quality_selectors.split_items(report=report)[:DISPUTED],
            "is_rated_only": rating_words.is_rated_only(report),
            "has_repeats": any(row.with_oneself.n for row in raters),
            "page": list_pages.shown(request, raters, size=RATERS_PER_PAGE),
        }
    return render(request, "labeling/quality/summary/campaign_quality.html", context)


def with_pages(campaign: Campaign, report: QualityReport) -> list[tuple[Measure, str]]:
    """The first figures, each with the address of its page."""
    pages = {
        name: reverse(name, args=[campaign.pk]) for name in ("campaign_agreement", "campaign_bias")
    }
    return [
        (measure, pages["campaign_bias" if measure.row else "campaign_agreement"])
        for measure in first_figures(campaign, report)
    ]


def first_figures(campaign: Campaign, report: QualityReport) -> list[Measure]:
    """Four at most, and none that the kind of campaign can never have. Those of the bias page have
    the `row` of their judgments.
    """
    if rating_words.is_rated_only(report):
        return rating_words.first_figures(report)
    agreement = _agreement(report) if campaign.about.shares_items else []
    return agreement + _habits(report)


def _agreement(report: QualityReport) -> list[Measure]:
    measured = report.results["agreement"]
    raw, alpha = as_figure(measured["raw_half"]), as_figure(measured["alpha_ordinal"])
    return [
        pages_words.as_share(_("Agreement (ties count ½)"), raw, _("pairs of votes"), ""),
        pages_words.as_coefficient(
            _("Krippendorff α, ordinal"), alpha, "", _("0.2–0.5 is typical")
        ),
    ]


def _habits(report: QualityReport) -> list[Measure]:
    habits = report.results["habits"]
    if not habits:
        return []
    first, longer = as_figure(habits["first"]), as_figure(habits["longer"])
    meaning = meanings.longer_meaning(longer)
    return [
        pages_words.as_share(_("Position bias"), first, "", _("50 % is neutral"), row="first"),
        pages_words.as_share(_("Length bias"), longer, "", meaning, row="longer"),
    ]


def _unusual(campaign: Campaign, report: QualityReport) -> list[Unusual]:
    lines = [_position(campaign, report)]
    if campaign.about.compares_stored:
        lines += [_suspect_golds(campaign), _paused(campaign)]
    return [line for line in lines if line]


def _position(campaign: Campaign, report: QualityReport) -> Unusual | None:
    """Sides are drawn, so one half is the only share that chance explains. Longer responses may be
    better ones, so that no share of theirs is unusual by itself.
    """
    if rating_words.is_rated_only(report) or not report.results["habits"]:
        return None
    first = as_figure(report.results["habits"]["first"])
    if not effect_of(first.low, first.high, bar=NEUTRAL):
        return None
    words = (
        _("The response shown first wins more often than others: %(share)s (%(interval)s).")
        if (first.value or 0.0) > NEUTRAL
        else _("The response shown first wins less often than others: %(share)s (%(interval)s).")
    )
    sentence = words % {
        "share": figure_text.share(first),
        "interval": figure_text.share_interval(first),
    }
    url = reverse("campaign_bias", args=[campaign.pk])
    return Unusual(sentence, _("See the bias"), url)


def _suspect_golds(campaign: Campaign) -> Unusual | None:
    n = gold_selectors.n_suspect(campaign=campaign)
    if not n:
        return None
    sentence = ngettext(
        "%(n)d gold item is failed by almost everyone: its ranking is probably wrong.",
        "%(n)d gold items are failed by almost everyone: their rankings are probably wrong.",
        n,
    ) % {"n": n}
    return Unusual(sentence, _("Check gold items"), reverse("campaign_gold", args=[campaign.pk]))


def _paused(campaign: Campaign) -> Unusual | None:
    paused = RaterStanding.objects.filter(campaign=campaign, paused_at__isnull=False)
    n = paused.filter(rater__withdrawn_at=None).count()
    if not n:
        return None
    sentence = ngettext(
        "%(n)d rater is paused and gets no items here.",
        "%(n)d raters are paused and get no items here.",
        n,
    ) % {"n": n}
    return Unusual(sentence, _("See who"), reverse("campaign_gold", args=[campaign.pk]))
