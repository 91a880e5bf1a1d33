"""Webhooks: signed, sent at least once, tried again, and never sent inside the house. The receiver
is a real HTTP server.
"""

import asyncio
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, Delivery, User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import targets
from accounts.webhooks.services import PAUSES, Event, UnableToCreateWebhook
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Rater
from labeling.queue import webhook_events
from labeling.queue.claiming import claim
from labeling.queue.feed import SETTLED_AFTER
from tests.cast import NOON
from tests.html import page_of

pytestmark = pytest.mark.django_db


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


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_STAY_INSIDE = True
    has_ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            own.came.append((dict(self.headers), body))
            if own.is_slow:
                self.answer_a_letter_at_a_time()
                return
            self.send_response(own.status, own.reason or None)
            if own.location:
                self.send_header("Location", own.location)
            self.end_headers()

        def answer_a_letter_at_a_time(self) -> None:
            with suppress(OSError):
                while not has_ended.wait(0.05):
                    self.wfile.write(b"H")

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    own = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield own
    has_ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook(receiver: Receiver, alice: User) -> Webhook:
    return make(receiver.url, alice)[0]


def make(url: str, by: User, *events: Event) -> tuple[Webhook, str]:
    return webhooks_services.create_webhook(
        name="Mirror", url=url, events=events or tuple(Event), by=by, now=NOON
    )


def tell(key: str = "run-1-1-run.finished") -> None:
    webhooks_services.send_event(
        event=Event.RUN_FINISHED, key=key, data={"id": 1, "outcome": "succeeded"}, now=NOON
    )


def test_an_event_is_posted_with_its_kind_its_time_and_its_data(
    receiver: Receiver, hook: Webhook
) -> None:
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    (body,) = receiver.bodies
    assert (body["event"], body["data"]) == ("run.finished", {"id": 1, "outcome": "succeeded"})
    assert Delivery.objects.get().state == "delivered"
    assert Delivery.objects.get().answer == "200 OK"


def test_the_receiver_can_check_the_signature_with_the_secret_it_was_shown(
    receiver: Receiver, alice: User
) -> None:
    _hook, secret = make(receiver.url, alice)
    tell()
    webhooks_services.deliver_waiting(now=NOON)

    ((headers, body),) = receiver.came
    parts = dict(part.split("=") for part in headers["Preferably-Signature"].split(","))
    expected = hmac.new(
        secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    assert parts["v1"] == expected
    assert int(parts["t"]) == int(NOON.timestamp())


def test_the_secret_is_in_no_table(receiver: Receiver, alice: User) -> None:
    hook, secret = make(receiver.url, alice)

    stored = " ".join(
        str(value)
        for value in [
            *Webhook.objects.values().get().values(),
            *AuditEvent.objects.values_list("after"),
        ]
    )

    assert secret.startswith("pfw_")
    assert secret not in stored
    assert secret.removeprefix(webhooks_services.MARK) not in stored
    assert webhooks_services.secret_of(hook) == secret


def test_an_event_that_is_told_twice_is_sent_once(receiver: Receiver, hook: Webhook) -> None:
    tell()
    tell()

    webhooks_services.deliver_waiting(now=NOON)
    webhooks_services.deliver_waiting(now=NOON + timedelta(days=1))

    assert len(receiver.came) == 1


def test_what_was_not_chosen_is_not_told(receiver: Receiver, alice: User) -> None:
    make(receiver.url, alice, Event.CAMPAIGN_CHANGED)

    tell()

    assert not Delivery.objects.exists()


def test_a_refused_message_is_tried_again_with_growing_pauses_and_given_up_in_the_end(
    receiver: Receiver, hook: Webhook
) -> None:
    receiver.status = 503
    tell()

    now, waited = NOON, []
    for _try in range(len(PAUSES) + 1):
        webhooks_services.deliver_waiting(now=now)
        delivery = Delivery.objects.get()
        waited.append(delivery.due_at - now)
        now = delivery.due_at

    assert waited[:-1] == list(PAUSES)
    assert (delivery.state, delivery.n_tries, delivery.answer) == (
        "given_up",
        7,
        "503 Service Unavailable",
    )
    assert (
        len({body["id"] for body in map(json.loads, (body for _headers, body in receiver.came))})
        == 1
    )


def test_a_receiver_that_is_away_gets_it_when_it_is_back(receiver: Receiver, hook: Webhook) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/told")
    tell()
    webhooks_services.deliver_waiting(now=NOON)
    assert Delivery.objects.get().state == "waiting"

    Webhook.objects.update(url=receiver.url)
    webhooks_services.deliver_waiting(now=NOON + PAUSES[0])

    assert len(receiver.came) == 1


def test_a_message_in_a_dead_workers_hands_is_sent_by_another(
    receiver: Receiver, hook: Webhook
) -> None:
    tell()
    Delivery.objects.update(n_tries=1, due_at=NOON + webhooks_services.CLAIMED_FOR)

    webhooks_services.deliver_waiting(now=NOON)
    assert receiver.came == []
    webhooks_services.deliver_waiting(now=NOON + webhooks_services.CLAIMED_FOR)

    assert len(receiver.came) == 1


def test_a_receiver_that_answers_a_letter_at_a_time_is_left_after_a_while(
    receiver: Receiver, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks_services, "TIMEOUT_S", 0.5)
    receiver.is_slow = True
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    assert Delivery.objects.get().state == "waiting"
    assert Delivery.objects.get().answer == "No response within 0.5 seconds."


def test_an_answer_longer_than_its_field_is_cut(receiver: Receiver, hook: Webhook) -> None:
    receiver.status, receiver.reason = 500, "long " * 1000
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    assert Delivery.objects.get().answer.startswith("500 long long")


def test_a_crowd_that_waits_for_one_receiver_holds_up_no_other(
    receiver: Receiver, hook: Webhook, alice: User
) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/told")
    for n in range(webhooks_services.N_AT_ONCE * 3):
        tell(f"run-{n}")
    make(receiver.url, alice)
    tell("run-of-both")

    webhooks_services.deliver_waiting(now=NOON)

    assert len(receiver.came) == 1


def test_what_waits_for_a_receiver_that_is_away_is_not_tried_one_by_one(
    receiver: Receiver, hook: Webhook
) -> None:
    receiver.status = 503
    for n in range(webhooks_services.N_AT_ONCE * 3):
        tell(f"run-{n}")

    webhooks_services.deliver_waiting(now=NOON)
    webhooks_services.deliver_waiting(now=NOON + timedelta(seconds=10))

    assert len(receiver.came) == webhooks_services.N_AT_ONCE


def test_a_late_answer_changes_nothing_once_another_worker_has_tried(
    receiver: Receiver, hook: Webhook
) -> None:
    tell()
    claimed = webhooks_services._claim_due(NOON)
    later = webhooks_services._claim_due(NOON + webhooks_services.CLAIMED_FOR)

    webhooks_services._note(claimed[0], webhooks_services.Answer(False, "late"), NOON)

    assert len(later) == 1
    assert (Delivery.objects.get().n_tries, Delivery.objects.get().answer) == (2, "")


def test_messages_older_than_thirty_days_are_gone(receiver: Receiver, hook: Webhook) -> None:
    tell()
    webhooks_services.deliver_waiting(now=NOON)

    webhooks_services.deliver_waiting(now=NOON + webhooks_services.KEPT_FOR + timedelta(seconds=1))

    assert not Delivery.objects.exists()


def test_a_redirect_is_not_followed(receiver: Receiver, hook: Webhook) -> None:
    receiver.status, receiver.location = 302, receiver.url
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    assert len(receiver.came) == 1
    assert Delivery.objects.get().state == "waiting"


def test_a_disabled_webhook_hears_nothing(receiver: Receiver, hook: Webhook, alice: User) -> None:
    webhooks_services.disable_webhook(webhook=hook, by=alice, now=NOON)

    tell()
    webhooks_services.deliver_waiting(now=NOON)

    assert (receiver.came, Delivery.objects.count()) == ([], 0)


def test_a_message_can_be_sent_again_by_hand(
    receiver: Receiver, hook: Webhook, alice: User
) -> None:
    tell()
    webhooks_services.deliver_waiting(now=NOON)

    assert webhooks_services.redeliver(delivery=Delivery.objects.get(), by=alice, now=NOON)
    webhooks_services.deliver_waiting(now=NOON)

    assert len(receiver.came) == 2
    assert AuditEvent.objects.filter(action="redeliver").exists()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.4.4", "169.254.169.254", "100.64.0.1",
        "0.1.2.3", "224.0.0.1", "::1", "fe80::1", "fd00::1", "fec0::1",
        "::ffff:10.0.0.1", "::10.0.0.1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_addresses_of_the_house_are_inside(address: str) -> None:
    assert not targets.is_outside(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_addresses_of_the_internet_are_outside(address: str) -> None:
    assert targets.is_outside(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "[::1]", "0x7f.1"]
)
def test_nothing_is_sent_inside_the_house(
    receiver: Receiver, alice: User, settings: LazySettings, host: str
) -> None:
    settings.WEBHOOKS_MAY_STAY_INSIDE = False
    Webhook.objects.create(
        name="x",
        url=f"https://{host}:{receiver.port}/",
        events=list(Event),
        salt="s",
        created_at=NOON,
        enabled_at=NOON,
    )
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    assert receiver.came == []
    assert (
        "inside this network" in Delivery.objects.get().answer
        or "not known" in Delivery.objects.get().answer
    )


def test_a_name_that_leads_inside_a_moment_later_is_called_where_it_led_when_it_was_looked_at(
    receiver: Receiver, hook: Webhook, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOKS_MAY_STAY_INSIDE = False
    led_to = ["93.184.216.34", "127.0.0.1", "127.0.0.1"]
    real = socket.getaddrinfo

    def rebinding(host: str | None, port: int, *rest: Any, **more: Any) -> Any:
        return real(led_to.pop(0) if host == "rebinding.example" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    target = asyncio.run(webhooks_services._resolved("https://rebinding.example:8443/told?a=1"))

    assert target == targets.Target(
        "https://93.184.216.34:8443/told?a=1", "rebinding.example", "rebinding.example:8443"
    )
    with pytest.raises(webhooks_services.AddressRefused, match="inside this network"):
        asyncio.run(webhooks_services._resolved("https://rebinding.example:8443/told"))


def test_a_certificate_is_checked_for_the_name_and_not_for_the_number(
    receiver: Receiver, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = ssl.SSLContext.wrap_bio

    def wrap_bio(*given: Any, **more: Any) -> ssl.SSLObject:
        asked.append(more["server_hostname"])
        return real(*given, **more)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", wrap_bio)
    Webhook.objects.update(url=f"https://localhost:{receiver.port}/told")
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    assert asked == [b"localhost"]
    assert Delivery.objects.get().state == "waiting"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "example.org",
        "https://",
        "https://me:secret@example.org/",
        "https://[::1",
        "http://example.org/",
        f"https://{'a' * 64}.org/",
    ],
)
def test_an_address_that_can_be_none_is_refused_with_a_sentence(alice: User, url: str) -> None:
    with pytest.raises(UnableToCreateWebhook, match="https://"):
        make(url, alice)


def test_campaigns_tell_when_they_open_pause_and_close(
    demonstration_campaign: Campaign, alice: User, receiver: Receiver
) -> None:
    make(receiver.url, alice)
    campaigns_services.pause_campaign(campaign=demonstration_campaign, by=alice, now=NOON)

    webhooks_services.deliver_waiting(now=NOON)

    (body,) = receiver.bodies
    assert body["event"] == "campaign.changed"
    assert body["data"]["state"] == "paused"


def test_a_campaign_whose_budget_is_spent_tells_that_it_is_paused(
    demonstration_campaign: Campaign, rosa: Rater, receiver: Receiver, alice: User
) -> None:
    make(receiver.url, alice, Event.CAMPAIGN_CHANGED)
    Campaign.objects.update(budget_unit="judgments", budget=1)

    write(demonstration_campaign, rosa)

    assert json.loads(Delivery.objects.get().body)["data"]["state"] == "paused"


def test_a_judgment_is_told_once_when_it_cannot_be_undone_any_more(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook
) -> None:
    given_at = NOON + timedelta(seconds=1)
    write(demonstration_campaign, rosa, given_at)

    assert webhook_events.queue_judgment_events(now=given_at) == 0
    assert webhook_events.queue_judgment_events(now=given_at + SETTLED_AFTER) == 1
    assert webhook_events.queue_judgment_events(now=given_at + SETTLED_AFTER) == 0

    data = json.loads(Delivery.objects.get(event="judgment.given").body)["data"]
    assert (data["campaign"], data["kind"], data["rater"]) == (
        demonstration_campaign.pk,
        "demonstration",
        rosa.alias,
    )


def test_a_judgment_right_after_the_webhook_was_made_is_told(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook
) -> None:
    write(demonstration_campaign, rosa, NOON + timedelta(seconds=1))

    webhook_events.queue_judgment_events(now=NOON + timedelta(minutes=1))

    assert Delivery.objects.filter(event="judgment.given").count() == 1


def test_what_was_judged_while_it_was_disabled_is_not_told(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook, alice: User
) -> None:
    webhook_events.queue_judgment_events(now=NOON)
    webhooks_services.disable_webhook(webhook=hook, by=alice, now=NOON)
    write(demonstration_campaign, rosa, NOON + timedelta(seconds=1))
    webhooks_services.enable_webhook(webhook=hook, by=alice, now=NOON + timedelta(seconds=2))

    webhook_events.queue_judgment_events(now=NOON + timedelta(minutes=1))

    assert not Delivery.objects.filter(event="judgment.given").exists()


def test_judgments_from_before_the_webhook_are_not_told(
    demonstration_campaign: Campaign, rosa: Rater, receiver: Receiver, alice: User
) -> None:
    write(demonstration_campaign, rosa)
    make(receiver.url, alice)

    webhook_events.queue_judgment_events(now=NOON + SETTLED_AFTER)
    webhook_events.queue_judgment_events(now=NOON + SETTLED_AFTER)

    assert not Delivery.objects.exists()


def test_the_pages_make_disable_enable_and_delete_a_webhook(
    alice: User, signed_in: Callable[[User], Client], receiver: Receiver
) -> None:
    client = signed_in(alice)
    assert b"No webhooks yet" in client.get("/webhooks/").content

    made = client.post(
        "/webhooks/new/", {"name": "Mirror", "url": receiver.url, "events": ["run.finished"]}
    )
    hook = Webhook.objects.get()
    assert webhooks_services.secret_of(hook).encode() in made.content
    tell()
    webhooks_services.deliver_waiting(now=NOON)
    page = page_of(client.get(f"/webhooks/{hook.pk}/"))
    assert "200 OK" in page
    assert webhooks_services.secret_of(hook) not in page

    client.post(f"/webhooks/messages/{Delivery.objects.get().pk}/again")
    assert Delivery.objects.get().state == "waiting"
    client.post(f"/webhooks/{hook.pk}/disable")
    assert "Disabled: nothing is sent" in page_of(client.get(f"/webhooks/{hook.pk}/"))
    client.post(f"/webhooks/{hook.pk}/enable")
    client.post(f"/webhooks/{hook.pk}/delete")
    assert not Webhook.objects.exists()


def test_a_wrong_address_is_told_on_the_form(
    alice: User, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(alice).post(
        "/webhooks/new/", {"name": "x", "url": "gopher://x", "events": ["run.finished"]}
    )

    assert answer.status_code == 422
    assert "is not a valid URL" in page_of(answer)


def write(campaign: Campaign, rater: Rater, now: datetime = NOON) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="Two.", sources=""),
        recorded=Recorded(presentation={}, active_s=1, warnings=[]),
        now=now,
    )
