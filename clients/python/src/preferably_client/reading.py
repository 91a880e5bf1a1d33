"""JSON as rows. Unknown fields, from a newer site, are ignored; those that an older site lacks are
None.
"""

import dataclasses
import types
import typing
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def read(row: type[T], raw: object) -> T:
    """`raw` JSON as a `row`."""
    return typing.cast(T, value_of(row, raw))


def value_of(hint: Any, raw: Any) -> object:
    if raw is None:
        return None
    if is_row(hint):
        hints = hints_of(hint)
        return hint(**{name: value_of(inner, raw.get(name)) for name, inner in hints.items()})
    if isinstance(hint, types.UnionType):
        return value_of(present(hint), raw)
    if hint is datetime:
        return datetime.fromisoformat(raw)
    if typing.get_origin(hint) is list:
        return [value_of(typing.get_args(hint)[0], one) for one in raw]
    if typing.get_origin(hint) is dict:
        return {key: value_of(typing.get_args(hint)[1], one) for key, one in raw.items()}
    return raw


def is_row(hint: object) -> bool:
    return dataclasses.is_dataclass(hint)


@cache
def hints_of(row: Any) -> dict[str, object]:
    """The types of a row's fields by name."""
    hints = typing.get_type_hints(row)
    return {field.name: hints[field.name] for field in dataclasses.fields(row)}


def present(hint: object) -> object:
    """The type of a value that is not None."""
    if isinstance(hint, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint
