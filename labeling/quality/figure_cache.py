"""A cache of figures over whole campaigns. Those of small campaigns are computed on every page;
others are counted by a worker, cached, and shown with their time. No page waits for them.

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
from django.db.models import IntegerField, OuterRef, Subquery

from jobs.messages import Message
from labeling.models import Campaign, Item, Judgment, Slot

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
"""Figures of small campaigns that take longer, on a busy machine, are cached too."""
QUICK_ROWS = 20_000
"""Campaigns with more judgments, slots and items in all are large: a page does not count them. All
that one page counts has at most so many.
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
    *,
    name: str,
    kind: Any,
    ids: Collection[int],
    compute: Compute[T],
    now: datetime,
    message: Message = REFRESH,
) -> dict[int, CachedFigures[T]]:
    """The figures of each id, each of the type `kind`, for a program that waits for them. Old
    figures are returned anyway, and a worker is asked to `refresh` them, with `message`.
    """
    cached = _cached(name, kind, ids, now, message)
    missing = [pk for pk in ids if pk not in cached]
    return cached | _computed(name, missing, compute, now)


def known_figures(
    *,
    name: str,
    kind: Any,
    ids: Collection[int],
    compute: Compute[T],
    now: datetime,
    message: Message = REFRESH,
) -> dict[int, CachedFigures[T]]:
    """The same for a page: figures of large campaigns that nobody has counted yet are missing, and
    a worker is asked for them.
    """
    cached = _cached(name, kind, ids, now, message)
    small = _small([pk for pk in ids if pk not in cached])
    _ring(name, [pk for pk in ids if pk not in cached and pk not in small], message)
    return cached | _computed(name, small, compute, now)


def refresh(*, name: str, ids: Collection[int], compute: Compute[T], now: datetime) -> None:
    """Counts for the pages to come. What they can count themselves is cached no longer."""
    made, took_s = _timed(ids, compute, now)
    own = set() if took_s > QUICK_S else _small(ids)
    _store(name, {pk: entry for pk, entry in made.items() if pk not in own})
    cache.delete_many([*(_key(name, pk) for pk in own), *(_rung_key(name, pk) for pk in ids)])


def _cached(
    name: str, kind: Any, ids: Collection[int], now: datetime, message: Message
) -> dict[int, CachedFigures[Any]]:
    keys = {_key(name, pk): pk for pk in ids}
    cached: dict[int, CachedFigures[Any]] = {
        keys[key]: read(CachedFigures[kind], entry)
        for key, entry in cache.get_many(list(keys)).items()
    }
    _ring(name, [pk for pk in ids if pk in cached and cached[pk].is_old(now)], message)
    return cached


def _ring(name: str, ids: Collection[int], message: Message) -> None:
    for pk in ids:
        if cache.add(_rung_key(name, pk), 1, RETRY_S):
            message.send(name=name, pk=pk)


def _computed(
    name: str, ids: Collection[int], compute: Compute[T], now: datetime
) -> dict[int, CachedFigures[T]]:
    if not ids:
        return {}
    made, took_s = _timed(ids, compute, now)
    if took_s > QUICK_S:
        _store(name, made)
    return made


def _timed(
    ids: Collection[int], compute: Compute[T], now: datetime
) -> tuple[dict[int, CachedFigures[T]], float]:
    began = perf_counter()
    values = compute(ids, now)
    took_s = perf_counter() - began
    return {pk: CachedFigures(value, now, took_s) for pk, value in values.items()}, took_s


def _store(name: str, made: Mapping[int, CachedFigures[Any]]) -> None:
    cache.set_many({_key(name, pk): plain(entry) for pk, entry in made.items()}, CACHED_S)


class _CountOf(Subquery):
    """The number of rows of a subquery that has a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _small(ids: Collection[int]) -> set[int]:
    """The campaigns that a page counts itself, smallest first: all of them together are small."""
    if not ids:
        return set()
    judgments, slots, items = (
        _CountOf(rows.filter(campaign=OuterRef("pk")).order_by().values("pk")[: QUICK_ROWS + 1])
        for rows in (Judgment.versions_of_everyone.all(), Slot.objects.all(), Item.objects.all())
    )
    sized = Campaign.objects.filter(pk__in=ids).annotate(n_rows=judgments + slots + items)
    small, n_left = set(), QUICK_ROWS
    for pk, n in sized.order_by("n_rows", "pk").values_list("pk", "n_rows"):
        n_left -= n
        if n_left < 0:
            break
        small.add(pk)
    return small


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


def _rung_key(name: str, pk: int) -> str:
    return f"{_key(name, pk)}:rung"
