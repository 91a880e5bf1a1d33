"""The figures that /metrics and the operations page show: one bounded query each, read together."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models import Count, Max, Min, Q
from django_celery_beat.models import PeriodicTask

from accounts.models import Backup, Delivery
from config import broker
from config.monitoring import release
from labeling.models import Judgment, Slot
from training.models import Node, Run
from training.operations import queues, readiness
from training.storage import store
from training.storage.backups import selectors as backups_selectors

T = TypeVar("T")
FRESH_FOR = timedelta(seconds=5)
"""How long a process shows the same figures: pages poll, and so do several Prometheus servers."""
LIMIT_MS = 2000
"""A query that takes longer is given up, and its figure is unknown."""
N_LEASES, N_JUDGMENTS, N_NODES = 50_000, 50_000, 500
"""Nothing is counted further."""
FAILED_FOR = timedelta(days=1)
WORKER_KEY = "operations:short-worker"
RELEASE_KEY = f"{WORKER_KEY}:release"
_WORKER_KEPT_S = 7 * 24 * 60 * 60


@dataclass(frozen=True)
class Leases:
    n: int
    n_lapsed: int
    oldest_lapsed_at: datetime | None


@dataclass(frozen=True)
class Disk:
    """A folder's disk, in bytes."""

    name: str
    folder: Path
    free: int
    total: int


@dataclass(frozen=True)
class Figures:
    """None: unknown, because its query took too long or its server did not answer."""

    at: datetime
    waiting: Sequence[queues.Waiting]
    messages: Mapping[str, int | None]
    leases: Leases | None
    judgments_last_minute: int | None
    runs: Mapping[str, int] | None
    """state or outcome → how many"""
    silent_runs: Sequence[Run] | None
    nodes: Sequence[Node] | None
    n_failed_deliveries: int | None
    beat_at: datetime | None
    """when beat last sent a task"""
    worker_at: datetime | None
    """when a short worker last took a task"""
    worker_release: str | None
    """the release of that worker; None: it has not said so yet"""
    database_bytes: int | None
    disks: Sequence[Disk]
    backup: Backup | None
    """the last one that was finished"""
    failed_backup: Backup | None
    """the last attempt, if it failed"""
    pending_migrations: Sequence[tuple[str, str]] | None


# --- read -----------------------------------------------------------------------------------------

_lock = threading.Lock()
_recent: list[Figures] = []


def recent(*, now: datetime) -> Figures:
    """Figures that this process read at most FRESH_FOR ago, or new ones. Raises django.db.Error
    while the database is away.
    """
    with _lock:
        if not _recent or not timedelta(0) <= now - _recent[0].at < FRESH_FOR:
            _recent[:] = [read(now=now)]
        return _recent[0]


def forget() -> None:
    """The next call of `recent` reads again."""
    with _lock:
        _recent.clear()


def read(*, now: datetime) -> Figures:
    connection.ensure_connection()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {LIMIT_MS}")
        counts = [_within_limit(partial(queues.waiting, queue)) for queue in queues.QUEUES]
        return Figures(
            at=now,
            waiting=[count for count in counts if count is not None],
            messages={queue: broker.n_messages(queue) for queue in queues.MESSAGES},
            leases=_within_limit(lambda: _leases(now)),
            judgments_last_minute=_within_limit(lambda: _judgments_since(now - MINUTE)),
            runs=_within_limit(_runs_by_state),
            silent_runs=_within_limit(lambda: _silent_runs(now)),
            nodes=_within_limit(lambda: list(Node.objects.order_by("name")[:N_NODES])),
            n_failed_deliveries=_within_limit(lambda: _failed_deliveries(now)),
            beat_at=_within_limit(_beat_at),
            worker_at=_worker_at(),
            worker_release=cache.get(RELEASE_KEY),
            database_bytes=_within_limit(_database_bytes),
            disks=_disks(),
            backup=_within_limit(backups_selectors.last_success),
            failed_backup=_within_limit(backups_selectors.last_failure),
            pending_migrations=_within_limit(readiness.pending_migrations),
        )


MINUTE = timedelta(minutes=1)


def _within_limit(query: Callable[[], T]) -> T | None:
    try:
        with transaction.atomic():
            return query()
    except (OperationalError, ProgrammingError):  # too slow, or a migration has not made its table
        return None


def _leases(now: datetime) -> Leases:
    counts = Slot.objects.filter(state=Slot.State.LEASED)[:N_LEASES].aggregate(
        n=Count("pk"),
        n_lapsed=Count("pk", filter=Q(expires_at__lte=now)),
        oldest=Min("expires_at", filter=Q(expires_at__lte=now)),
    )
    return Leases(counts["n"], counts["n_lapsed"], counts["oldest"])


def _judgments_since(start: datetime) -> int:
    """Among the newest rows: there is no index of all answers by time."""
    newest = Judgment.of_people.order_by("-pk")[:N_JUDGMENTS]
    return int(
        newest.aggregate(n=Count("pk", filter=Q(submitted_at__gt=start, import_batch=None)))["n"]
    )


def _runs_by_state() -> dict[str, int]:
    counted = dict.fromkeys([Run.State.QUEUED, Run.State.RUNNING, *Run.Outcome.values], 0)
    for state, outcome, n in Run.objects.values_list("state", "outcome").annotate(n=Count("pk")):
        counted[outcome or state] += n
    return {str(name): n for name, n in counted.items()}


def _silent_runs(now: datetime) -> list[Run]:
    """Running, without a heartbeat for longer than it takes to give a run back to the queue."""
    silence = timedelta(seconds=settings.RUN_REAP_AFTER_S) * 2
    silent = Run.objects.filter(state=Run.State.RUNNING, heartbeat_at__lt=now - silence)
    return list(silent.only("name", "node", "heartbeat_at").order_by("heartbeat_at")[:N_NODES])


def _failed_deliveries(now: datetime) -> int:
    failed = Delivery.objects.filter(
        state=Delivery.State.GIVEN_UP, created_at__gt=now - FAILED_FOR, webhook__disabled_at=None
    )
    return int(failed[: queues.LIMIT].aggregate(n=Count("pk"))["n"])


def _beat_at() -> datetime | None:
    """Beat stores it after every few tasks: see CELERY_BEAT_SYNC_EVERY."""
    at: datetime | None = PeriodicTask.objects.filter(
        enabled=True, total_run_count__gt=0
    ).aggregate(at=Max("last_run_at"))["at"]
    return at


def _database_bytes() -> int:
    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _disks() -> list[Disk]:
    """The disks of this machine that fill up. A store behind a URL watches over itself."""
    folders = {"home": settings.HOME}
    root = str(settings.ARTIFACT_STORE)
    if not store.is_url(root):
        folders["artifacts"] = Path(root)
    return [_disk(name, folder) for name, folder in folders.items()]


def _disk(name: str, folder: Path) -> Disk:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return Disk(name, folder, usage.free, usage.total)


# --- the short worker -----------------------------------------------------------------------------


def note_worker(*, now: datetime) -> None:
    """A short worker has taken a task."""
    cache.set(WORKER_KEY, now.isoformat(), _WORKER_KEPT_S)
    cache.set(RELEASE_KEY, release.running(), _WORKER_KEPT_S)


def _worker_at() -> datetime | None:
    noted = cache.get(WORKER_KEY)
    return datetime.fromisoformat(noted) if noted else None
