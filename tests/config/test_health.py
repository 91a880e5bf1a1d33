"""The probes: /healthz looks at nothing, /readyz at the database and Redis, and neither waits."""

import socket
import time
from collections.abc import Iterator

import pytest
import services
from django.conf import LazySettings
from django.db import connection
from django.test import Client

pytestmark = pytest.mark.django_db
FROZEN = pytest.param(True, marks=pytest.mark.slow)  # the site waits for it


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that accepts connections and never answers, like a frozen server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_site_with_database_and_redis_is_ready(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize("is_frozen", [False, FROZEN])
def test_without_redis_it_is_not_ready(
    client: Client, settings: LazySettings, mute: int, is_frozen: bool
) -> None:
    port = mute if is_frozen else services.free_port()
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

    began_at = time.monotonic()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "redis is not responding\n")
    assert time.monotonic() - began_at < 10


@pytest.mark.parametrize("is_frozen", [False, FROZEN])
def test_without_the_database_it_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, mute: int, is_frozen: bool
) -> None:
    port = mute if is_frozen else services.free_port()
    monkeypatch.setitem(connection.settings_dict, "PORT", str(port))

    began_at = time.monotonic()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "database is not responding\n")
    assert time.monotonic() - began_at < 10
    assert client.get("/healthz").text == "ok\n"
