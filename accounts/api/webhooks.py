"""Webhooks in the REST API: list them and rotate their secrets."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import webhooks
from accounts.api import idempotency, paging
from accounts.api.problems import Unable
from accounts.api.views import ApiView, asked, person, reads, writes
from accounts.models import Webhook


class WebhookSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    old_secret_until = serializers.DateTimeField(
        source="old_salt_until",
        allow_null=True,
        help_text="until then the secret before signs as well",
    )
    created_at = serializers.DateTimeField()
    disabled_at = serializers.DateTimeField(allow_null=True)


class WebhookSecretSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    secret = serializers.CharField(help_text="told in this answer alone")
    old_secret_until = serializers.DateTimeField(
        help_text="until then the secret before signs as well"
    )


class Webhooks(ApiView):
    @reads(
        "list_webhooks", paging.page_of(WebhookSerializer), query=paging.PageQuery, tag="webhooks"
    )
    def get(self, request: Request) -> Response:
        """List webhooks, newest first."""
        query = asked(paging.PageQuery, request)
        page = paging.page(Webhook.objects.all(), cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(WebhookSerializer(page.rows, many=True).data))


class WebhookDetail(ApiView):
    @reads("read_webhook", WebhookSerializer, is_one=True, tag="webhooks")
    def get(self, request: Request, pk: int) -> Response:
        """Get one webhook, without its secret."""
        return Response(WebhookSerializer(get_object_or_404(Webhook, pk=pk)).data)


class WebhookRotate(ApiView):
    """Idempotency-Keys are not supported, because the stored response would contain the secret. A
    repeated call answers 409: end the old secret, then rotate.
    """

    @writes("rotate_webhook_secret", WebhookSecretSerializer, is_one=True, tag="webhooks")
    def post(self, request: Request, pk: int) -> Response:
        """Create a new secret. For three days messages are signed with the previous secret too. 409
        while two secrets are active.
        """
        try:
            webhook, secret = webhooks.rotate_secret(
                webhook=get_object_or_404(Webhook, pk=pk), by=person(request), now=timezone.now()
            )
        except webhooks.UnableToRotate as problem:
            raise Unable(str(problem)) from problem
        body = {"id": webhook.pk, "secret": secret, "old_secret_until": webhook.old_salt_until}
        return Response(WebhookSecretSerializer(body).data)


class WebhookEndSecret(ApiView):
    @writes("end_webhook_secret", WebhookSerializer, is_one=True, tag="webhooks")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """End the previous secret. Has no effect if only one is active."""
        webhooks.end_old_secret(
            webhook=get_object_or_404(Webhook, pk=pk), by=person(request), now=timezone.now()
        )
        return Response(WebhookSerializer(get_object_or_404(Webhook, pk=pk)).data)


urlpatterns = [
    path("webhooks", Webhooks.as_view(), name="api_webhooks"),
    path("webhooks/<int:pk>", WebhookDetail.as_view(), name="api_webhook"),
    path("webhooks/<int:pk>/rotate", WebhookRotate.as_view(), name="api_webhook_rotate"),
    path("webhooks/<int:pk>/end-secret", WebhookEndSecret.as_view(), name="api_webhook_end_secret"),
]
