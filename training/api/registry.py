"""What a program does with a model that there is: its stage, notes, licence and card, and its way
to a hub.
"""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency, paging
from accounts.api.problems import Unable
from accounts.api.views import ApiView, asked, person, reads, sent, writes
from training import access, selectors, services
from training.api import serializers


class ModelChange(ApiView):
    @writes(
        "change_model",
        serializers.ModelSerializer,
        body=serializers.ModelChangeSerializer,
        is_one=True,
        tag="models",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Change its stage, licence, notes or card. What is left out stays."""
        values = sent(serializers.ModelChangeSerializer, request)
        model = access.model(user=person(request), pk=pk)
        services.change_model(model=model, **values, by=person(request), now=timezone.now())
        return Response(serializers.ModelSerializer(access.model(user=person(request), pk=pk)).data)


class ModelCard(ApiView):
    @reads("read_model_card", serializers.CardSerializer, is_one=True, tag="models")
    def get(self, request: Request, pk: int) -> Response:
        """Its card: a person's words where there are some, else made from what is known."""
        model = access.model(user=person(request), pk=pk)
        card = {"text": selectors.card_text(model=model), "is_written": bool(model.card)}
        return Response(serializers.CardSerializer(card).data)


class ModelPublications(ApiView):
    @reads(
        "list_model_publications",
        paging.page_of(serializers.PublicationSerializer),
        query=paging.PageQuery,
        is_one=True,
        tag="models",
    )
    def get(self, request: Request, pk: int) -> Response:
        """Its ways to hubs, the newest first."""
        query = asked(paging.PageQuery, request)
        model = access.model(user=person(request), pk=pk)
        page = paging.page(
            model.publications.all(), cursor=query.get("cursor"), limit=query["limit"]
        )
        return Response(page.as_json(serializers.PublicationSerializer(page.rows, many=True).data))

    @writes(
        "publish_model",
        serializers.PublicationSerializer,
        body=serializers.NewPublicationSerializer,
        status=201,
        is_one=True,
        tag="models",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Send it to a hub, private unless you say otherwise. A worker that has the hub's token
        takes it.
        """
        values = sent(serializers.NewPublicationSerializer, request)
        model = access.model(user=person(request), pk=pk)
        try:
            made = services.publish_model(
                model=model, **values, by=person(request), now=timezone.now()
            )
        except services.UnableToPublish as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.PublicationSerializer(made).data, status=201)


class PublicationDetail(ApiView):
    @reads("read_publication", serializers.PublicationSerializer, is_one=True, tag="models")
    def get(self, request: Request, pk: int) -> Response:
        """How far a model is on its way to a hub."""
        return Response(
            serializers.PublicationSerializer(access.publication(user=person(request), pk=pk)).data
        )
