"""Webhooks: signed, sent at least once, retried and given up. The receiver is a real server."""

import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta

import pytest
import standardwebhooks
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Delivery, User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import signing
from accounts.webhooks.services import PAUSES, Event
from tests.accounts.webhooks.webhook_receiver import Receiver, make, tell
from tests.cast import NOON
from tests.html import page_of

pytestmark = pytest.mark.django_db


def test_an_event_is_posted_with_its_kind_its_time_and_its_data(
    receiver: Receiver, hook: Webhook
) -> None:
    tell()

    webhooks_services.deliver_waiting(now=NOON)

    (body,) = receiver.bodies
    assert (body["event"], body["data"]) == ("run.finished", {"id": 1, "outcome": "succeeded"})
    assert Delivery.objects.get().state == "delivered"
    assert Delivery.objects.get().answer == "200 OK"


def test_a_library_of_standard_webhooks_verifies_a_message(receiver: Receiver, alice: User) -> None:
    _hook, secret = make(receiver.url, alice)
    now = timezone.now()  # the library refuses an old message
    webhooks_services.send_event(event=Event.RUN_FINISHED, key="k", data={"id": 7}, now=now)
    webhooks_services.deliver_waiting(now=now)

    ((headers, body),) = receiver.came
    found = standardwebhooks.Webhook(secret).verify(body, headers)

    assert found["data"] == {"id": 7}
    assert headers["webhook-id"] == found["id"] == str(Delivery.objects.get().uuid)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body + b" ", headers)


def test_during_a_rotation_the_library_accepts_either_secret(
    receiver: Receiver, alice: User
) -> None:
    hook, before = make(receiver.url, alice)
    now = timezone.now()
    _hook, after = webhooks_services.rotate_secret(webhook=hook, by=alice, now=now)
    webhooks_services.send_event(event=Event.RUN_FINISHED, key="k", data={}, now=now)
    webhooks_services.deliver_waiting(now=now)

    ((headers, body),) = receiver.came
    assert before != after
    for secret in (before, after):
        standardwebhooks.Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("is_old", [True, False])
def test_a_program_written_for_0_1_still_finds_its_signature(
    receiver: Receiver, alice: User, is_old: bool
) -> None:
    """With the secret that 0.1 showed for this webhook, and with one that is shown today."""
    _hook, secret = make(receiver.url, alice)
    if is_old:
        secret = "pfw_" + b64decode(secret.removeprefix("whsec_")).hex()
    tell()
    webhooks_services.deliver_waiting(now=NOON)

    ((headers, body),) = receiver.came
    at, *found = (part.split("=", 1)[1] for part in headers["Preferably-Signature"].split(","))
    assert int(at) == int(NOON.timestamp())
    expected = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert expected in found


def test_the_secret_is_in_no_table(receiver: Receiver, alice: User) -> None:
    hook, secret = make(receiver.url, alice)

    stored = " ".join(
        str(value)
        for value in [
            *Webhook.objects.values().get().values(),
            *AuditEvent.objects.values_list("after"),
        ]
    )

    assert secret.startswith("whsec_")
    assert secret.removeprefix(signing.MARK) not in stored
    assert b64decode(secret.removeprefix(signing.MARK)).hex() not in stored
    assert signing.secret_of(hook) == secret


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


@pytest.mark.slow
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


def test_the_pages_make_disable_enable_and_delete_a_webhook(
    alice: User, signed_in: Callable[[User], Client], receiver: Receiver
) -> None:
    client = signed_in(alice)
    assert b"No webhooks yet" in client.get("/webhooks/").content

    made = client.post(
        "/webhooks/new/", {"name": "Mirror", "url": receiver.url, "events": ["run.finished"]}
    )
    hook = Webhook.objects.get()
    assert signing.secret_of(hook).encode() in made.content
    tell()
    webhooks_services.deliver_waiting(now=NOON)
    page = page_of(client.get(f"/webhooks/{hook.pk}/"))
    assert "200 OK" in page
    assert signing.secret_of(hook) not in page

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
