"""The metrics for Prometheus, in its text format.

Those of requests count what the processes of this gunicorn answered. Those from the database are
the same wherever they are read, so a query over several machines takes their maximum.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from config.monitoring import requests, shared
from training.models import Node
from training.operations import figures

GB = 1024**3
Values = Mapping[Any, float | None]
"""By the values of labels, as a tuple"""


def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token or asks from one of the networks. Without either setting, there is
    no such page.
    """
    if not (settings.METRICS_TOKEN or settings.METRICS_NETWORKS):
        return HttpResponse(
            "Metrics are off. Set PREFERABLY_METRICS_TOKEN or PREFERABLY_METRICS_NETWORKS.\n",
            status=404,
            content_type="text/plain",
        )
    if not (_has_token(request) or _is_inside(request)):
        return HttpResponse(
            "Send the token as `Authorization: Bearer …`.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    return HttpResponse(exposition(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(settings.METRICS_TOKEN)
        and scheme.lower() == "bearer"
        and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    )


def _is_inside(request: HttpRequest) -> bool:
    """Only for requests that come directly: the address of one that came through a proxy is the
    proxy's, which is inside for everybody.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if "X-Forwarded-For" in request.headers or not address:
        return False
    return any(ip_address(address) in network for network in settings.METRICS_NETWORKS)


def exposition(*, now: datetime) -> bytes:
    registry = CollectorRegistry()
    if shared.is_shared():
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(requests.REGISTRY)
    try:
        read = figures.recent(now=now)
    except DatabaseError:
        families = [_gauge("database_up", "1 if the database answers.", 0)]
    else:
        families = list(_families(read, now))
    registry.register(_Collected(families))
    return generate_latest(registry)


class _Collected:
    """Metrics that were read already, as a registry wants them."""

    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> list[Metric]:
        return self.families


def _families(read: figures.Figures, now: datetime) -> Iterator[Metric]:
    """Figures that are unknown are left out."""
    yield _gauge(
        "build_info",
        "1, with the version and the build of the site.",
        {(settings.RELEASE, settings.BUILD): 1},
        "version",
        "build",
    )
    yield _gauge("database_up", "1 if the database answers.", 1)
    yield _gauge("figures_age_seconds", "Age of the figures below.", _age(read.at, now))
    yield from _of_queues(read, now)
    yield from _of_raters(read)
    yield from _of_runs(read)
    if read.nodes is not None:
        yield from _of_nodes(read.nodes, now)
    yield from _of_processes(read, now)
    yield from _of_storage(read)


def _of_queues(read: figures.Figures, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "queue_waiting",
        "Rows that wait for a worker, by queue; not counted beyond 10,000.",
        {(queue_state.queue.name,): queue_state.n for queue_state in read.waiting},
        "queue",
    )
    yield _gauge(
        "queue_oldest_seconds",
        "How long the oldest of them has waited; 0 if none waits.",
        {
            (queue_state.queue.name,): _age(queue_state.since, now) or 0
            for queue_state in read.waiting
        },
        "queue",
    )
    counted = {(queue,): n for queue, n in read.messages.items() if n is not None}
    yield _gauge("broker_up", "1 if the broker answers.", int(bool(counted)))
    yield _gauge(
        "broker_messages", "Messages that no worker has taken, by Celery queue.", counted, "queue"
    )
    yield from _known(
        "webhook_failed_deliveries",
        "Webhook messages of the last day that were given up.",
        read.n_failed_deliveries,
    )


def _of_raters(read: figures.Figures) -> Iterator[Metric]:
    if read.leases is not None:
        yield _gauge(
            "leases",
            "Items that raters hold: current, or lapsed because the rater left.",
            {
                ("current",): read.leases.n - read.leases.n_lapsed,
                ("lapsed",): read.leases.n_lapsed,
            },
            "state",
        )
    yield from _known(
        "judgments_last_minute",
        "Answers that raters submitted in the last minute.",
        read.judgments_last_minute,
    )


def _of_runs(read: figures.Figures) -> Iterator[Metric]:
    if read.runs is not None:
        yield _gauge(
            "runs", "Runs by state or outcome.", {(s,): n for s, n in read.runs.items()}, "state"
        )
    if read.silent_runs is not None:
        yield _gauge(
            "runs_without_heartbeat",
            "Running runs whose supervisor has been silent for too long.",
            len(read.silent_runs),
        )


def _of_nodes(nodes: Sequence[Node], now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "node_heartbeat_age_seconds",
        "Time since a GPU node last reported.",
        {(node.name,): _age(node.seen_at, now) for node in nodes},
        "node",
    )
    cards = {
        (node.name, str(number), gpu["name"]): gpu
        for node in nodes
        for number, gpu in enumerate(node.gpus)
    }
    for name, words, of in _GPU:
        values = {card: of(gpu) for card, gpu in cards.items()}
        yield _gauge(name, words, values, "node", "gpu", "model")


_GPU: tuple[tuple[str, str, Callable[[Mapping[str, float]], float | None]], ...] = (
    ("gpu_utilization_ratio", "GPU use as the node reports it.", lambda gpu: gpu.get("load")),
    ("gpu_memory_used_bytes", "GPU memory in use.", lambda gpu: gpu["used_gb"] * GB),
    ("gpu_memory_total_bytes", "GPU memory.", lambda gpu: gpu["memory_gb"] * GB),
    ("gpu_temperature_celsius", "GPU temperature.", lambda gpu: gpu.get("temperature_c")),
)


def _of_processes(read: figures.Figures, now: datetime) -> Iterator[Metric]:
    yield from _known(
        "beat_age_seconds", "Time since beat last sent a task.", _age(read.beat_at, now)
    )
    yield from _known(
        "worker_age_seconds",
        "Time since a worker of the queue short last took a task.",
        _age(read.worker_at, now),
    )


def _of_storage(read: figures.Figures) -> Iterator[Metric]:
    for name, words in (("free", "Free space"), ("total", "Size")):
        yield _gauge(
            f"disk_{name}_bytes",
            f"{words} of the disk of each folder: home, and artifacts if the store is a folder.",
            {(disk.name,): getattr(disk, name) for disk in read.disks},
            "folder",
        )
    yield from _known("database_bytes", "Size of the database.", read.database_bytes)
    pending = read.pending_migrations
    yield from _known(
        "migrations_pending",
        "Migrations of this release that are not applied.",
        None if pending is None else len(pending),
    )
    yield from _known(
        "backup_timestamp_seconds",
        "When the last backup was verified.",
        read.backup.ended_at.timestamp() if read.backup else None,
    )


def _known(name: str, words: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield _gauge(name, words, value)


def _gauge(
    name: str,
    words: str,
    values: "float | Values | None",
    *labels: str,
) -> Metric:
    """`values`: one, or one by the values of `labels`. Those that are None are left out."""
    family = GaugeMetricFamily(f"preferably_{name}", words, labels=labels)
    for label_values, value in (values if isinstance(values, Mapping) else {(): values}).items():
        if value is not None:
            family.add_metric(label_values, value)
    return family


def _age(at: datetime | None, now: datetime) -> float | None:
    """0 for a time in the future: clocks differ."""
    return None if at is None else max(0.0, (now - at).total_seconds())
