"""Webhooks are never sent to private addresses, and only to the address that was checked."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Delivery, User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import targets
from accounts.webhooks.services import Event, UnableToCreateWebhook
from tests.accounts.webhooks.webhook_receiver import Receiver, make, tell
from tests.cast import NOON

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.4.4", "169.254.169.254", "100.64.0.1",
        "0.1.2.3", "224.0.0.1", "::1", "fe80::1", "fd00::1", "fec0::1",
        "::ffff:10.0.0.1", "::10.0.0.1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
        "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "3fff::1", "3fff:fff::1",
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


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "[::1]", "0x7f.1", "10.0.0.7"]
)
def test_the_form_refuses_an_address_that_would_not_be_called(
    alice: User, signed_in: Callable[[User], Client], settings: LazySettings, host: str
) -> None:
    settings.WEBHOOKS_MAY_STAY_INSIDE = False
    form = {"name": "Mirror", "url": f"https://{host}/", "events": ["run.finished"]}

    answer = signed_in(alice).post("/webhooks/new/", form)

    assert answer.status_code == 422
    assert "is inside this network. Webhooks are not sent there." in answer.text
    assert not Webhook.objects.exists()
