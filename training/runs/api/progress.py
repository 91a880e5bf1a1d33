"""How a run is getting on, as JSON: its points, samples and log."""

from collections.abc import Mapping

from rest_framework import serializers

from accounts.api.rows import RowSerializer
from training.models import Run, RunPoint, RunSample
from training.results.points import LogLine
from training.runs.api.serializers import MAX_SMALL, MAX_STEP

MAX_POINTS = 5_000


class PointSerializer(serializers.Serializer[RunPoint]):
    attempt = serializers.IntegerField()
    step = serializers.IntegerField()
    at = serializers.DateTimeField()
    values = serializers.DictField(child=serializers.FloatField(), help_text="Values by metric.")


class PointsQuery(serializers.Serializer[object]):
    since = serializers.IntegerField(
        required=False,
        default=-1,
        min_value=-1,
        max_value=MAX_STEP,
        help_text="Only points after this step. -1 for all.",
    )
    attempt = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_SMALL,
        help_text=(
            "The attempt that `since` belongs to. A later attempt repeats steps and is returned"
            " from its start."
        ),
    )
    limit = serializers.IntegerField(
        required=False, default=1000, min_value=1, max_value=MAX_POINTS
    )


class PointsSerializer(serializers.Serializer[Mapping[str, object]]):
    """Points, and the parameters for the next request."""

    state = serializers.ChoiceField(choices=Run.State.choices)
    next_attempt = serializers.IntegerField()
    next_since = serializers.IntegerField()
    has_more = serializers.BooleanField()
    results = PointSerializer(many=True)


class SampleSerializer(RowSerializer):
    """A response sampled during training."""

    class Meta:
        model = RunSample
        fields = ["id", "attempt", "step", "prompt", "response", "scores"]
        help_texts = {"scores": "Scores by name: a number, true or false."}


class LogQuery(serializers.Serializer[object]):
    since = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=MAX_STEP,
        help_text="Only lines after this one.",
    )
    attempt = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_SMALL,
        help_text=(
            "The attempt that `since` belongs to. The log of a later attempt is returned from"
            " its start."
        ),
    )


class LogLineSerializer(serializers.Serializer[LogLine]):
    number = serializers.IntegerField(
        help_text=("Line number in the attempt's log, from 1. A gap means that lines were dropped.")
    )
    text = serializers.CharField()


class LogSerializer(serializers.Serializer[Mapping[str, object]]):
    """Complete lines, and the parameters for the next request."""

    state = serializers.ChoiceField(choices=Run.State.choices)
    next_attempt = serializers.IntegerField()
    next_since = serializers.IntegerField()
    results = LogLineSerializer(many=True)
    unfinished = serializers.CharField(
        help_text="The incomplete last line, such as a progress bar. Often empty."
    )
