"""How long a page waits for PostgreSQL, in web processes only: migrations, exports and other long
tasks wait as long as they need.

PostgreSQL ends a statement, and one that waits for a lock, by itself. If it does not answer at all,
because it or the network between stands still, this process gives the connection up.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import errors

GRACE_S = 2
"""How much later than PostgreSQL itself this process gives up."""


class Impatient(psycopg.Connection[Any]):
    """A connection on which nothing takes longer than `limit_s`."""

    limit_s = 0.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.limit_s if timeout is None else timeout)
        except errors._WaitTimeout as problem:
            if timeout is not None:
                raise
            self.pgconn.finish()  # an answer that comes later would be taken for another's
            raise psycopg.OperationalError("The database does not answer.") from problem


def apply() -> None:
    """For every connection that this process opens from now on. DATABASE_URL's own options win."""
    for wrapper in connections.all():
        if wrapper.vendor == "postgresql" and settings.PAGE_LIMIT_S:
            if not settings.HAS_POOLER:  # which has sessions of several processes
                options = wrapper.settings_dict["OPTIONS"]
                options["options"] = f"{_limits()} {options.get('options', '')}".strip()
            connection_created.connect(_make_impatient, dispatch_uid="page_limits")


def _limits() -> str:
    limit_s = settings.PAGE_LIMIT_S
    return f"-c statement_timeout={limit_s}s -c lock_timeout={max(1, limit_s // 2)}s"


def _make_impatient(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    """Django makes the connection itself, and has no setting for its class."""
    opened = connection.connection
    if isinstance(opened, psycopg.Connection):
        opened.__class__ = Impatient
        opened.limit_s = settings.PAGE_LIMIT_S + GRACE_S  # type: ignore[attr-defined]
