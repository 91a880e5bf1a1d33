"""Models in the REST API: stage, notes, licence, card, weights, and publishing to a hub."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging, problems
from accounts.api.files import FileRenderer
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, reads, writes
from training import access as training_access
from training.api import model_serializers
from training.api.model_serializers import ModelSerializer, PublicationSerializer
from training.benchmarks.scorecards import selectors as scorecards_selectors
from training.benchmarks.scorecards.pages import exports
from training.models import Publication, TrainedModel
from training.registry import cards, change_stage, endpoints, export
from training.registry import publish as registry_publish
from training.registry import selectors as registry_selectors
from training.registry import services as registry_services
from training.storage import services as storage_services
from training.storage import store


class TarRenderer(FileRenderer):
    media_type = export.CONTENT_TYPE
    format = "tar"


@described(list_models="Models, newest first.", read_model="One model.")
class Models(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = TrainedModel.objects.all()
    serializer_class = ModelSerializer
    query_class = model_serializers.ModelQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return registry_selectors.models(kind=self.asked.get("kind", ""))

    def get_object(self) -> TrainedModel:
        return training_access.model(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "register_model", ModelSerializer, body=model_serializers.NewModelSerializer, status=201
    )
    def create(self, **values: Any) -> TrainedModel:
        """Register a base model."""
        return registry_services.register_model(**values, **self.who_and_when)

    @does(
        "connect_model",
        ModelSerializer,
        body=model_serializers.NewEndpointSerializer,
        is_one=False,
        url_path="endpoints",
        status=201,
    )
    def connect(self, **values: Any) -> TrainedModel:
        """Register an external model behind an OpenAI-compatible URL, to sample from. 409 if an
        operator has not allowed its host.
        """
        return endpoints.register_endpoint(**values, **self.who_and_when)

    @writes(
        "update_model", ModelSerializer, body=model_serializers.ModelChangeSerializer, is_one=True
    )
    def partial_update(self, model: TrainedModel, **values: Any) -> None:
        """Change its stage, licence, notes or card."""
        change_stage.change_model(model=model, **values, **self.who_and_when)

    @does("change_model", ModelSerializer, body=model_serializers.ModelChangeSerializer)
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

    @reads("read_model_card", model_serializers.CardSerializer)
    def card(self, request: Request, pk: int) -> Response:
        """The model's card, written by a person or generated."""
        model = self.get_object()
        card = {"text": cards.card_text(model=model), "is_written": bool(model.card)}
        return Response(model_serializers.CardSerializer(card).data)

    @reads(
        "read_model_scorecard",
        model_serializers.ScorecardSerializer,
        query=model_serializers.ScorecardQuery,
    )
    def scorecard(self, request: Request, pk: int) -> Response:
        """What it scored on suites, with the differences to a baseline."""
        model = self.get_object()
        offered = scorecards_selectors.baselines(model=model)
        baseline = scorecards_selectors.baseline_of(
            model=model, offered=offered, asked=self.asked.get("baseline")
        )
        card = scorecards_selectors.scorecard(models=[model], baseline=baseline)
        found = exports.as_json(card, with_details=True)
        return Response(model_serializers.ScorecardSerializer(found).data)

    @reads(
        "export_model",
        {(200, export.CONTENT_TYPE): OpenApiTypes.BINARY, **problems.described((409,))},
        query=model_serializers.ArchiveQuery,
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
        query=paging.PageQuery,
        serializer_class=PublicationSerializer,
    )
    def publications(self, request: Request, pk: int) -> Response:
        """Its publications to hubs, newest first."""
        return self.page(self.get_object().publications.all())

    @publications.mapping.post
    @writes(
        "publish_model",
        PublicationSerializer,
        body=model_serializers.NewPublicationSerializer,
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
        body=model_serializers.NewExportPublicationSerializer,
        status=201,
    )
    def create(self, **values: Any) -> Publication:
        """Publish an export to a hub as a data set, privately by default. A worker with the hub's
        token uploads it.
        """
        return registry_publish.publish_export(**values, **self.who_and_when)

    def get_object(self) -> Publication:
        return training_access.publication(user=self.by, pk=self.kwargs["pk"])
