"""Models in the REST API: stage, notes, licence, card, weights, and publishing to a hub."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging, problems
from accounts.api.fields import Flag, Id, Name, OneOf
from accounts.api.files import FileRenderer
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling.models import Export
from training import access as training_access
from training.benchmarks.scorecards import api as scorecards
from training.benchmarks.scorecards import selectors as scorecards_selectors
from training.benchmarks.scorecards.pages import exports
from training.models import Publication, TrainedModel
from training.registry import change_stage, endpoints
from training.registry import publish as registry_publish
from training.registry import selectors as registry_selectors
from training.registry import services as registry_services
from training.registry.archive import cards, export
from training.registry.forms import EndpointForm
from training.storage import services as storage_services
from training.storage import store


class TarRenderer(FileRenderer):
    media_type = export.CONTENT_TYPE
    format = "tar"


class ModelSerializer(RowSerializer):
    is_elsewhere = serializers.SerializerMethodField(
        help_text="An external model: it is sampled from, never trained."
    )
    snapshot = serializers.IntegerField(
        source="run.snapshot_id", allow_null=True, help_text="The snapshot it was trained on."
    )
    archive = serializers.SerializerMethodField(
        help_text="URL of its .tar. Null if its weights are deleted or external."
    )
    is_pinned = serializers.SerializerMethodField()
    is_freed = serializers.SerializerMethodField()

    class Meta:
        model = TrainedModel
        fields = [
            "id", "name", "kind", "location", "licence", "notes", "stage", "is_elsewhere", "parent",
            "run", "snapshot", "metrics", "archive", "is_pinned", "is_freed", "created_at",
        ]  # fmt: skip
        help_texts = {"run": "The run that trained it. Null for a base model."}

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


class ArchiveQuery(serializers.Serializer[object]):
    weights = serializers.ChoiceField(
        choices=[export.MERGED, export.ADAPTER],
        default=export.MERGED,
        help_text="Full weights, or only the LoRA adapter if the run saved it.",
    )


class NewModelSerializer(serializers.Serializer[object]):
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


class NewEndpointSerializer(serializers.Serializer[object]):
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
    serves = Id(
        required=False, allow_null=True, help_text="The registered model that answers there."
    )
    licence = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=64,
        help_text="That its answers may be used under. Empty: that of the served model.",
    )
    notes = serializers.CharField(default="", allow_blank=True, max_length=20_000)

    def validate(self, values: dict[str, object]) -> dict[str, object]:
        form = EndpointForm(values)
        if not form.is_valid():
            raise ValidationError(
                {
                    name: [str(sentence) for sentence in sentences]
                    for name, sentences in form.errors.items()
                }
            )
        return form.cleaned_data


class ModelChangeSerializer(serializers.Serializer[object]):
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


class CardSerializer(serializers.Serializer[Mapping[str, object]]):
    text = serializers.CharField(help_text="Markdown. Published with the weights as README.md.")
    is_written = serializers.BooleanField(
        help_text="True if a person wrote it, false if it is generated."
    )


class PublicationSerializer(RowSerializer):
    """A publication of a model or of an export to a hub. It is complete when `state` is `done`."""

    class Meta:
        model = Publication
        fields = [
            "id", "model", "export", "repository", "is_private", "state", "bytes_total",
            "bytes_sent", "address", "error", "created_at", "ended_at",
        ]  # fmt: skip
        help_texts = {
            "bytes_total": "0 until known.",
            "address": "URL on the hub, once published.",
            "error": "What went wrong, as a sentence.",
        }


class NewPublicationSerializer(serializers.Serializer[object]):
    repository = serializers.CharField(max_length=200, help_text="As owner/name.")
    is_private = Flag(default=True)


class NewExportPublicationSerializer(NewPublicationSerializer):
    export = OneOf(Export.objects.all())


@described(list_models="Models, newest first.", read_model="One model.")
class Models(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = TrainedModel.objects.all()
    serializer_class = ModelSerializer
    query_class = ModelQuery

    def filter_queryset(self, queryset: object) -> QuerySet[TrainedModel, Any]:
        return registry_selectors.models(kind=self.asked.get("kind", ""))

    def get_object(self) -> TrainedModel:
        return training_access.model(user=self.by, pk=self.kwargs["pk"])

    @writes("register_model", ModelSerializer, body=NewModelSerializer, status=201)
    def create(self, **values: Any) -> TrainedModel:
        """Register a base model."""
        return registry_services.register_model(**values, **self.who_and_when)

    @does(
        "connect_model",
        ModelSerializer,
        body=NewEndpointSerializer,
        is_one=False,
        url_path="endpoints",
        status=201,
    )
    def connect(self, **values: Any) -> TrainedModel:
        """Register an external model behind an OpenAI-compatible URL, to sample from. 409 if an
        operator has not allowed its host.
        """
        return endpoints.register_endpoint(**values, **self.who_and_when)

    @writes("update_model", ModelSerializer, body=ModelChangeSerializer, is_one=True)
    def partial_update(self, model: TrainedModel, **values: Any) -> None:
        """Change its stage, licence, notes or card."""
        change_stage.change_model(model=model, **values, **self.who_and_when)

    @does("change_model", ModelSerializer, body=ModelChangeSerializer)
    def change(self, model: TrainedModel, **values: Any) -> None:
        """The same as the PATCH."""
        change_stage.change_model(model=model, **values, **self.who_and_when)

    @does("pin_model", ModelSerializer)
    def pin(self, model: TrainedModel) -> None:
        """Keep its weights until it is unpinned. Changes nothing if they were freed or it is
        already pinned.
        """
        storage_services.pin_model(model=model, **self.who_and_when)

    @does("unpin_model", ModelSerializer)
    def unpin(self, model: TrainedModel) -> None:
        """Let its weights be freed by the usual rules again."""
        storage_services.unpin_model(model=model, **self.who_and_when)

    @reads("read_model_card", CardSerializer)
    def card(self, request: Request, pk: int) -> Response:
        """The model's card, written by a person or generated."""
        model = self.get_object()
        card = {"text": cards.card_text(model=model), "is_written": bool(model.card)}
        return Response(CardSerializer(card).data)

    @reads(
        "read_model_scorecard",
        scorecards.ScorecardSerializer,
        query=scorecards.ScorecardQuery,
    )
    def scorecard(self, request: Request, pk: int) -> Response:
        """What it scored on suites, with the differences to a baseline."""
        model = self.get_object()
        offered = scorecards_selectors.baselines(model=model)
        baseline = scorecards_selectors.baseline_of(
            model=model, offered=offered, asked=self.asked.get("baseline")
        )
        card = scorecards_selectors.scorecard(models=[model], baseline=baseline)
        card_json = exports.as_json(card, with_details=True)
        return Response(scorecards.ScorecardSerializer(card_json).data)

    @reads(
        "export_model",
        {(200, export.CONTENT_TYPE): OpenApiTypes.BINARY, **problems.described((409,))},
        query=ArchiveQuery,
        renderer_classes=(JSONRenderer, TarRenderer),
    )
    def archive(self, request: Request, pk: int) -> HttpResponseBase:
        """Download the model as one .tar: weights (safetensors), tokenizer, card (README.md) and
        lineage.json.
        """
        try:
            return export.download(
                model=self.get_object(), weights=self.asked["weights"], **self.who_and_when
            ).response()
        except store.StoreUnavailable as problem:
            raise Unable(_("The artifact store is not responding. Try again later.")) from problem

    @reads(
        "list_model_publications",
        paging.page_of(PublicationSerializer),
        query=PageQuery,
        serializer_class=PublicationSerializer,
    )
    def publications(self, request: Request, pk: int) -> Response:
        """Its publications to hubs, newest first."""
        return self.page(self.get_object().publications.all())

    @publications.mapping.post
    @writes(
        "publish_model",
        PublicationSerializer,
        body=NewPublicationSerializer,
        status=201,
        is_one=True,
    )
    def publish(self, model: TrainedModel, **values: Any) -> Publication:
        """Publish it to a hub, privately by default. A worker with the hub's token uploads it."""
        return registry_publish.publish_model(model=model, **values, **self.who_and_when)


@described(read_publication="The state of a publication.", tag="models")
class Publications(RetrieveModelMixin, ApiViewSet):
    queryset = Publication.objects.all()
    serializer_class = PublicationSerializer

    @writes(
        "publish_export",
        PublicationSerializer,
        body=NewExportPublicationSerializer,
        status=201,
    )
    def create(self, **values: Any) -> Publication:
        """Publish an export to a hub as a dataset, privately by default. A worker with the hub's
        token uploads it.
        """
        return registry_publish.publish_export(**values, **self.who_and_when)

    def get_object(self) -> Publication:
        return training_access.publication(user=self.by, pk=self.kwargs["pk"])
