"""A cache of figures over whole campaigns. Figures that are quick to compute are computed on every
page; others are cached, shown with their time, and refreshed in the background.

They are stored in the shared cache. Without a cache every page computes them: the cache only saves
time.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Generic, TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

from labeling.quality import doorbell

logger = logging.getLogger(__name__)

VERSION = 2
"""Add 1 when a cached class moves to another module or its fields change: what the release before
has cached cannot be read then.
"""
QUICK_S = 0.15
"""Figures that take less are computed on every page, so that those of small campaigns are always
current.
"""
FRESH_S, FRESH_TIMES = 30, 20
"""Figures are refreshed after this many seconds, or after this multiple of the time they took to
compute.
"""
CACHED_S = 7 * 24 * 60 * 60
RETRY_S = 300
"""A message that no worker answers is repeated after this time."""
T = TypeVar("T")
Compute = Callable[[Collection[int], datetime], dict[int, T]]
"""(ids, now) → the figures of each id"""


@dataclass(frozen=True)
class CachedFigures(Generic[T]):
    value: T
    at: datetime
    """when it was computed"""
    took_s: float = 0.0

    def is_old(self, now: datetime) -> bool:
        """A time in the future counts as old too: a clock was set back."""
        return (
            not timedelta(0)
            <= now - self.at
            <= timedelta(seconds=max(FRESH_S, FRESH_TIMES * self.took_s))
        )


def cached_figures(
    *, name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, CachedFigures[T]]:
    """The figures of each id. Old figures are returned anyway, and a worker is asked to `refresh`
    them.
    """
    keys = {_key(name, pk): pk for pk in ids}
    found: dict[int, CachedFigures[Any]] = {
        keys[key]: entry for key, entry in _cached(list(keys)).items()
    }
    missing = [pk for pk in ids if pk not in found]
    for pk in (pk for pk, entry in found.items() if entry.is_old(now)):
        if cache.add(f"{_key(name, pk)}:rung", 1, RETRY_S):
            doorbell.ring_figures(name, pk)
    return found | (refresh(name=name, ids=missing, compute=compute, now=now) if missing else {})


def refresh(
    *, name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, CachedFigures[T]]:
    began = perf_counter()
    values = compute(ids, now)
    took_s = perf_counter() - began
    made = {pk: CachedFigures(value, now, took_s) for pk, value in values.items()}
    try:
        if took_s > QUICK_S:
            cache.set_many({_key(name, pk): entry for pk, entry in made.items()}, CACHED_S)
            cache.delete_many([f"{_key(name, pk)}:rung" for pk in made])
    except RedisError:
        logger.warning(
            "The cache is away: the figures “%s” of %s are not cached.", name, sorted(made)
        )
    return made


def _cached(keys: list[str]) -> dict[str, Any]:
    try:
        return cache.get_many(keys)
    except RedisError:
        return {}


def _key(name: str, pk: int) -> str:
    return f"figures:{VERSION}:{name}:{pk}"
