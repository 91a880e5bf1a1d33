"""Webhooks in the REST API: create, change, rotate and delete them, and repeat their messages."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Delivery, IdempotentCall, User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import signing
from accounts.webhooks.services import Event
from config.api_permissions import Scope
from tests.api.conftest import client_with, secret_of
from tests.api.test_steering import post

Caller = Callable[..., Client]
MIRROR = {"name": "Mirror", "url": "https://hooks.example.org/", "events": ["run.finished"]}


@pytest.fixture
def calling() -> Caller:
    return lambda person, *scopes: client_with(secret_of(person, *scopes))


@pytest.fixture
def hook(alice: User) -> Webhook:
    return webhooks_services.create_webhook(
        name="CI",
        url="https://ci.example.org/hook",
        events=["run.finished"],
        by=alice,
        now=timezone.now(),
    )[0]


def valid_under(secret: str, signature: str, body: bytes, at: datetime) -> bool:
    """As docs/api.md says, for the message m-1."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"m-1.{int(at.timestamp())}.".encode() + body, "sha256")
    return f"v1,{b64encode(signed).decode()}" in signature.split(" ")


def signed(hook: Webhook, now: datetime) -> str:
    hook.refresh_from_db()
    return signing.headers(webhook=hook, message_id="m-1", body=b"{}", now=now)["webhook-signature"]


def test_both_secrets_are_valid_for_three_days_and_then_the_new_one_alone(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    before, now = signing.secret_of(hook), timezone.now()

    answer = post(calling(alice, Scope.WEBHOOKS), f"webhooks/{hook.pk}/rotate").json()

    meanwhile, later = now + timedelta(days=2), now + timedelta(days=3, minutes=1)
    assert answer["secret"] != before
    assert valid_under(before, signed(hook, meanwhile), b"{}", meanwhile)
    assert valid_under(answer["secret"], signed(hook, meanwhile), b"{}", meanwhile)
    assert not valid_under(before, signed(hook, later), b"{}", later)
    assert valid_under(answer["secret"], signed(hook, later), b"{}", later)


def test_a_second_rotation_waits_for_the_end_of_the_first(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    client, before = calling(alice), signing.secret_of(hook)
    post(client, f"webhooks/{hook.pk}/rotate")

    refused = post(client, f"webhooks/{hook.pk}/rotate")
    ended = post(client, f"webhooks/{hook.pk}/end-secret")

    assert refused.status_code == 409
    assert ended.json()["old_secret_until"] is None
    now = timezone.now()
    assert not valid_under(before, signed(hook, now), b"{}", now)
    assert post(client, f"webhooks/{hook.pk}/rotate").status_code == 200


def test_a_key_that_is_none_is_refused_although_the_secret_is_not_remembered(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    before = signing.secret_of(hook)

    refused = post(calling(alice), f"webhooks/{hook.pk}/rotate", idempotency_key="no key!")

    assert refused.status_code == 400
    hook.refresh_from_db()
    assert signing.secret_of(hook) == before


def test_a_new_secret_is_in_no_table(calling: Caller, alice: User, hook: Webhook) -> None:
    secret = post(calling(alice), f"webhooks/{hook.pk}/rotate", idempotency_key="r-1").json()[
        "secret"
    ]

    assert secret not in str(list(Webhook.objects.values()))
    assert not IdempotentCall.objects.exists()


def test_webhooks_are_read_without_their_secrets(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    client = calling(alice)

    assert client.get("/api/v1/webhooks").json()["results"] == [
        client.get(f"/api/v1/webhooks/{hook.pk}").json()
    ]
    assert "salt" not in client.get(f"/api/v1/webhooks/{hook.pk}").content.decode()


def test_the_pages_rotate_a_secret_and_end_the_one_before(
    signed_in: Callable[..., Client], alice: User, hook: Webhook
) -> None:
    client = signed_in(alice)

    made = client.post(f"/webhooks/{hook.pk}/rotate").content.decode()
    hook.refresh_from_db()
    page = client.get(f"/webhooks/{hook.pk}/").content.decode()
    client.post(f"/webhooks/{hook.pk}/end")

    assert signing.secret_of(hook) in made
    assert "Two secrets are valid" in page
    assert "Two secrets are valid" not in client.get(f"/webhooks/{hook.pk}/").content.decode()


def test_a_webhook_is_created_with_the_secret_that_signs_its_messages(
    calling: Caller, alice: User
) -> None:
    made = post(calling(alice, Scope.WEBHOOKS), "webhooks", MIRROR)

    hook = Webhook.objects.get()
    assert (made.status_code, made.json()) == (
        201,
        {"id": hook.pk, "secret": signing.secret_of(hook), "old_secret_until": None},
    )
    assert (hook.name, hook.url, hook.events) == tuple(MIRROR.values())
    created = AuditEvent.objects.get(
        action="create", target_type="accounts.webhook", target_id=hook.pk
    )
    assert created.by == alice


def test_the_secret_of_a_created_webhook_is_not_remembered_for_its_key(
    calling: Caller, alice: User
) -> None:
    post(calling(alice), "webhooks", MIRROR, idempotency_key="w-1")

    assert not IdempotentCall.objects.exists()


def test_a_url_that_can_receive_nothing_is_refused_by_its_name(
    calling: Caller, alice: User
) -> None:
    wrong = MIRROR | {"url": "gopher://x", "events": []}

    refused = post(calling(alice), "webhooks", wrong)

    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"url", "events"})
    assert not Webhook.objects.exists()


def test_a_change_keeps_what_it_does_not_name(calling: Caller, alice: User, hook: Webhook) -> None:
    changed = calling(alice).patch(
        f"/api/v1/webhooks/{hook.pk}",
        {"events": ["run.finished", "run.queued"]},
        content_type="application/json",
    )

    assert (changed.status_code, changed.json()["events"], changed.json()["name"]) == (
        200,
        ["run.queued", "run.finished"],
        "CI",
    )
    (event,) = AuditEvent.objects.filter(action="change")
    assert event.before["events"] == ["run.finished"]
    assert event.after["events"] == ["run.queued", "run.finished"]


def test_a_webhook_that_adds_judgments_gets_those_from_now_on(alice: User, hook: Webhook) -> None:
    Webhook.objects.update(judgments_told_to=3)
    later = timezone.now() + timedelta(days=1)
    events = [Event.RUN_FINISHED, Event.JUDGMENT_GIVEN]

    webhooks_services.change_webhook(
        webhook=hook, name=hook.name, url=hook.url, events=events, by=alice, now=later
    )

    hook.refresh_from_db()
    assert (hook.judgments_told_to, hook.enabled_at) == (None, later)


def test_a_webhook_is_disabled_enabled_and_deleted(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    client = calling(alice)

    disabled = post(client, f"webhooks/{hook.pk}/disable").json()
    enabled = post(client, f"webhooks/{hook.pk}/enable").json()
    deleted = client.delete(f"/api/v1/webhooks/{hook.pk}")

    assert disabled["disabled_at"] is not None
    assert enabled["disabled_at"] is None
    assert (deleted.status_code, Webhook.objects.exists()) == (204, False)


def test_its_messages_are_listed_and_one_is_sent_again(
    calling: Caller, alice: User, hook: Webhook
) -> None:
    client = calling(alice)
    for key in ("run-1", "run-2"):
        webhooks_services.send_event(
            event=Event.RUN_FINISHED, key=key, data={"id": 1}, now=timezone.now()
        )
    first, _second = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="given_up", n_tries=7, answer="503")

    listed = client.get(f"/api/v1/webhooks/{hook.pk}/deliveries").json()["results"]
    again = post(client, f"deliveries/{first.pk}/redeliver")
    pending = post(client, f"deliveries/{first.pk}/redeliver")

    assert [(one["message"], one["state"], one["n_attempts"]) for one in listed][1] == (
        str(first.uuid),
        "given_up",
        7,
    )
    assert (again.status_code, again.json()["state"], again.json()["n_attempts"]) == (
        200,
        "waiting",
        0,
    )
    assert (pending.status_code, "already pending" in pending.json()["detail"]) == (409, True)
    assert client.get(f"/api/v1/deliveries/{first.pk}").json() == again.json()
