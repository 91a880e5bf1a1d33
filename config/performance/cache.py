"""The shared cache: JSON values in Redis, or in this process's memory while Redis is away.

JSON, because reading a pickle runs code: anyone who can write to Redis could run code here.
"""

import json
import logging
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

AWAY_S = 10.0
"""How long a process uses its memory after Redis has not answered, before it asks Redis again."""
MEMORY_S = 300
"""Values in memory end after this time: long enough to count failed log-ins, too short for figures
to grow old.
"""
_away_until: dict[str, float] = {}
"""Redis servers that did not answer, for all threads of this process"""


class JsonSerializer:
    def dumps(self, value: object) -> int | bytes:
        # Redis counts with integers that it can read itself.
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> object:
        return json.loads(data)


class Cache(RedisCache):
    """Django's Redis cache, which answers from memory while Redis is away. Every process then has
    a memory of its own, which is enough to limit log-ins and loses nothing that matters.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server

    def is_away(self) -> bool:
        """Whether Redis does not answer. Asks it, unless it did not answer a moment ago."""
        return self._cache.is_away()

    @cached_property
    def _cache(self) -> "_Client":  # type: ignore[override]  # the same operations
        client = self._class(self._servers, serializer=JsonSerializer, **self._options)  # type: ignore[attr-defined]
        return _Client(client, _Memory(self._server, {}), self._server)


class _Client:
    """Sends each operation of the cache to Redis, or to memory."""

    def __init__(self, redis: Any, memory: "_Memory", server: str) -> None:
        self._redis, self._memory, self._server = redis, memory, server

    def is_away(self) -> bool:
        if self._is_known_to_be_away():
            return True
        try:
            self._redis.get("any", None)
        except RedisError as problem:
            self._note(problem)
            return True
        return False

    def _is_known_to_be_away(self) -> bool:
        return time.monotonic() < _away_until.get(self._server, 0.0)

    def __getattr__(self, operation: str) -> Callable[..., object]:
        def perform(*values: object) -> object:
            if not self._is_known_to_be_away():
                try:
                    return getattr(self._redis, operation)(*values)
                except RedisError as problem:
                    self._note(problem)
            return getattr(self._memory, operation)(*values)

        return perform

    def _note(self, problem: RedisError) -> None:
        logger.warning("Redis is away, so this process caches in its own memory: %s", problem)
        _away_until[self._server] = time.monotonic() + AWAY_S


class _Memory(LocMemCache):
    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> float:
        latest = time.time() + MEMORY_S
        ends: float | None = super().get_backend_timeout(timeout)
        return latest if ends is None else min(ends, latest)
