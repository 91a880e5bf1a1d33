"""The metrics, as Prometheus's own parser reads them, and who may read them."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import services
import yaml
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import Backup, User
from config.celery import app
from labeling.models import Campaign, Rater
from labeling.queue.claiming import claim
from tests.training import cast
from training.models import Node
from training.operations import figures, metrics

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a token for prometheus"
Labels = tuple[tuple[str, str], ...]


@pytest.fixture
def open_metrics(settings: LazySettings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scraped(client: Client) -> dict[tuple[str, Labels], float]:
    """(sample, its labels) → value, by the parser of prometheus_client."""
    figures.forget()
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def labels(**named: str) -> Labels:
    return tuple(sorted(named.items()))


# --- who may read ---------------------------------------------------------------------------------


def test_it_is_closed_by_default(client: Client) -> None:
    answer = client.get("/metrics", headers={"Authorization": "Bearer "})

    assert answer.status_code == 404
    assert "PREFERABLY_METRICS_TOKEN" in answer.text


@pytest.mark.usefixtures("open_metrics")
@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Basic {TOKEN}", "Bearer"])
def test_without_the_token_it_stays_closed(client: Client, alice: User, given: str) -> None:
    client.force_login(alice, backend="accounts.login.sessions.Backend")

    answer = client.get("/metrics", headers={"Authorization": given})

    assert answer.status_code == 401
    assert "preferably_" not in answer.text


def test_a_network_may_read_it_but_not_through_the_proxy(
    client: Client, settings: LazySettings
) -> None:
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]

    inside = client.get("/metrics", REMOTE_ADDR="10.2.3.4")
    inside_too = client.get("/metrics", REMOTE_ADDR="fd00::7")
    outside = client.get("/metrics", REMOTE_ADDR="203.0.113.9")
    no_token = client.get(
        "/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer "}
    )
    through_the_proxy = client.get(
        "/metrics", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "203.0.113.9"}
    )

    assert [inside.status_code, inside_too.status_code] == [200, 200]
    refused = [outside, no_token, through_the_proxy]
    assert [answer.status_code for answer in refused] == [401, 401, 401]


# --- requests -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_metrics")
def test_requests_are_counted_by_route_and_not_by_path(client: Client) -> None:
    name = "preferably_http_requests_total"
    join = labels(route="join", method="GET", status="410")
    before = scraped(client).get((name, join), 0)

    client.get("/join/of-mrs-miller/")
    client.get("/join/of-mr-miller/")
    client.get("/nowhere/")
    after = scraped(client)

    assert after[name, join] == before + 2
    assert after["preferably_http_request_duration_seconds_count", labels(route="join")] >= 2
    assert after[name, labels(route="unknown", method="GET", status="404")] >= 1
    routes = [dict(about)["route"] for _sample, about in after if "route" in dict(about)]
    assert [route for route in routes if "miller" in route] == []


@pytest.mark.slow  # two processes that import the site
def test_the_processes_of_one_gunicorn_count_together(tmp_path: Path) -> None:
    counting = """
import io, os
import gunicorn
from config.wsgi import application
from django.conf import settings
def ask(path, times, **headers):
    for _ in range(times):
        body = application({
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "https", **headers,
        }, lambda status, headers: None)
    return b"".join(body).decode()
for times in (3, 4):
    if (child := os.fork()) == 0:
        ask("/nowhere/", times)
        os._exit(0)
    os.waitpid(child, 0)
print(ask("/metrics", 1, HTTP_AUTHORIZATION="Bearer t"))
"""
    shown = subprocess.run(
        [sys.executable, "-c", counting],
        cwd=ROOT,
        env={
            "PREFERABLY_MODE": "demo",
            "PREFERABLY_HOME": str(tmp_path),
            "PREFERABLY_METRICS_TOKEN": "t",
            "REDIS_URL": f"redis://127.0.0.1:{services.free_port()}/0",
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    counted = 'preferably_http_requests_total{method="GET",route="unknown",status="404"} 7.0'
    assert counted in shown.stdout, shown.stdout + shown.stderr
    assert list(tmp_path.glob("preferably-metrics-*")) == []


# --- the site -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_metrics")
def test_leases_and_answers_are_counted(
    client: Client, comparison_campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    now = timezone.now()
    claim.claim(campaign=comparison_campaign, rater=rosa, now=now)
    left = claim.claim(campaign=comparison_campaign, rater=raul, now=now)
    assert left is not None
    type(left).objects.filter(pk=left.pk).update(expires_at=now - timedelta(hours=2))

    found = scraped(client)

    assert found["preferably_leases", labels(state="current")] == 1
    assert found["preferably_leases", labels(state="lapsed")] == 1
    assert found["preferably_judgments_last_minute", ()] == 0


@pytest.mark.usefixtures("open_metrics")
def test_runs_and_their_queue_are_counted(client: Client, noor: User) -> None:
    now = timezone.now()
    cast.a_run(noor, created_at=now - timedelta(minutes=30), heartbeat_at=None)
    cast.a_run(noor, created_at=now - timedelta(days=3), heartbeat_at=now - timedelta(minutes=5))
    cast.a_run(noor, state="running", heartbeat_at=now - timedelta(hours=1))

    found = scraped(client)

    assert found["preferably_queue_waiting", labels(queue="runs")] == 2
    # The second was given back five minutes ago.
    assert found["preferably_queue_oldest_seconds", labels(queue="runs")] == pytest.approx(
        1800, abs=60
    )
    assert found["preferably_runs", labels(state="queued")] == 2
    assert found["preferably_runs", labels(state="running")] == 1
    assert found["preferably_runs", labels(state="lost")] == 0
    assert found["preferably_runs_without_heartbeat", ()] == 1


@pytest.mark.usefixtures("open_metrics")
def test_a_node_and_its_cards_are_as_it_reported_them(client: Client) -> None:
    card = {"name": "H100", "memory_gb": 80, "used_gb": 20, "load": 0.25, "temperature_c": None}
    Node.objects.create(name="gpu-1", seen_at=timezone.now() - timedelta(seconds=40), gpus=[card])

    found = scraped(client)

    one = labels(node="gpu-1", gpu="0", model="H100")
    assert found["preferably_node_heartbeat_age_seconds", labels(node="gpu-1")] == pytest.approx(
        40, abs=20
    )
    assert found["preferably_gpu_utilization_ratio", one] == 0.25
    assert found["preferably_gpu_memory_used_bytes", one] == 20 * 1024**3
    assert ("preferably_gpu_temperature_celsius", one) not in found


@pytest.mark.usefixtures("open_metrics")
def test_the_age_of_beat_and_of_the_short_worker(client: Client) -> None:
    now = timezone.now()
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(
        name="sent",
        task="a",
        interval=every,
        last_run_at=now - timedelta(minutes=7),
        total_run_count=3,
    )
    PeriodicTask.objects.create(
        name="never sent", task="b", interval=every, last_run_at=now, total_run_count=0
    )
    figures.note_worker(now=now - timedelta(seconds=90))

    found = scraped(client)

    assert found["preferably_beat_age_seconds", ()] == pytest.approx(420, abs=30)
    assert found["preferably_worker_age_seconds", ()] == pytest.approx(90, abs=30)


@pytest.mark.usefixtures("open_metrics")
def test_without_the_broker_the_rest_is_there(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{services.free_port()}/0")

    found = scraped(client)

    assert found["preferably_broker_up", ()] == 0
    assert found["preferably_database_up", ()] == 1
    assert found["preferably_database_bytes", ()] > 0
    assert found["preferably_migrations_pending", ()] == 0
    assert found["preferably_disk_free_bytes", labels(folder="home")] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("open_metrics")
def test_without_the_database_there_are_metrics_of_requests(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/nowhere/")
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", str(services.free_port()))
        connection.close()
        found = scraped(client)

    assert found["preferably_database_up", ()] == 0
    assert ("preferably_runs", labels(state="queued")) not in found
    assert any(name == "preferably_http_requests_total" for name, _labels in found)


@pytest.mark.usefixtures("open_metrics")
def test_several_readers_cost_one_reading(client: Client, django_assert_num_queries: Any) -> None:
    scraped(client)

    with django_assert_num_queries(0):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200


# --- the dashboard --------------------------------------------------------------------------------


def queries_of_the_dashboard() -> list[str]:
    dashboard = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
    return [one["expr"] for panel in dashboard["panels"] for one in panel.get("targets", [])]


def queries_of_the_alerts() -> list[str]:
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yaml").read_text())
    return [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("queries", [queries_of_the_dashboard(), queries_of_the_alerts()])
def test_every_query_names_a_metric_that_there_is(queries: list[str]) -> None:
    now = timezone.now()
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(
        name="sent", task="a", interval=every, last_run_at=now, total_run_count=1
    )
    figures.note_worker(now=now)
    Backup.objects.create(place="/srv/backups", started_at=now, ended_at=now)
    exposed = metrics.exposition(now=now).decode()
    there = set(re.findall(r"^# TYPE (\S+)", exposed, re.MULTILINE))

    named = {name for query in queries for name in re.findall(r"\bpreferably_\w+", query)}

    assert len(named) > 8
    assert {re.sub(r"_bucket$", "", name) for name in named} - there == set()


@pytest.mark.parametrize(
    "metric", ["preferably_database_up", "preferably_backup_timestamp_seconds"]
)
def test_an_alert_says_that_a_metric_is_missing(metric: str) -> None:
    """A site that is down has no metrics, and one that was never backed up has no time of a backup:
    no comparison is true of what is absent.
    """
    assert any(query.startswith(f"absent({metric})") for query in queries_of_the_alerts())
