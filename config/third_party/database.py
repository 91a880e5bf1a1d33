"""The database: SQLite or PostgreSQL, and how the site connects to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ

from config import env

# The web process and the worker both write: without immediate transactions, 44 of 600 writes
# failed with "database is locked".
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def connection(*, home: Path) -> dict[str, object]:
    """The settings of the connection, from the environment."""
    settings: dict[str, Any] = environ.Env.db_url_config(
        env.text(
            "DATABASE_URL",
            "Database URL: postgres://user:password@host:port/name or sqlite:////path/to/file.",
            default=f"sqlite:///{home / 'preferably.sqlite3'}",
        )
    )
    of_postgresql = _for_postgresql(settings.get("OPTIONS", {}))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        return settings | {"OPTIONS": dict(_SQLITE)}
    return settings | of_postgresql


def _for_postgresql(settings: Mapping[str, object]) -> dict[str, object]:
    """`settings`: options in DATABASE_URL, such as sslmode. They stay."""
    keeps_plans = env.flag(
        "PREFERABLY_PREPARED_STATEMENTS",
        "Use PostgreSQL's prepared statements on the desk. Set to 0 behind a connection"
        " pooler in transaction mode that does not keep them.",
        default="1",
    )
    has_pooler = env.flag(
        "PREFERABLY_POOLER",
        "DATABASE_URL leads to a connection pooler in transaction mode, such as PgBouncer: reads"
        " large results without cursors of the server.",
        default="0",
    )
    lock_timeout_s = env.integer(
        "PREFERABLY_LOCK_TIMEOUT_S",
        "Seconds that a statement waits for a lock of PostgreSQL before it fails. Set it for"
        " migrations while people work: those who come after wait as long. 0: no limit.",
        default="0",
    )
    sent = [str(settings.get("options", ""))]
    if keeps_plans:
        sent.append("-c plan_cache_mode=force_generic_plan")  # see ADR 9
    if lock_timeout_s:
        sent.append(f"-c lock_timeout={lock_timeout_s}s")
    # performance.compiled
    options = dict(settings) | {"prepare_threshold": 1 if keeps_plans else None}
    if any(sent):
        options["options"] = " ".join(filter(None, sent))
    return {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": has_pooler,
        "OPTIONS": options,
    }
