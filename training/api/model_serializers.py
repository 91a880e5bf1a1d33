"""Models and their publications as JSON."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import MAX_ID, Flag, Name, OneOf
from accounts.api.paging import PageQuery
from labeling.models import Export
from training.benchmarks.scorecards.selectors import Outcome
from training.models import Publication, Suite, TrainedModel
from training.registry import export
from training.registry.forms import EndpointForm


class ModelSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=TrainedModel.Kind.choices)
    location = serializers.CharField()
    licence = serializers.CharField()
    notes = serializers.CharField()
    stage = serializers.ChoiceField(choices=TrainedModel.Stage.choices)
    is_elsewhere = serializers.SerializerMethodField(
        help_text="An external model: it is sampled from, never trained."
    )
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # a field, not that
    run = serializers.IntegerField(
        source="run_id",
        allow_null=True,
        help_text="The run that trained it. Null for a base model.",
    )
    snapshot = serializers.IntegerField(
        source="run.snapshot_id", allow_null=True, help_text="The snapshot it was trained on."
    )
    metrics = serializers.DictField()
    archive = serializers.SerializerMethodField(
        help_text="URL of its .tar. Null if its weights are deleted or external."
    )
    is_pinned = serializers.SerializerMethodField()
    is_freed = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_archive(self, model: TrainedModel) -> str | None:
        is_gone = model.freed_at is not None or hasattr(model, "endpoint")
        return None if is_gone else reverse("api_model_archive", args=[model.pk])

    def get_is_pinned(self, model: TrainedModel) -> bool:
        return model.pinned_at is not None

    def get_is_freed(self, model: TrainedModel) -> bool:
        return model.freed_at is not None

    def get_is_elsewhere(self, model: TrainedModel) -> bool:
        return hasattr(model, "endpoint")


class ModelQuery(PageQuery):
    kind = serializers.ChoiceField(required=False, choices=TrainedModel.Kind.choices)


class ArchiveQuery(serializers.Serializer[Any]):
    weights = serializers.ChoiceField(
        choices=[export.MERGED, export.ADAPTER],
        default=export.MERGED,
        help_text="Full weights, or only the LoRA adapter if the run saved it.",
    )


class ScorecardQuery(serializers.Serializer[Any]):
    baseline = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The model to compare with. The parent model by default.",
    )


class NamedModelSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class SuiteScoreSerializer(serializers.Serializer[Any]):
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
    method = serializers.CharField(allow_null=True, help_text="mcnemar, bootstrap or too few")
    n_common = serializers.IntegerField(allow_null=True, help_text="items that both answered")
    smallest_difference = serializers.FloatField(
        allow_null=True, help_text="what this many items would show with 80 % probability"
    )
    verdict = serializers.ChoiceField(
        choices=[outcome.value for outcome in Outcome], allow_null=True
    )
    details = serializers.DictField(help_text="by category, shares of labels, calibration, …")
    beside = serializers.ListField(
        child=serializers.DictField(), help_text="scores by other scorers and by people"
    )


class ScorecardSerializer(serializers.Serializer[Any]):
    models = NamedModelSerializer(many=True)
    baseline = NamedModelSerializer(allow_null=True)
    scores = SuiteScoreSerializer(many=True)


class NewModelSerializer(serializers.Serializer[Any]):
    name = Name(max_length=200)
    kind = serializers.ChoiceField(
        choices=TrainedModel.Kind.choices, default=TrainedModel.Kind.POLICY
    )
    location = serializers.CharField(
        max_length=1024, help_text="The full path of a folder, or a hub name such as owner/model."
    )
    is_elsewhere = Flag(default=False, help_text="The folder exists on the GPU nodes only.")
    licence = serializers.CharField(max_length=64, default="", allow_blank=True)
    notes = serializers.CharField(default="", allow_blank=True, max_length=20_000)


class NewEndpointSerializer(serializers.Serializer[Any]):
    """An external model. The page's form checks the values."""

    name = Name(max_length=200)
    url = serializers.CharField(
        max_length=1024, help_text="The part before /chat/completions, as https://host/v1."
    )
    served_name = serializers.CharField(
        max_length=200, help_text="The name the server uses for the model."
    )
    key_variable = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=100,
        help_text="The environment variable with its key. The key itself is never stored.",
    )
    serves = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="The registered model that answers there.",
    )
    licence = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=64,
        help_text="That its answers may be used under. Empty: that of the served model.",
    )
    notes = serializers.CharField(default="", allow_blank=True, max_length=20_000)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        form = EndpointForm(values)
        if not form.is_valid():
            raise ValidationError(
                {name: [str(one) for one in found] for name, found in form.errors.items()}
            )
        return form.cleaned_data


class ModelChangeSerializer(serializers.Serializer[Any]):
    """Omitted fields keep their value."""

    stage = serializers.ChoiceField(
        required=False,
        choices=TrainedModel.Stage.choices,
        help_text=(
            "The weights of an approved model are kept. A retired model is no longer offered."
        ),
    )
    licence = serializers.CharField(required=False, max_length=64, allow_blank=True)
    notes = serializers.CharField(required=False, max_length=20_000, allow_blank=True)
    card = serializers.CharField(
        required=False,
        max_length=100_000,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Markdown. Leave empty to generate the card.",
    )


class CardSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="Markdown. Published with the weights as README.md.")
    is_written = serializers.BooleanField(
        help_text="True if a person wrote it, false if it is generated."
    )


class PublicationSerializer(serializers.Serializer[Any]):
    """A publication of a model or of an export to a hub. It is complete when `state` is `done`."""

    id = serializers.IntegerField()
    model = serializers.IntegerField(source="model_id", allow_null=True)
    export = serializers.IntegerField(source="export_id", allow_null=True)
    repository = serializers.CharField()
    is_private = serializers.BooleanField()
    state = serializers.ChoiceField(choices=Publication.State.choices)
    bytes_total = serializers.IntegerField(help_text="0 until known.")
    bytes_sent = serializers.IntegerField()
    address = serializers.CharField(help_text="URL on the hub, once published.")
    error = serializers.CharField(help_text="What went wrong, as a sentence.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class NewPublicationSerializer(serializers.Serializer[Any]):
    repository = serializers.CharField(max_length=200, help_text="As owner/name.")
    is_private = Flag(default=True)


class NewExportPublicationSerializer(NewPublicationSerializer):
    export = OneOf(Export.objects.all())
