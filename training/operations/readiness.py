"""What the site needs, and whether it is there. Each check has a time limit."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Thread

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.utils import Error as DatabaseError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from training.storage import store

DATABASE_LIMIT_S, REDIS_LIMIT_S, STORE_LIMIT_S = 2, 1, 1
READY, DEGRADED, NOT_READY = "ready", "degraded", "not ready"
OURS = ("accounts", "labeling", "training")
LOADED_AT = datetime.now(UTC)
"""When this code was loaded. With gunicorn's --preload, workers inherit it from their parent."""


@dataclass(frozen=True)
class Check:
    """`problem`: a sentence; empty if there is none. `is_vital`: no page works without it."""

    name: str
    problem: str
    is_vital: bool


def status_of(checks: list[Check]) -> str:
    wrong = [check for check in checks if check.problem]
    if not wrong:
        return READY
    return NOT_READY if any(check.is_vital for check in wrong) else DEGRADED


def checks() -> list[Check]:
    database, schema = _database_problems()
    return [
        Check("database", database, is_vital=True),
        Check("migrations", schema, is_vital=True),
        Check("broker", broker_problem(), is_vital=False),
        Check("artifacts", artifacts_problem(), is_vital=False),
    ]


# --- database and schema --------------------------------------------------------------------------


def _database_problems() -> tuple[str, str]:
    """(database, schema), through a new connection: one that is kept may belong to a server that no
    longer answers, and has no time limit.
    """
    probe = connection.copy()
    if probe.vendor == "postgresql":
        options = probe.settings_dict["OPTIONS"]
        probe.settings_dict["OPTIONS"] = options | {
            "connect_timeout": DATABASE_LIMIT_S,
            "tcp_user_timeout": DATABASE_LIMIT_S * 1000,
        }
    try:
        if probe.vendor == "postgresql":
            with probe.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {DATABASE_LIMIT_S * 1000}")
        return "", schema_problem(_applied(probe))
    except DatabaseError:
        return "The database is not responding.", "Not known without the database."
    finally:
        probe.close()


def _applied(database: BaseDatabaseWrapper) -> dict[tuple[str, str], datetime]:
    """Each applied migration and its time; empty in a new database."""
    with database.cursor() as cursor:
        if "django_migrations" not in database.introspection.table_names(cursor):
            return {}
        cursor.execute("SELECT app, name, applied FROM django_migrations")
        return {(app, name): _aware(applied) for app, name, applied in cursor.fetchall()}


def _aware(at: datetime | str) -> datetime:
    """SQLite has times as text, in UTC."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def schema_problem(applied: dict[tuple[str, str], datetime]) -> str:
    """Whether this code and the database's schema fit: none of its migrations is missing, and none
    that it does not know was applied before it was loaded.

    One applied later belongs to an upgrade in progress: until this process is replaced, it serves
    people as before, because a release works with the schema of the next one.
    """
    missing = sorted(known_migrations() - applied.keys())
    if missing:
        return (
            f"{len(missing)} migrations are not applied, such as {missing[0][0]}.{missing[0][1]}."
            " Run `python manage.py migrate`."
        )
    unknown = [
        (app, name)
        for (app, name), at in applied.items()
        if app in OURS
        and (app, name) not in known_migrations() | replaced_migrations()
        and at < LOADED_AT
    ]
    if unknown and not settings.SERVES_NEWER_SCHEMA:
        return (
            f"The database has migrations of a newer release, such as {unknown[0][0]}."
            f"{unknown[0][1]}. Install that release."
        )
    return ""


def pending_migrations() -> list[tuple[str, str]]:
    """Through the connection of this thread."""
    return sorted(known_migrations() - _applied(connection).keys())


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Reading them from their files takes a third of a second."""
    return frozenset(_loader().graph.nodes)


@cache
def replaced_migrations() -> frozenset[tuple[str, str]]:
    """Earlier ones, of which a release made one. A database remembers them."""
    return frozenset(
        key for migration in _loader().replacements.values() for key in migration.replaces
    )


@cache
def _loader() -> MigrationLoader:
    return MigrationLoader(None, ignore_no_migrations=True)


# --- what jobs need -------------------------------------------------------------------------------


def broker_problem() -> str:
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=REDIS_LIMIT_S,
            socket_timeout=REDIS_LIMIT_S,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            redis.ping()
    except RedisError:
        return "The broker (Redis) is not responding. Imports, runs, reports and mail wait."
    return ""


class InBackground:
    """A check that may take long, such as one of a bucket: it goes on in a thread, one at a time,
    which does not hold up the end of the process.
    """

    def __init__(self, check: Callable[[], str], *, limit_s: float) -> None:
        self._check, self._limit_s = check, limit_s
        self._thread: Thread | None = None
        self._result = ""

    def problem(self, *, otherwise: str) -> str:
        """The result, or `otherwise` if there is none within the limit."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            thread = self._thread = Thread(target=self._run, args=[otherwise], daemon=True)
            thread.start()
        thread.join(self._limit_s)
        return otherwise if thread.is_alive() else self._result

    def _run(self, otherwise: str) -> None:
        self._result = otherwise
        self._result = self._check()


def _ask_store() -> str:
    root = str(settings.ARTIFACT_STORE)
    if not store.is_url(root):
        return _folder_problem(Path(root))
    try:
        store.ask(root)
    except store.StoreUnavailable:
        return _NO_STORE
    return ""


def _folder_problem(folder: Path) -> str:
    """The first model creates the folder, so its nearest parent counts until then."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return "" if os.access(there, os.W_OK) else f"The artifact store {folder} cannot be written to."


_NO_STORE = "The artifact store is not responding. Models and snapshots cannot be read."
_store = InBackground(_ask_store, limit_s=STORE_LIMIT_S)


def artifacts_problem() -> str:
    return _store.problem(otherwise=_NO_STORE)
