"""Agreement, bias, consensus and raters of a campaign in the REST API: the numbers of its pages,
from the same stored report.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, does, lists, reads
from arithmetic.figures import Figure
from labeling import access as labeling_access
from labeling.api.results.figures import FigureSerializer, FiguresField, as_json, figures_of
from labeling.models import AdjudicatedRank, Campaign, Item, QualityReport
from labeling.quality import doorbell, selectors
from labeling.quality.measures.votes import as_figure
from labeling.quality.pages import flag_words, taste_words
from labeling.quality.pages.views import agreement_of_two
from labeling.quality.votes import item_consensus, rating_consensus


class ReportSerializer(serializers.Serializer[Any]):
    """The report that the numbers are from."""

    campaign = serializers.IntegerField(source="campaign_id")
    computed_at = serializers.DateTimeField()
    n_judgments = serializers.IntegerField()
    n_set_aside = serializers.IntegerField()
    n_withdrawn = serializers.IntegerField()
    n_new = serializers.IntegerField(
        help_text="Judgments since then, counted up to 1,001. A new report follows by itself."
    )
    is_outdated = serializers.BooleanField(help_text="Decisions have changed since.")
    is_computing = serializers.BooleanField()


class ComputingSerializer(serializers.Serializer[Any]):
    campaign = serializers.IntegerField()
    computed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the present report was computed."
    )


class QualityRowSerializer(serializers.Serializer[Any]):
    campaign = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    computed_at = serializers.DateTimeField()
    n_judgments = serializers.IntegerField()
    agreement = FigureSerializer(help_text="Ties count half.")
    alpha = FigureSerializer(help_text="Krippendorff's α, ordinal.")
    n_raters_to_check = serializers.IntegerField(source="n_flagged")


class QuestionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows Field.label
    is_scale = serializers.BooleanField()
    figures = FiguresField()


class GroupSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="category, language, month or week")
    value = serializers.CharField()
    figures = FiguresField()


class OtherPoolSerializer(serializers.Serializer[Any]):
    pool = serializers.CharField()
    figures = FiguresField()


class AgreementSerializer(serializers.Serializer[Any]):
    """How far raters agree. docs/api.md names the figures."""

    report = ReportSerializer()
    figures = FiguresField()
    questions = QuestionSerializer(many=True, help_text="Of the rating form.")
    groups = GroupSerializer(many=True)
    groups_left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="Groups with votes that are not listed."
    )
    pools = OtherPoolSerializer(many=True, help_text="Agreement with other pools.")
    reward_model = serializers.CharField(help_text="That `figures.model` compares with.")


class RaterPairQuery(PageQuery):
    question = serializers.CharField(
        required=False,
        max_length=200,
        help_text="A question of the form by its name. Without it: choices between responses.",
    )


class RaterPairSerializer(serializers.Serializer[Any]):
    """Two raters with at least ten votes or answers in common."""

    one = serializers.CharField(help_text="A pseudonym.")
    other = serializers.CharField()
    agreement = FigureSerializer(
        allow_null=True, help_text="Ties count half. Null for a question of the form."
    )
    kappa = FigureSerializer(help_text="Cohen's. Weighted for scales.")


class EffectSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    odds = FigureSerializer(help_text="1 means no effect.")
    p = serializers.FloatField(allow_null=True)


class BiasSerializer(serializers.Serializer[Any]):
    """What choices depend on besides quality."""

    report = ReportSerializer()
    figures = FiguresField()
    swaps = FiguresField(help_text="Of repeats in which two responses swapped sides.")
    effects = EffectSerializer(many=True, help_text="All features estimated together.")
    effects_n = serializers.IntegerField()
    effects_note = serializers.CharField()
    median_s = serializers.FloatField(allow_null=True)
    wording = serializers.DictField(help_text="Errors towards responses that sound surer.")
    groups = serializers.DictField(
        help_text="Pools and profile groups side by side. Groups too small to show are counted."
    )


class FlagSerializer(serializers.Serializer[Any]):
    """A reason to check a rater's answers, not a verdict."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows Field.label
    sentence = serializers.CharField()
    false_alarm = serializers.CharField(help_text="How often an honest rater looks like this.")


class RaterQualitySerializer(serializers.Serializer[Any]):
    """One rater of the campaign, under a pseudonym. Read `caution` with it."""

    rater = serializers.IntegerField(source="rater_id")
    alias = serializers.CharField()
    is_withdrawn = serializers.BooleanField()
    n_judgments = serializers.IntegerField()
    weight = serializers.FloatField(
        allow_null=True, help_text="Used in snapshots: 0 is no better than chance, 1 always right."
    )
    figures = FiguresField()
    habits = FiguresField()
    flags = FlagSerializer(many=True)
    taste = serializers.CharField(
        help_text="The group with a taste of its own that the rater shares; otherwise empty."
    )
    caution = serializers.CharField()


def _number(source: str, help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(
        source=source, allow_null=True, default=None, help_text=help_text or None
    )


class PlaceSerializer(serializers.Serializer[Any]):
    response = serializers.IntegerField()
    by_majority = serializers.IntegerField(help_text="1 is best; equal numbers share a place.")
    weighted = serializers.IntegerField(help_text="Votes weighted by the raters' reliability.")
    certainty = serializers.FloatField()


class PairSerializer(serializers.Serializer[Any]):
    left = serializers.IntegerField(help_text="ID of a response.")
    right = serializers.IntegerField()
    n_left = serializers.IntegerField()
    n_tie = serializers.IntegerField()
    n_right = serializers.IntegerField()
    majority = serializers.IntegerField(
        allow_null=True, help_text="-1: left is better, 0: a tie, 1: right; null: no winner."
    )
    weighted = serializers.IntegerField(allow_null=True)
    p = serializers.FloatField(help_text="How likely the weighted result is.")


class RatingConsensusSerializer(serializers.Serializer[Any]):
    """The answers to one question about one response. Yes is 1 and no is 0; words in an order count
    by their place, from 1. Without an order there are no numbers.
    """

    response = serializers.IntegerField()
    question = serializers.CharField(source="question.name")
    n_answers = serializers.IntegerField(source="n")
    n_known = serializers.IntegerField(help_text="Of their raters, with a known weight.")
    answer = serializers.CharField(
        help_text="The word at the median, or the most frequent category; empty for numbers."
    )
    weighted_answer = serializers.CharField()
    mean = _number("numbers.mean")
    low = _number("numbers.low", "Of the 95 % interval of the mean.")
    high = _number("numbers.high")
    median = _number("numbers.median")
    spread = _number("numbers.spread", "The standard deviation.")
    weighted = _number(
        "numbers.weighted", "The mean, weighted by how closely raters answer like the others."
    )


class ItemConsensusSerializer(serializers.Serializer[Any]):
    item = serializers.IntegerField()
    prompt = serializers.IntegerField()
    n_judgments = serializers.IntegerField()
    n_known = serializers.IntegerField(help_text="Of their raters, with a known reliability.")
    places = PlaceSerializer(many=True, help_text="Best first.")
    pairs = PairSerializer(many=True)
    ratings = RatingConsensusSerializer(many=True)
    adjudicated = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="Response → rank, where a reviewer decided; otherwise empty.",
    )


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
        found = report.results["agreement"]
        body = {
            "report": _about(report),
            "figures": figures_of(found),
            "questions": [one | {"figures": figures_of(one)} for one in found["questions"]],
            "groups": [one | {"figures": figures_of(one)} for one in found["groups"]],
            "groups_left_out": found["groups_left_out"],
            "pools": [one | {"figures": figures_of(one)} for one in found["pools"]],
            "reward_model": found["model_name"],
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
        kappas = {one["name"]: one["pairs"] for one in report.results["kappas"]}
        if question not in kappas and question:
            names = ", ".join(filter(None, kappas)) or "–"
            sentence = _("No two raters have answered this question. There are: %(names)s.")
            raise Unable(sentence % {"names": names})
        found = kappas.get(question, [])
        return self.part(found if question else _with_kappa(report.results["matrix"], found))

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
                one | {"odds": figures_of(one)["odds"]} for one in habits.get("effects", ())
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
    def quality(self, campaign: Campaign) -> dict[str, Any]:
        """Have a worker compute the report now: read it again in a few seconds. 409 if no worker
        can be reached.
        """
        if not doorbell.ring_quality(campaign.pk):
            raise Unable(_("No worker can be reached. Try again later."))
        report = selectors.quality_report(campaign=campaign)
        return {"campaign": campaign.pk, "computed_at": report.computed_at if report else None}

    def shown(self, objects: Sequence[Any]) -> Sequence[Any]:
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


def _about(report: QualityReport) -> dict[str, Any]:
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


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: found for name, found in record.items() if name not in names}


def _with_kappa(
    matrix: Mapping[str, Any], kappas: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The pairs of the matrix with the figure of their kappa, where it is listed too."""
    known = {frozenset((one["one"], one["other"])): one for one in kappas}
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


def _rater(row: selectors.RaterMeasures) -> dict[str, Any]:
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
        "caution": " ".join([*caution, taste_words.meaning()] if taste else caution),
    }


def _consensus(campaign: Campaign, items: Sequence[Item]) -> list[dict[str, Any]]:
    found = item_consensus.consensus_of_items(campaign=campaign, items=items)
    ratings = rating_consensus.ratings_of_items(campaign=campaign, items=items)
    decided: dict[int, dict[int, int | None]] = {}
    ranks = AdjudicatedRank.objects.filter(adjudication__item__in=items)
    for item, response, rank in ranks.values_list("adjudication__item_id", "response_id", "rank"):
        decided.setdefault(item, {})[response] = rank
    return [
        {
            "item": item.pk,
            "prompt": item.prompt_id,
            "n_judgments": found[item.pk].n_judgments,
            "n_known": found[item.pk].n_known,
            "places": found[item.pk].places,
            "pairs": found[item.pk].pairs,
            "ratings": ratings[item.pk],
            "adjudicated": decided.get(item.pk, {}),
        }
        for item in items
    ]
