"""How long a page waits for PostgreSQL, in web processes only: migrations, exports and other long
tasks wait as long as they need.

PostgreSQL ends a statement, and one that waits for a lock, by itself. If it does not answer at all,
because it or the network between stands still, this process gives the connection up, and refuses
other pages at once until it answers again.
"""

import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from psycopg import errors

from config.third_party import database

GRACE_S = 2
"""How much later than PostgreSQL itself this process gives up."""
CONNECT_TIMEOUT_S = 2
"""A page that fails asks for several connections until its answer is written."""
TRIED_EVERY_S = 5
_tries_at: float | None = None
"""When the next page may try, while the database does not answer."""


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
            if not settings.HAS_POOLER:  # then it may only be slow
                _note_silence()
            raise psycopg.OperationalError("The database does not answer.") from problem


class SilentDatabaseMiddleware:
    """Refuses pages while the database does not answer, but for one every few seconds that tries.
    Otherwise all threads would wait for it, and probes could not be answered.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_refused():
            return HttpResponse(
                _("The database does not answer. Try again in a minute.\n"),
                status=503,
                content_type="text/plain; charset=utf-8",
                headers={"Retry-After": str(TRIED_EVERY_S)},
            )
        return self.get_response(request)


def apply() -> None:
    """For every connection that this process opens from now on. DATABASE_URL's own options win."""
    for wrapper in connections.all():
        if wrapper.vendor == "postgresql" and settings.PAGE_LIMIT_S:
            options = wrapper.settings_dict["OPTIONS"]
            if options.get("connect_timeout") == database.CONNECT_TIMEOUT_S:
                options["connect_timeout"] = CONNECT_TIMEOUT_S
            if not settings.HAS_POOLER:  # which has sessions of several processes
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
        _note_answer()


def _note_silence() -> None:
    global _tries_at  # of this process: its threads share one database
    _tries_at = time.monotonic() + TRIED_EVERY_S


def _note_answer() -> None:
    global _tries_at
    _tries_at = None


def _is_refused() -> bool:
    global _tries_at
    tries_at, now = _tries_at, time.monotonic()
    if tries_at is None:
        return False
    if now < tries_at:
        return True
    _tries_at = now + TRIED_EVERY_S
    return False
