"""Webhooks in the REST API: list them and rotate their secrets."""

from typing import Any

from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.views import ApiViewSet, Router, described, does
from accounts.models import Webhook
from accounts.webhooks import services as webhooks_services


class WebhookSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    old_secret_until = serializers.DateTimeField(
        source="old_salt_until",
        allow_null=True,
        help_text="Until then, messages are also signed with the previous secret.",
    )
    created_at = serializers.DateTimeField()
    disabled_at = serializers.DateTimeField(allow_null=True)


class WebhookSecretSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    secret = serializers.CharField(help_text="Only returned in this response.")
    old_secret_until = serializers.DateTimeField(
        help_text="Until then, messages are also signed with the previous secret."
    )


@described(
    list_webhooks="Webhooks, newest first.",
    read_webhook="One webhook, without its secret.",
)
class Webhooks(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer

    # The response is not stored for its Idempotency-Key, because it contains the secret. A repeated
    # call gets 409: end the old secret, then rotate.
    @does("rotate_webhook_secret", WebhookSecretSerializer, is_remembered=False)
    def rotate(self, webhook: Webhook) -> dict[str, Any]:
        """Create a new secret. For three days messages are also signed with the previous one. 409
        while two secrets are valid.
        """
        webhook, secret = webhooks_services.rotate_secret(webhook=webhook, **self.who_and_when)
        return {"id": webhook.pk, "secret": secret, "old_secret_until": webhook.old_salt_until}

    @does("end_webhook_secret", WebhookSerializer, url_path="end-secret")
    def end_secret(self, webhook: Webhook) -> None:
        """Stop signing with the previous secret. Changes nothing if only one is valid."""
        webhooks_services.end_old_secret(webhook=webhook, **self.who_and_when)


router = Router()
router.register("webhooks", Webhooks, "api_webhook")
urlpatterns = router.urls
