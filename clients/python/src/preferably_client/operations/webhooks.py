"""Webhooks and their messages."""

from collections.abc import Sequence
from typing import Any

from preferably_client.core import Call, Listing, delete, get, pages, patch, post
from preferably_client.operation import listing, operation
from preferably_client.rows.webhooks import Delivery, Webhook, WebhookSecret


class WebhookOperations:
    @listing
    def list_webhooks(self) -> Listing[Webhook]:
        return pages(Webhook, "webhooks")

    @operation
    def read_webhook(self, webhook_id: int) -> Call[Webhook]:
        return get(Webhook, f"webhooks/{webhook_id}")

    @operation
    def create_webhook(self, name: str, url: str, events: Sequence[str]) -> Call[WebhookSecret]:
        """Keep the secret: it is only in this response. If the response is lost, the call is not
        sent again; delete what it may have created, then create it again.
        """
        body = {"name": name, "url": url, "events": list(events)}
        return post(WebhookSecret, "webhooks", body, is_repeatable=False)

    @operation
    def change_webhook(self, /, webhook_id: int, **wanted: Any) -> Call[Webhook]:
        """`wanted`: name, url, events. Omitted fields keep their value."""
        return patch(Webhook, f"webhooks/{webhook_id}", wanted)

    @operation
    def disable_webhook(self, webhook_id: int) -> Call[Webhook]:
        return post(Webhook, f"webhooks/{webhook_id}/disable")

    @operation
    def enable_webhook(self, webhook_id: int) -> Call[Webhook]:
        return post(Webhook, f"webhooks/{webhook_id}/enable")

    @operation
    def delete_webhook(self, webhook_id: int) -> Call[None]:
        return delete(f"webhooks/{webhook_id}")

    @operation
    def rotate_webhook_secret(self, webhook_id: int) -> Call[WebhookSecret]:
        """Messages are also signed with the old secret for three days. If the response is lost, end
        the old secret and rotate again.
        """
        return post(WebhookSecret, f"webhooks/{webhook_id}/rotate", is_repeatable=False)

    @operation
    def end_webhook_secret(self, webhook_id: int) -> Call[Webhook]:
        """Stops signing with the previous secret."""
        return post(Webhook, f"webhooks/{webhook_id}/end-secret")

    @listing
    def list_webhook_deliveries(self, webhook_id: int) -> Listing[Delivery]:
        """Its messages of the last thirty days, newest first."""
        return pages(Delivery, f"webhooks/{webhook_id}/deliveries")

    @operation
    def read_webhook_delivery(self, delivery_id: int) -> Call[Delivery]:
        return get(Delivery, f"deliveries/{delivery_id}")

    @operation
    def redeliver_webhook_message(self, delivery_id: int) -> Call[Delivery]:
        return post(Delivery, f"deliveries/{delivery_id}/redeliver")
