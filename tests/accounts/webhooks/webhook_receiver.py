"""What a real HTTP server received from webhooks, and how to create and trigger one, for tests."""

import json
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from tests.cast import NOON


@dataclass
class Receiver:
    """What came, and what is answered to it."""

    port: int
    status: int = 200
    reason: str = ""
    location: str = ""
    is_slow: bool = False
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.came]


def make(url: str, by: User, *events: Event) -> tuple[Webhook, str]:
    return webhooks_services.create_webhook(
        name="Mirror", url=url, events=events or tuple(Event), by=by, now=NOON
    )


def tell(key: str = "run-1-1-run.finished") -> None:
    webhooks_services.send_event(
        event=Event.RUN_FINISHED, key=key, data={"id": 1, "outcome": "succeeded"}, now=NOON
    )
