"""What pages send by script, and not by a form: who sends what, by URL name."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.models import Conversation, Slot
from tests.labeling.desk.conversations.talking import answered, turn_of
from tests.labeling.desk.posting import start
from tests.pages.stale.scenes.cast import admin, browser, comparing, researcher, worker
from tests.pages.stale.scenes.desk import talk, writing
from training.models import TrainedModel

DRAFT = json.dumps({"revision": 9, "fields": {"text": ["Half a sentence"]}, "version": 0})


@dataclass(frozen=True)
class Request:
    person: User
    path: str
    body: str | dict[str, str]
    """JSON if it is a text"""

    def send(self, client: Client) -> Any:
        if isinstance(self.body, str):
            return client.post(self.path, self.body, content_type="application/json")
        return client.post(self.path, self.body)


def desk_request(name: str, body: str | dict[str, str]) -> Callable[[], Request]:
    def make() -> Request:
        address = start(browser(worker()), writing())
        return Request(worker(), f"{address}{name}", body)

    return make


def turn_request(name: str, body: str | dict[str, str]) -> Callable[[], Request]:
    def make() -> Request:
        _client, _address, conversation = talk()
        answered(conversation, now=timezone.now())
        path = f"/desk/turns/{turn_of(conversation).lease}/{name}"
        return Request(worker(), path, body)

    return make


def ask_a_model() -> Request:
    model = TrainedModel.objects.order_by("pk")[0]
    parts = [{"model": model.pk, "messages": [{"role": "user", "content": "Hi"}]}]
    sampling = {"temperature": 0.7, "top_p": 0.95, "max_new_tokens": 24, "seed": None}
    body = json.dumps({"parts": parts, "sampling": sampling})
    return Request(researcher(), "/models/try/ask", body)


REQUESTS: dict[str, Callable[[], Request]] = {
    "campaign_count": lambda: Request(admin(), "/campaigns/new/count", {"kind": "comparison"}),
    "campaign_preview_text": lambda: Request(
        admin(), f"/campaigns/{comparing().pk}/preview/text", {"text": "Some *text*"}
    ),
    "desk_draft": desk_request("draft", DRAFT),
    "desk_heartbeat": desk_request("heartbeat", {}),
    "desk_preview": desk_request("preview", {"text": "Some *text*"}),
    "model_answer_stop": lambda: Request(researcher(), "/models/try/answers/gone/stop", {}),
    "model_ask": ask_a_model,
    "run_cost": lambda: Request(researcher(), "/runs/new/sample/cost", {"n_gpus": "x"}),
    "turn_draft": turn_request("draft", DRAFT),
    "turn_heartbeat": turn_request("heartbeat", {}),
}


def the_item_is_released() -> None:
    """In another tab; of a conversation, its opening item."""
    conversation = Conversation.objects.filter(rater__user=worker(), state="open").last()
    held = Slot.objects.filter(rater__user=worker(), state="leased").latest("leased_at")
    lease = (
        turn_of(conversation).lease
        if conversation and held.item_id == conversation.item_id
        else None
    )
    path = f"/desk/turns/{lease}/release" if lease else f"/desk/item/{held.lease}/release"
    assert browser(worker()).post(path).status_code == 302
