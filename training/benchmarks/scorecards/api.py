"""Scorecards of several models in the REST API; one model's is in registry."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, reads
from training.benchmarks.scorecards import selectors
from training.benchmarks.scorecards.pages import exports
from training.benchmarks.scorecards.selectors import Outcome
from training.models import Suite, SuiteScore, TrainedModel


class ScorecardQuery(serializers.Serializer[object]):
    baseline = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The model to compare with. The parent model by default.",
    )


class NamedModelSerializer(serializers.Serializer[Mapping[str, object]]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class SuiteScoreSerializer(serializers.Serializer[Mapping[str, object]]):
    """A model on a suite. Shares lie between 0 and 1, rewards have no bounds. Fields of the
    difference are null without a baseline, or where nothing can be compared.
    """

    model = serializers.CharField()
    suite = serializers.CharField()
    version = serializers.CharField()
    area = serializers.ChoiceField(choices=Suite.Area.choices)
    scorer = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="95 % interval; null: too few items")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="items with a score")
    n_missing = serializers.IntegerField(help_text="items without an answer, never scored as wrong")
    n_clusters = serializers.IntegerField(allow_null=True)
    n_in_training_data = serializers.IntegerField(
        help_text="items that share 13 words in a row with the model's training data"
    )
    baseline = serializers.CharField(allow_null=True)
    difference = serializers.FloatField(allow_null=True)
    difference_low = serializers.FloatField(allow_null=True)
    difference_high = serializers.FloatField(allow_null=True)
    p = serializers.FloatField(allow_null=True)
    p_holm = serializers.FloatField(allow_null=True, help_text="corrected for the number of suites")
    method = serializers.CharField(allow_null=True, help_text="mcnemar, sign flips or too few")
    n_common = serializers.IntegerField(allow_null=True, help_text="items that both answered")
    smallest_difference = serializers.FloatField(
        allow_null=True,
        help_text=(
            "what the test of this suite alone would find with 80 % probability, if as many items"
            " tell the models apart"
        ),
    )
    verdict = serializers.ChoiceField(
        choices=[outcome.value for outcome in Outcome], allow_null=True
    )
    details = serializers.DictField(help_text="by category, shares of labels, calibration, …")
    beside = serializers.ListField(
        child=serializers.DictField(),
        help_text=(
            "scores by other scorers and by people; `about`: whom the interval of people's score is"
            " about, `raters_like_these`, or `these_raters` if they are too few"
        ),
    )


class ScorecardSerializer(serializers.Serializer[Mapping[str, object]]):
    models = NamedModelSerializer(many=True)
    baseline = NamedModelSerializer(allow_null=True)
    scores = SuiteScoreSerializer(many=True)


class ScoreSerializer(serializers.Serializer[SuiteScore]):
    """By the suite's own scorer: shares lie between 0 and 1, rewards have no bounds."""

    suite = serializers.IntegerField(source="suite_id")
    run = serializers.IntegerField(source="run_id")
    scorer = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="95 % interval; null: too few items")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="Items with a score.")
    n_missing = serializers.IntegerField(
        help_text="Items without an answer, never scored as wrong."
    )


class ScoredModelSerializer(serializers.Serializer[Mapping[str, object]]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    scores = ScoreSerializer(many=True)


class ScoredModelQuery(PageQuery):
    area = serializers.ChoiceField(required=False, choices=Suite.Area.choices)


class ComparisonQuery(serializers.Serializer[object]):
    models = serializers.RegexField(
        r"^\d{1,18}(,\d{1,18})*$",
        max_length=200,
        help_text=(
            f"IDs of up to {selectors.N_COMPARED} models, with commas. The first is the baseline;"
            " unknown ones are left out."
        ),
    )

    def validate_models(self, text: str) -> list[int]:
        return [int(pk) for pk in text.split(",")]


@described(list_scorecards="Models with scores, newest first, and their score on each suite.")
class Scorecards(ListModelMixin, ApiViewSet):
    queryset = TrainedModel.objects.all()
    serializer_class = ScoredModelSerializer
    query_class = ScoredModelQuery

    def filter_queryset(self, queryset: object) -> QuerySet[TrainedModel, Any]:
        return selectors.models_with_scores(area=self.asked.get("area", ""))

    def shown(self, objects: Sequence[TrainedModel]) -> Sequence[Mapping[str, object]]:
        suites = selectors.suites_with_scores(area=self.asked.get("area", ""))
        scores = selectors.cells(models=objects, suites=suites)
        return [
            {
                "id": model.pk,
                "name": model.name,
                "scores": [
                    scores[model.pk, suite.pk] for suite in suites if (model.pk, suite.pk) in scores
                ],
            }
            for model in objects
        ]

    @reads("compare_models", ScorecardSerializer, query=ComparisonQuery, is_one=False)
    def compare(self, request: Request) -> Response:
        """Several models beside each other, with the differences to the first."""
        models = selectors.models_compared(pks=self.asked["models"])
        card = selectors.scorecard(models=models, baseline=models[0] if models else None)
        card_json = exports.as_json(card, with_details=True)
        return Response(ScorecardSerializer(card_json).data)
