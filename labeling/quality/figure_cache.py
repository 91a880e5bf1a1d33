"""Figures over whole campaigns: computed at each look while that is quick; else kept, told with
their time, and made anew behind.

What is kept lies in the shared cache. Without it every look computes: the cache only saves time.
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
"""What takes less is computed at each look: the figures of small campaigns are always those of the
moment.
"""
LEAST_S, RESTS = 30, 20
"""Made anew after so many seconds, or after so many times what it took."""
KEPT_S = 7 * 24 * 60 * 60
RUNG_S = 300
"""A ring that no worker answers is repeated after so long."""
T = TypeVar("T")
Compute = Callable[[Collection[int], datetime], dict[int, T]]
"""(ids, now) → each id's figures."""


@dataclass(frozen=True)
class Kept(Generic[T]):
    value: T
    at: datetime
    """when it was computed"""
    took_s: float = 0.0

    def is_old(self, now: datetime) -> bool:
        """A time in the future is as well: a clock was set back since."""
        return (
            not timedelta(0)
            <= now - self.at
            <= timedelta(seconds=max(LEAST_S, RESTS * self.took_s))
        )


def kept(
    *, name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, Kept[T]]:
    """Each id's figures. Old ones are given all the same, and the short worker is rung to `renew`
    them.
    """
    keys = {_key(name, pk): pk for pk in ids}
    found: dict[int, Kept[Any]] = {keys[key]: entry for key, entry in _cached(list(keys)).items()}
    missing = [pk for pk in ids if pk not in found]
    for pk in (pk for pk, entry in found.items() if entry.is_old(now)):
        if cache.add(f"{_key(name, pk)}:rung", 1, RUNG_S):
            doorbell.ring_figures(name, pk)
    return found | (renew(name=name, ids=missing, compute=compute, now=now) if missing else {})


def renew(
    *, name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, Kept[T]]:
    began = perf_counter()
    values = compute(ids, now)
    took_s = perf_counter() - began
    made = {pk: Kept(value, now, took_s) for pk, value in values.items()}
    try:
        if took_s > QUICK_S:
            cache.set_many({_key(name, pk): entry for pk, entry in made.items()}, KEPT_S)
            cache.delete_many([f"{_key(name, pk)}:rung" for pk in made])
    except RedisError:
        logger.warning(
            "The cache is away: the figures “%s” of %s are not kept.", name, sorted(made)
        )
    return made


def _cached(keys: list[str]) -> dict[str, Any]:
    try:
        return cache.get_many(keys)
    except RedisError:
        return {}


def _key(name: str, pk: int) -> str:
    return f"figures:{VERSION}:{name}:{pk}"
