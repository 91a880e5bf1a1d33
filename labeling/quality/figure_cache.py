"""A cache of figures over whole campaigns. Figures that are quick to compute are computed on every
page; others are cached, shown with their time, and refreshed in the background.

They are stored in the shared cache as plain JSON values, and read back by their type.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import perf_counter
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from django.core.cache import cache

from jobs.messages import Message

REFRESH = Message(
    "labeling.campaigns.tasks.refresh_figures",
    limit=timedelta(minutes=5),
    otherwise="The next reader asks again.",
)
"""Computes the figures `name` of a campaign again."""
VERSION = 3
"""Add 1 when the fields of a cached class change: what the release before has cached cannot be read
then.
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
    *, name: str, kind: Any, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, CachedFigures[T]]:
    """The figures of each id, each of the type `kind`. Old figures are returned anyway, and a
    worker is asked to `refresh` them.
    """
    keys = {_key(name, pk): pk for pk in ids}
    cached: dict[int, CachedFigures[Any]] = {
        keys[key]: read(CachedFigures[kind], entry)
        for key, entry in cache.get_many(list(keys)).items()
    }
    missing = [pk for pk in ids if pk not in cached]
    for pk in (pk for pk, entry in cached.items() if entry.is_old(now)):
        if cache.add(f"{_key(name, pk)}:rung", 1, RETRY_S):
            REFRESH.send(name=name, pk=pk)
    return cached | (refresh(name=name, ids=missing, compute=compute, now=now) if missing else {})


def refresh(
    *, name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, CachedFigures[T]]:
    began = perf_counter()
    values = compute(ids, now)
    took_s = perf_counter() - began
    made = {pk: CachedFigures(value, now, took_s) for pk, value in values.items()}
    if took_s > QUICK_S:
        cache.set_many({_key(name, pk): plain(entry) for pk, entry in made.items()}, CACHED_S)
        cache.delete_many([f"{_key(name, pk)}:rung" for pk in made])
    return made


def plain(value: object) -> object:
    """`value` in JSON's own types."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    assert value is None or isinstance(value, str | int | float), f"{value!r} has no plain form."
    return value


def read(kind: Any, value: Any) -> Any:
    """A value of the type `kind` from its `plain` form. Mappings have strings as keys."""
    container = make = get_origin(kind) or kind
    parts = get_args(kind)
    if container is UnionType:
        (present,) = (part for part in parts if part is not NoneType)
        return None if value is None else read(present, value)
    if dataclasses.is_dataclass(container):
        types = {T: parts[0]} if parts else {}
        hints = get_type_hints(container)
        named = {name: read(types.get(hints[name], hints[name]), value[name]) for name in value}
        return make(**named)
    if container is list:
        return [read(parts[0], part) for part in value]
    if container is tuple:
        return tuple(read(part_type, part) for part_type, part in zip(parts, value, strict=True))
    if container is Mapping:
        return {key: read(parts[1], part) for key, part in value.items()}
    if container is datetime:
        return datetime.fromisoformat(value)
    return Decimal(value) if container is Decimal else value


def _key(name: str, pk: int) -> str:
    return f"figures:{VERSION}:{name}:{pk}"
