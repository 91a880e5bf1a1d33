"""Agreement, bias, consensus and raters of a campaign in the REST API: the numbers of its pages,
from the same stored report.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, does, lists, reads
from arithmetic.figures import Figure
from labeling import access as labeling_access
from labeling.models import AdjudicatedRank, Campaign, Item, QualityReport
from labeling.quality import selectors
from labeling.quality.api.figures import as_json, figures_of
from labeling.quality.api.serializers import (
    AgreementSerializer,
    BiasSerializer,
    ComputingSerializer,
    ItemConsensusSerializer,
    QualityRowSerializer,
    RaterPairQuery,
    RaterPairSerializer,
    RaterQualitySerializer,
)
from labeling.quality.pages import flag_words, taste_words
from labeling.quality.pages.views import agreement_of_two
from labeling.quality.services import QUALITY
from labeling.votes import item_consensus, rating_consensus
from labeling.votes.arrays import as_figure


class QualityRows(ApiViewSet):
    serializer_class = QualityRowSerializer

    @lists("list_quality", page_of(QualityRowSerializer), query=PageQuery)
    def list(self, request: Request) -> Response:
        """Comparison campaigns that have a report, open ones first."""
        return self.part(selectors.quality_rows())


class CampaignQuality(ApiViewSet):
    """Below the view set of campaigns. 409 until the first report is computed."""

    queryset = Campaign.objects.all()
    serializer_class = ItemConsensusSerializer

    def get_object(self) -> Campaign:
        return labeling_access.comparison_campaign(user=self.by, pk=self.kwargs["pk"])

    @reads("read_campaign_agreement", AgreementSerializer)
    def agreement(self, request: Request, pk: int) -> Response:
        """How far its raters agree, in pairs, orders and answers, by group and with others."""
        report = _report(self.get_object())
        results = report.results["agreement"]
        body = {
            "report": _about(report),
            "figures": figures_of(results),
            "questions": [
                result | {"figures": figures_of(result)} for result in results["questions"]
            ],
            "groups": [result | {"figures": figures_of(result)} for result in results["groups"]],
            "groups_left_out": results["groups_left_out"],
            "pools": [result | {"figures": figures_of(result)} for result in results["pools"]],
            "reward_model": results["model_name"],
            "principles": as_json(report.results.get("principles", {})),
        }
        return Response(AgreementSerializer(body).data)

    @reads(
        "list_campaign_rater_pairs",
        page_of(RaterPairSerializer),
        query=RaterPairQuery,
        url_path="rater-pairs",
        serializer_class=RaterPairSerializer,
    )
    def rater_pairs(self, request: Request, pk: int) -> Response:
        """Agreement and Cohen's κ of every two raters, those that share the most first."""
        report, question = _report(self.get_object()), self.asked.get("question", "")
        kappas = {kappa["name"]: kappa["pairs"] for kappa in report.results["kappas"]}
        if question not in kappas and question:
            names = ", ".join(filter(None, kappas)) or "–"
            sentence = _("No two raters have answered this question. There are: %(names)s.")
            raise Unable(sentence % {"names": names})
        pairs = kappas.get(question, [])
        return self.part(pairs if question else _with_kappa(report.results["matrix"], pairs))

    @reads("read_campaign_bias", BiasSerializer)
    def bias(self, request: Request, pk: int) -> Response:
        """What choices depend on besides quality: position, length, looks, wording."""
        report = _report(self.get_object())
        habits = report.results["habits"]
        body = {
            "report": _about(report),
            "figures": figures_of(habits),
            "swaps": figures_of(habits.get("swaps", {})),
            "effects": [
                effect | {"odds": figures_of(effect)["odds"]}
                for effect in habits.get("effects", ())
            ],
            "effects_n": habits.get("effects_n", 0),
            "effects_note": _note(habits.get("effects_note", "")),
            "median_s": habits.get("median_s"),
            "wording": as_json(_without(report.results["wording"], "raters", "behind")),
            "groups": as_json(_without(report.results["groups"], "behind")),
        }
        return Response(BiasSerializer(body).data)

    @reads(
        "list_campaign_rater_quality",
        page_of(RaterQualitySerializer),
        query=PageQuery,
        url_path="rater-quality",
        serializer_class=RaterQualitySerializer,
    )
    def rater_quality(self, request: Request, pk: int) -> Response:
        """Each rater's agreement, reliability, habits and reasons to check, flagged ones first."""
        return self.part(selectors.rater_measures(report=_report(self.get_object())))

    @reads("list_campaign_consensus", page_of(ItemConsensusSerializer), query=PageQuery)
    def consensus(self, request: Request, pk: int) -> Response:
        """What the answers to each item say together, by majority and weighted, newest items
        first.
        """
        return self.page(Item.objects.filter(campaign=self.get_object(), gold_use=None))

    @does("compute_campaign_quality", ComputingSerializer, url_path="quality", status=202)
    def quality(self, campaign: Campaign) -> dict[str, object]:
        """Have a worker compute the report now: read it again in a few seconds. 409 if no worker
        can be reached.
        """
        if not QUALITY.wake(campaign.pk):
            raise Unable(_("No worker can be reached. Try again later."))
        report = selectors.quality_report(campaign=campaign)
        return {"campaign": campaign.pk, "computed_at": report.computed_at if report else None}

    def shown(self, objects: Sequence[Any]) -> Sequence[object]:
        if self.action == "rater_pairs":
            return _pairs(objects)
        if self.action == "rater_quality":
            return [_rater(row) for row in objects]
        if self.action == "consensus":
            return _consensus(self.get_object(), objects)
        return objects


def _report(campaign: Campaign) -> QualityReport:
    report = selectors.quality_report(campaign=campaign)
    # One of an earlier version lacks some of the figures; a new one follows by itself.
    if report is None or report.results.get("version") != selectors.REPORT_VERSION:
        when = _("Quality is computed every few minutes while new answers come in.")
        raise Unable(f"{_('Nothing computed yet')}. {when}")
    return report


def _about(report: QualityReport) -> dict[str, object]:
    fresh = selectors.freshness(campaign=report.campaign)
    return {
        "campaign_id": report.campaign_id,
        "computed_at": report.computed_at,
        "n_judgments": report.n_judgments,
        "n_set_aside": report.results["n_set_aside"],
        "n_withdrawn": report.results["n_withdrawn"],
        "n_new": fresh.n_new,
        "is_outdated": fresh.is_outdated,
        "is_computing": fresh.started_at is not None,
    }


def _note(sentence: str) -> str:
    return gettext(sentence) if sentence else ""


def _without(record: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in record.items() if name not in names}


def _with_kappa(
    matrix: Mapping[str, Any], kappas: Sequence[Mapping[str, object]]
) -> list[dict[str, object]]:
    """The pairs of the matrix with the figure of their kappa, where it is listed too."""
    known = {frozenset((kappa["one"], kappa["other"])): kappa for kappa in kappas}
    return [
        {**pair, "figure": known.get(frozenset((pair["one"], pair["other"])))}
        for pair in matrix["pairs"]
    ]


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = selectors.aliases(raters={pair[side] for pair in pairs for side in ("one", "other")})
    return [
        {
            "one": names.get(pair["one"], ""),
            "other": names.get(pair["other"], ""),
            **_figures_of_pair(pair),
        }
        for pair in pairs
    ]


def _figures_of_pair(pair: Mapping[str, Any]) -> dict[str, Figure | None]:
    if "score" not in pair:
        return {"agreement": None, "kappa": as_figure(pair)}
    agreement = agreement_of_two(pair["score"], pair["n"], pair.get("low"), pair.get("high"))
    kappa = as_figure(pair["figure"]) if pair["figure"] else Figure(pair["kappa"], pair["n"])
    return {"agreement": agreement, "kappa": kappa}


def _rater(row: selectors.RaterMeasures) -> dict[str, object]:
    measured = {
        "agreement": row.agreement,
        "reliability": row.reliability,
        "self_agreement": row.with_oneself,
        "seconds": row.seconds,
        "chars_per_s": row.chars_per_s,
    }
    taste = taste_words.sentence(row.taste) if row.taste else ""
    caution = [flag_words.caution()] if row.flags else []
    return {
        "rater_id": row.rater_id,
        "alias": row.alias,
        "is_withdrawn": row.is_withdrawn,
        "n_judgments": row.n_judgments,
        "weight": row.weight,
        "figures": measured,
        "habits": row.habits,
        "flags": row.flags,
        "taste": taste,
        "unsure": f"{row.unsure.sentence} {taste_words.unsure_meaning()}" if row.unsure else "",
        "caution": " ".join([*caution, taste_words.meaning()] if taste else caution),
    }


def _consensus(campaign: Campaign, items: Sequence[Item]) -> list[dict[str, object]]:
    consensus = item_consensus.consensus_of_items(campaign=campaign, items=items)
    ratings = rating_consensus.ratings_of_items(campaign=campaign, items=items)
    decided: dict[int, dict[int, int | None]] = {}
    ranks = AdjudicatedRank.objects.filter(adjudication__item__in=items)
    for item, response, rank in ranks.values_list("adjudication__item_id", "response_id", "rank"):
        decided.setdefault(item, {})[response] = rank
    return [
        {
            "item": item.pk,
            "prompt": item.prompt_id,
            "n_judgments": consensus[item.pk].n_judgments,
            "n_known": consensus[item.pk].n_known,
            "places": consensus[item.pk].places,
            "pairs": consensus[item.pk].pairs,
            "ratings": ratings[item.pk],
            "adjudicated": decided.get(item.pk, {}),
        }
        for item in items
    ]
