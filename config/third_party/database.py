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
CONNECT_TIMEOUT_S = 5
# Of every process: a network that swallows packets is noticed after half a minute, however long a
# statement may take, because the server's machine acknowledges that the connection is alive.
_NETWORK = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "tcp_user_timeout": 15_000,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
PAGE_LIMIT_S = env.integer(
    "PREFERABLY_PAGE_LIMIT_S",
    "Seconds that one statement of a page or API call may take on PostgreSQL, and half of them"
    " waiting for a lock. Migrations, exports and other jobs have no such limit. 0: none.",
    default="15",
)
HAS_POOLER = env.flag(
    "PREFERABLY_POOLER",
    "DATABASE_URL leads to a connection pooler in transaction mode, such as PgBouncer: reads"
    " large results without cursors of the server.",
    default="0",
)


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
    options = _NETWORK | dict(settings) | {"prepare_threshold": 1 if keeps_plans else None}
    if any(sent):
        options["options"] = " ".join(filter(None, sent))
    return {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": HAS_POOLER,
        "OPTIONS": options,
    }
