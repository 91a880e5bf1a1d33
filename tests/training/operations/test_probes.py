"""The probes: /livez looks at nothing, /readyz at what the site needs, and neither waits long."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
import services
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from training.operations import readiness

pytestmark = pytest.mark.django_db
FROZEN = pytest.param(True, marks=pytest.mark.slow)  # the site waits for it
ALL_WELL = {"database": "ok", "migrations": "ok", "broker": "ok", "artifacts": "ok"}
UNKNOWN = ("training", "9999_of_the_next_release")


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that accepts connections and never answers, like a frozen server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_site_with_all_it_needs_is_ready(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": ALL_WELL}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/metrics"])
def test_a_probe_by_ip_address_over_plain_http_is_answered(
    client: Client, settings: LazySettings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = "for prometheus"

    answer = client.get(
        path, headers={"host": "10.1.2.3:8000", "Authorization": "Bearer for prometheus"}
    )

    assert answer.status_code == 200


def test_a_page_by_an_unknown_name_is_still_refused(client: Client) -> None:
    assert client.get("/account/login/", headers={"host": "10.1.2.3"}).status_code == 400


@pytest.mark.parametrize("is_frozen", [False, FROZEN])
def test_without_redis_it_serves_people_and_says_what_waits(
    client: Client, settings: LazySettings, mute: int, is_frozen: bool
) -> None:
    port = mute if is_frozen else services.free_port()
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

    began_at = time.monotonic()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"] == ALL_WELL | {
        "broker": "The broker (Redis) is not responding. Imports, runs, reports and mail wait."
    }
    assert time.monotonic() - began_at < 30


@pytest.mark.parametrize("is_frozen", [False, FROZEN])
def test_without_the_database_it_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, mute: int, is_frozen: bool
) -> None:
    port = mute if is_frozen else services.free_port()
    monkeypatch.setitem(connection.settings_dict, "PORT", str(port))

    began_at = time.monotonic()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["checks"]["database"] == "The database is not responding."
    assert time.monotonic() - began_at < 30
    assert client.get("/livez").text == "ok\n"


def test_a_store_that_does_not_answer_is_asked_once_at_a_time() -> None:
    is_over, asked = Event(), []

    def check() -> str:
        asked.append(1)
        is_over.wait(60)
        return "answered"

    store = readiness.InBackground(check, limit_s=0.01)

    assert store.problem(otherwise="no answer") == "no answer"
    assert store.problem(otherwise="no answer") == "no answer"
    is_over.set()
    store = readiness.InBackground(check, limit_s=10)
    assert store.problem(otherwise="no answer") == "answered"
    assert len(asked) == 2


def test_a_folder_of_artifacts_that_is_not_there_yet_is_no_problem(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.ARTIFACT_STORE = str(tmp_path / "not" / "made" / "yet")

    assert readiness.artifacts_problem() == ""


# --- the schema -----------------------------------------------------------------------------------


def applied_migrations() -> dict[tuple[str, str], datetime]:
    return dict.fromkeys(readiness.known_migrations(), readiness.LOADED_AT - timedelta(days=1))


def test_a_migration_that_is_not_applied_makes_it_not_ready(client: Client) -> None:
    probe = connection.copy()
    with probe.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE"
            " app = 'training') RETURNING app, name, applied"
        )
        removed = cursor.fetchone()
        try:
            answer = client.get("/readyz")
        finally:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", removed
            )
    probe.close()

    assert answer.status_code == 503
    assert f"training.{removed[1]}" in answer.json()["checks"]["migrations"]
    assert "manage.py migrate" in answer.json()["checks"]["migrations"]


def test_code_that_is_older_than_the_schema_is_not_ready() -> None:
    applied = applied_migrations() | {UNKNOWN: readiness.LOADED_AT - timedelta(minutes=1)}

    assert "newer release, such as training.9999" in readiness.schema_problem(applied)


def test_an_upgrade_under_a_running_process_leaves_it_ready() -> None:
    applied = applied_migrations() | {UNKNOWN: datetime.now(UTC)}

    assert readiness.schema_problem(applied) == ""


def test_migrations_that_a_release_has_replaced_do_not_matter() -> None:
    at = readiness.LOADED_AT - timedelta(days=9)
    applied = applied_migrations() | {("labeling", "0001_initial"): at}

    assert readiness.schema_problem(applied) == ""


def test_going_back_by_a_release_is_a_setting(settings: LazySettings) -> None:
    settings.SERVES_NEWER_SCHEMA = True
    applied = applied_migrations() | {UNKNOWN: readiness.LOADED_AT - timedelta(minutes=1)}

    assert readiness.schema_problem(applied) == ""


def test_migrations_of_a_package_that_is_gone_do_not_matter() -> None:
    at = readiness.LOADED_AT - timedelta(days=9)
    applied = applied_migrations() | {("admin", "0001_initial"): at}

    assert readiness.schema_problem(applied) == ""
