"""What a proxy or an orchestrator asks a web process: does it live, and can it serve people?"""

from django.conf import settings
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

DATABASE_LIMIT_S = 2
REDIS_LIMIT_S = 1


def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers at all. It stays "ok" while the database is away: a restart would
    not bring that back.
    """
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database and Redis answer, 503 with the name of what does not."""
    away = [
        name
        for name, answers in (("database", _database_answers), ("redis", _redis_answers))
        if not answers()
    ]
    words = "".join(f"{name} is not responding\n" for name in away) or "ok\n"
    return HttpResponse(words, status=503 if away else 200, content_type="text/plain")


def _database_answers() -> bool:
    """Through a new connection: one that is kept may belong to a server that no longer answers, and
    has no time limit.
    """
    probe = connection.copy()
    if probe.vendor == "postgresql":
        probe.settings_dict["OPTIONS"] |= {"connect_timeout": DATABASE_LIMIT_S}
    try:
        probe.ensure_connection()
        return True
    except DatabaseError:
        return False
    finally:
        probe.close()


def _redis_answers() -> bool:
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=REDIS_LIMIT_S,
            socket_timeout=REDIS_LIMIT_S,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            return bool(redis.ping())
    except RedisError:
        return False
