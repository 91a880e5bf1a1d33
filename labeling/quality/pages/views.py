"""Pages of quality: how far raters agree, what choices depend on, and one rater. They read only the
stored report.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from arithmetic.bias.wording import BOOSTERS, HEDGES
from arithmetic.clustering import TOO_FEW
from arithmetic.figures import Figure
from labeling import access as labeling_access
from labeling.models import Campaign, Prompt, QualityReport, Rater
from labeling.quality import selectors as quality_selectors
from labeling.quality.onboarding_scores import FEWEST_IN_A_CELL, attempts_by
from labeling.quality.pages import bias_words, kappa_words, rating_words, taste_words
from labeling.quality.pages import verdicts_by_kind as verdicts
from labeling.quality.pages import words as pages_words
from labeling.quality.services import QUALITY
from labeling.votes.arrays import as_figure
from pages import interval_chart, list_pages

JUDGMENTS_PER_PAGE = 50
PAIRS_PER_PAGE = 25
PARTS = {"agreement": "campaign_agreement", "bias": "campaign_bias"}
"""Tabs of a campaign's quality besides the first, with the names of their addresses."""
RATINGS = "labeling/quality/ratings/quality_ratings.html"
LEVELS = 9
"""Colours of the heat map, from 50 % up; everything below 50 % gets the first."""


@dataclass(frozen=True)
class Cell:
    """Two raters: how often they agree, and the number of votes on shared pairs; `share` is empty
    if there are none.
    """

    share: str
    n: int
    level: int
    words: str = ""
    """the full text, with interval and Cohen's κ"""


@dataclass(frozen=True)
class HeatRow:
    rater_id: int
    alias: str
    cells: list[Cell | None]
    """None on the diagonal"""


@dataclass(frozen=True)
class TwoRaters:
    """A row of the table below the heat map."""

    one: int
    other: int
    agree: Figure
    kappa: Figure


PAIR_ORDERS: dict[str, Callable[[TwoRaters], float]] = {
    "agree": lambda row: row.agree.value or 0.0,
    "votes": lambda row: row.agree.n,
    "kappa": lambda row: -2.0 if row.kappa.value is None else row.kappa.value,
}


@dataclass(frozen=True)
class Bar:
    label: str
    n: int


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    rows = quality_selectors.quality_rows()
    context = {"rows": rows, "verdict": verdicts.of_all(rows) if rows else None}
    return render(request, "labeling/quality/quality.html", context)


@require_GET
def agreement(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    context = _context(campaign, report, "agreement")
    if report is not None and rating_words.is_rated_only(report):
        return render(request, RATINGS, context | _ratings(report))
    if report is not None:
        raters = quality_selectors.rater_measures(report=report)
        found = report.results["agreement"]
        tables = [f(found) for f in (pages_words.agreement, pages_words.orders, pages_words.others)]
        measures, orders, others = pages_words.of_something(*tables)
        context |= {
            "measures": measures,
            "orders": orders,
            "others": others,
            "unmeasured": pages_words.of_nothing(*tables),
            **_questions(report),
            "groups": _groups(report),
            "groups_left_out": pages_words.groups_left_out(
                report.results["agreement"]["groups_left_out"]
            ),
            "heat": heat_rows(report, {row.rater_id: row.alias for row in raters}),
            "n_left_out": report.results["matrix"]["n_left_out"],
            "kappas": kappa_words.blocks(report.results),
            **_two_by_two(request, report.results["matrix"]),
            **_by_item(report),
        }
        if not (measures or orders or others):
            context["empty"] = pages_words.no_agreement(campaign)
    return render(request, "labeling/quality/quality_agreement.html", context)


def _ratings(report: QualityReport) -> dict[str, object]:
    """A campaign whose answers are ratings: what they say first, and nothing about rankings."""
    results = report.results
    questions = results["agreement"]["questions"]
    rows = rating_words.questions(results, {row["name"]: _kind(row) for row in questions})
    return {
        "rows": rows,
        "has_repeats": as_figure(results["ratings"]["self"]).n,
        "scales": pages_words.scales(pages_words.answered(questions)),
        "kappas": kappa_words.blocks(results),
        **_by_item(report),
    }


def _by_item(report: QualityReport) -> dict[str, object]:
    return {
        "bars": _bars(report.results["items"]["bins"]),
        "n_items": report.results["items"]["n"],
    }


@require_GET
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """All measures for one category, language or period."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    key = request.GET.get("kind"), request.GET.get("value")
    groups = report.results["agreement"]["groups"] if report else []
    selected = next((group for group in groups if (group["kind"], group["value"]) == key), None)
    if selected is None:
        raise Http404
    context = _context(campaign, report, "agreement") | {
        "title": f"{pages_words.GROUPS[selected['kind']]}: {_value(selected)}",
        "measures": pages_words.on_pairs(selected),
        "orders": pages_words.orders(selected),
    }
    return render(request, "labeling/quality/quality_part.html", context)


@require_GET
def bias(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    context = _context(campaign, report, "bias")
    if report is not None:
        habits = report.results["habits"]
        context["is_rated_only"] = rating_words.is_rated_only(report)
        if habits and not rating_words.is_rated_only(report):
            context |= {
                "measures": pages_words.bias(habits),
                "effects": _effects(habits),
                "chart": _chart(habits),
                "habits": habits,
                "has_sides_of_file": _has_sides_of_file(campaign),
            }
            context |= _wording(report.results["wording"]) | _groups_of_raters(
                report.results["groups"]
            )
    return render(request, "labeling/quality/quality_bias.html", context)


@require_GET
def behind(request: HttpRequest, pk: int, row: str) -> HttpResponse:
    """The judgments behind a row of the bias panel."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    report = quality_selectors.quality_report(campaign=campaign)
    if report is None:
        raise Http404
    title = pages_words.BEHIND.get(row) or bias_words.pool_behind(report.results["groups"], row)
    if title is None:
        raise Http404
    judgments = quality_selectors.judgments_behind(report=report, row=_stored(row))
    part = "agreement" if row == "unexplained" else "bias"
    return _behind_page(
        request, _context(campaign, report, part), pages_words.on_some_pair(title), judgments
    )


@require_GET
def rater_behind(request: HttpRequest, pk: int, rater_pk: int, row: str) -> HttpResponse:
    """The judgments behind a row of a rater's panel, or behind one of their flags."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    rater = labeling_access.any_rater(user=request.user, pk=rater_pk)
    report = quality_selectors.quality_report(campaign=campaign)
    title = bias_words.title_behind(row)
    if report is None or title is None:
        raise Http404
    judgments = quality_selectors.rater_judgments_behind(
        report=report, rater=rater, row=_stored(row)
    )
    return _behind_page(
        request, _context(campaign, report, "bias") | {"rater": rater}, title, judgments
    )


def _stored(row: str) -> str:
    """The stored row for a row on the page: the odds of a position and its share have the same
    judgments.
    """
    return "first" if row == "position" else row


def _behind_page(
    request: HttpRequest,
    context: dict[str, object],
    title: str,
    behind: quality_selectors.RowJudgments,
) -> HttpResponse:
    page = list_pages.shown(request, behind.listed, size=JUDGMENTS_PER_PAGE)
    judgments = quality_selectors.listed_judgments(ids=list(page.object_list))
    shown = {
        "title": title,
        "n": behind.n,
        "n_listed": len(behind.listed),
        "page": page,
        "judgments": judgments,
    }
    return render(request, "labeling/quality/quality_behind.html", context | shown)


@require_POST
def compute(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks a worker to compute the report; the page shows the new numbers when they are ready."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    if QUALITY.wake(campaign.pk):
        messages.info(request, _("Computing. Reload this page in a few seconds."))
    else:
        messages.warning(
            request,
            _("The workers can't be reached, so nothing is being computed. Try again in a minute."),
        )
    return redirect(PARTS.get(request.POST.get("part", ""), "campaign_quality"), pk)


@require_GET
def campaign_rater(request: HttpRequest, pk: int, rater_pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    rater = labeling_access.any_rater(user=request.user, pk=rater_pk)
    return _rater_page(request, rater, campaign)


@require_GET
def rater(request: HttpRequest, pk: int) -> HttpResponse:
    return _rater_page(request, labeling_access.any_rater(user=request.user, pk=pk), None)


def _rater_page(request: HttpRequest, rater: Rater, campaign: Campaign | None) -> HttpResponse:
    judgments = quality_selectors.rater_judgments(rater=rater, campaign=campaign)
    page = list_pages.shown(request, judgments, size=JUDGMENTS_PER_PAGE)
    measures = quality_selectors.quality_of_rater(rater=rater, campaign=campaign)
    context = {
        "rater": rater,
        "campaign": campaign,
        "page": page,
        "found": measures,
        "flags": [(row, flag) for row in measures for flag in row.flags],
        "tastes": [(row, taste_words.sentence(row.taste)) for row in measures if row.taste],
        "taste_meaning": taste_words.meaning(),
        "unsure": [row for row in measures if row.unsure],
        "unsure_meaning": taste_words.unsure_meaning(),
        "attempts": attempts_by(rater=rater) if campaign is None else [],
    }
    if campaign and measures:
        context |= _panel_of_rater(campaign, rater, measures[0])
    return render(request, "labeling/quality/quality_rater.html", context)


def _has_sides_of_file(campaign: Campaign) -> bool:
    """Whether the answers were imported from a file that does not say what raters saw first: only
    an export of this site does.
    """
    return campaign.import_batch is not None and campaign.import_batch.format != "rankings"


def _panel_of_rater(
    campaign: Campaign, rater: Rater, measures: quality_selectors.RaterMeasures
) -> dict[str, Any]:
    report = quality_selectors.quality_report(campaign=campaign)
    if report is None or rating_words.is_rated_only(report):
        return {}
    return {
        "habits": bias_words.habits_of_rater(measures.habits, report.results),
        "wording": bias_words.wording_of_rater(report.results["wording"], rater.pk),
    }


def _context(campaign: Campaign, report: QualityReport | None, part: str) -> dict[str, object]:
    fresh = quality_selectors.freshness(campaign=campaign)
    return {
        "campaign": campaign,
        "report": report,
        "tab": "quality",
        "part": part,
        "fresh": fresh,
        "spared": pages_words.spared(campaign, fresh.n_spared),
    }


# --- parts ----------------------------------------------------------------------------------------


def heat_rows(report: QualityReport, aliases: dict[int, str]) -> list[HeatRow]:
    matrix = report.results["matrix"]
    return [
        HeatRow(
            rater_id=rater,
            alias=aliases.get(rater, ""),
            cells=[
                None
                if other == place
                else _cell(_of_two(matrix, place, other), matrix["kappa"][place][other])
                for other in range(len(matrix["raters"]))
            ],
        )
        for place, rater in enumerate(matrix["raters"])
    ]


def _of_two(matrix: Mapping[str, Any], place: int, other: int) -> Figure:
    """A report of an earlier version has no ends."""
    score, n = matrix["score"][place][other], matrix["n"][place][other]
    low, high = ((matrix[end][place][other] if end in matrix else None) for end in ("low", "high"))
    return agreement_of_two(score, n, low, high)


def agreement_of_two(score: float, n: int, low: float | None, high: float | None) -> Figure:
    return Figure(score / n if n else None, n, low, high, note=TOO_FEW if low is None and n else "")


def _cell(agree: Figure, kappa: float | None) -> Cell:
    if agree.value is None:
        return Cell("", 0, 0)
    # 50 % is what chance gives on decided pairs, so the colours start there.
    level = min(LEVELS, max(1, 1 + int((agree.value - 0.5) * 2 * LEVELS)))
    return Cell(f"{100 * agree.value:.0f}", agree.n, level, pages_words.two_raters(agree, kappa))


def _two_by_two(request: HttpRequest, matrix: dict[str, Any]) -> dict[str, object]:
    """One page of the pairs of raters, sorted as the query string says, with the raters'
    aliases.
    """
    pairs = [
        TwoRaters(
            pair["one"],
            pair["other"],
            agreement_of_two(pair["score"], pair["n"], pair.get("low"), pair.get("high")),
            Figure(pair["kappa"], pair["n"]),
        )
        for pair in matrix["pairs"]
    ]
    sort = request.GET.get("sort", "")
    order = PAIR_ORDERS.get(sort.removeprefix("-"))
    if order:
        pairs.sort(key=order, reverse=sort.startswith("-"))
    page = list_pages.shown(request, pairs, size=PAIRS_PER_PAGE)
    names = quality_selectors.aliases(
        raters={rater for row in page for rater in (row.one, row.other)}
    )
    return {
        "pairs": page,
        "pair_rows": [(row, names.get(row.one, ""), names.get(row.other, "")) for row in page],
        "pairs_note": pages_words.pairs_left_out(matrix["n_pairs_few"], matrix["n_pairs_more"]),
        "is_pairs_open": bool(order or request.GET.get("page")),
    }


def _questions(report: QualityReport) -> dict[str, object]:
    questions = report.results["agreement"]["questions"]
    answered = pages_words.answered(questions)
    return {
        "questions": [_question(question) for question in answered],
        "has_principles": bool(report.results.get("principles")),
        "unanswered": [row["label"] for row in questions if row not in answered],
        "scales": pages_words.scales(answered),
    }


def _question(question: Mapping[str, Any]) -> dict[str, object]:
    figures = {name: as_figure(question[name]) for name in ("raw", "alpha", "gwet")}
    return {"label": question["label"], "kind": _kind(question)} | figures


def _kind(question: Mapping[str, object]) -> str:
    if question.get("is_principle"):
        return _("Principle")
    if question["is_scale"]:
        return _("Scale")
    return _("Categories") if question.get("is_choice") else _("Flag")


def _value(group: Mapping[str, Any]) -> str:
    return dict(Prompt.Category.choices).get(group["value"], group["value"]) or "–"


def _groups(report: QualityReport) -> list[dict[str, object]]:
    return [
        {
            "kind": pages_words.GROUPS[group["kind"]],
            "value": _value(group),
            "query": urlencode({"kind": group["kind"], "value": group["value"]}),
            "raw": as_figure(group["raw_half"]),
            "alpha": as_figure(group["alpha_ordinal"]),
        }
        for group in report.results["agreement"]["groups"]
    ]


def _bars(bins: Sequence[int]) -> list[Bar]:
    step = 100 // len(bins)
    return [Bar(f"{place * step} – {(place + 1) * step} %", n) for place, n in enumerate(bins)][
        ::-1
    ]


def _effects(habits: dict[str, Any]) -> list[dict[str, object]]:
    return [
        {
            "name": effect["name"],
            "label": pages_words.EFFECTS.get(effect["name"], effect["name"]),
            "odds": as_figure(effect["odds"]),
            "p": effect["p"],
        }
        for effect in habits["effects"]
    ]


def _wording(results: Mapping[str, object]) -> dict[str, object]:
    """The wording part; `results` is empty if no expert has decided an order."""
    rows = bias_words.wording(results) if results else []
    return {"wording": rows, "wording_counts": results, "boosters": BOOSTERS, "hedges": HEDGES}


def _groups_of_raters(results: Mapping[str, object]) -> dict[str, object]:
    return {"parts": bias_words.groups(results), "fewest": FEWEST_IN_A_CELL}


def _chart(habits: dict[str, Any]) -> interval_chart.WhiskerChart | None:
    drawn = []
    for effect in habits["effects"]:
        odds = as_figure(effect["odds"])
        if odds.value is not None and odds.low is not None and odds.high is not None:
            drawn.append(
                interval_chart.Effect(
                    str(pages_words.EFFECTS.get(effect["name"], effect["name"])),
                    odds.value,
                    odds.low,
                    odds.high,
                )
            )
    return interval_chart.whisker_chart(drawn) if drawn else None
