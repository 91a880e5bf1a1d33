"""Webhooks in the REST API: create and change them, rotate their secrets, and read and repeat their
deliveries.
"""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request

from accounts.api import paging
from accounts.api.fields import Name
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import (
    ApiViewSet,
    described,
    does,
    reads,
    removes,
    writes,
)
from accounts.models import Delivery, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import targets
from accounts.webhooks.services import Event


class WebhookSerializer(RowSerializer):
    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Webhook
        fields = ["id", "name", "url", "events", "old_secret_until", "created_at", "disabled_at"]
        sources = {"old_secret_until": "old_salt_until"}
        help_texts = {
            "old_secret_until": "Until then, messages are also signed with the previous secret."
        }


class WebhookSecretSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    secret = serializers.CharField(help_text="Only returned in this response.")
    old_secret_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Until then, messages are also signed with the previous secret.",
    )


class WebhookBody(serializers.Serializer[object]):
    name = Name(max_length=100)
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=[(event.value, event.value) for event in Event]),
        allow_empty=False,
    )

    def validate_url(self, url: str) -> str:
        problem = targets.problem_of(url)
        if problem:
            raise serializers.ValidationError(problem)
        return url


class DeliverySerializer(RowSerializer):
    state = serializers.ChoiceField(
        choices=[(state.value, state.value) for state in Delivery.State],
        help_text="`given_up` after the last attempt failed.",
    )

    class Meta:
        model = Delivery
        fields = [
            "id", "webhook", "message", "event", "body", "state", "n_attempts", "answer", "due_at",
            "created_at", "tried_at",
        ]  # fmt: skip
        sources = {"message": "uuid", "n_attempts": "n_tries"}
        help_texts = {
            "message": "The header `webhook-id`.",
            "body": "The JSON as it is sent.",
            "answer": "The result of the last attempt.",
            "due_at": "While it waits: the time of the next attempt.",
        }


@described(
    list_webhooks="Webhooks, newest first.",
    read_webhook="One webhook, without its secret.",
)
class Webhooks(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer

    # Responses with a secret are not stored for their Idempotency-Key. A repeated rotation gets
    # 409: end the old secret, then rotate. A repeated creation makes another webhook, which can be
    # deleted.
    @writes(
        "create_webhook", WebhookSecretSerializer, body=WebhookBody, status=201, is_remembered=False
    )
    def create(self, **values: Any) -> dict[str, object]:
        """Create a webhook. It receives events from now on, signed with the secret in this
        response.
        """
        webhook, secret = webhooks_services.create_webhook(**values, **self.who_and_when)
        return {"id": webhook.pk, "secret": secret, "old_secret_until": None}

    @writes("change_webhook", WebhookSerializer, body=WebhookBody, is_one=True)
    def partial_update(self, webhook: Webhook, **values: object) -> None:
        """Change its name, URL or events. Pending messages go to the new URL."""
        now = {"name": webhook.name, "url": webhook.url, "events": webhook.events}
        webhooks_services.change_webhook(webhook=webhook, **now | values, **self.who_and_when)

    @removes("delete_webhook")
    def destroy(self, webhook: Webhook) -> None:
        """Delete the webhook and its deliveries permanently."""
        webhooks_services.delete_webhook(webhook=webhook, **self.who_and_when)

    @does("disable_webhook", WebhookSerializer)
    def disable(self, webhook: Webhook) -> None:
        """Stop recording and sending events. Pending messages wait until it is enabled."""
        webhooks_services.disable_webhook(webhook=webhook, **self.who_and_when)

    @does("enable_webhook", WebhookSerializer)
    def enable(self, webhook: Webhook) -> None:
        """Resume with events from now on, and send what was pending."""
        webhooks_services.enable_webhook(webhook=webhook, **self.who_and_when)

    @does("rotate_webhook_secret", WebhookSecretSerializer, is_remembered=False)
    def rotate(self, webhook: Webhook) -> dict[str, object]:
        """Create a new secret. For three days messages are also signed with the previous one. 409
        while two secrets are valid.
        """
        webhook, secret = webhooks_services.rotate_secret(webhook=webhook, **self.who_and_when)
        return {"id": webhook.pk, "secret": secret, "old_secret_until": webhook.old_salt_until}

    @does("end_webhook_secret", WebhookSerializer, url_path="end-secret")
    def end_secret(self, webhook: Webhook) -> None:
        """Stop signing with the previous secret. Changes nothing if only one is valid."""
        webhooks_services.end_old_secret(webhook=webhook, **self.who_and_when)

    @reads(
        "list_webhook_deliveries",
        paging.page_of(DeliverySerializer),
        query=paging.PageQuery,
        serializer_class=DeliverySerializer,
    )
    def deliveries(self, request: Request, pk: int) -> HttpResponseBase:
        """Its messages of the last thirty days, newest first."""
        return self.page(self.get_object().deliveries.all())


@described(read_webhook_delivery="One message to a webhook, with the result of the last attempt.")
class Deliveries(RetrieveModelMixin, ApiViewSet):
    queryset = Delivery.objects.select_related("webhook")
    serializer_class = DeliverySerializer

    @does("redeliver_webhook_message", DeliverySerializer)
    def redeliver(self, delivery: Delivery) -> None:
        """Send it again within a few seconds, as if it were new. 409 while it is pending or its
        webhook is disabled.
        """
        if not webhooks_services.redeliver(delivery=delivery, **self.who_and_when):
            raise Unable(
                _("This message is already pending, or its webhook is disabled. Enable it first.")
            )
