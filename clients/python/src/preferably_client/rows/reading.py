"""JSON as rows. Unknown fields, from a newer site, are ignored."""

import dataclasses
import types
import typing
from datetime import datetime
from typing import Any, TypeVar

Row = TypeVar("Row")


def read(row: type[Row], raw: dict[str, Any]) -> Row:
    """`raw` JSON as a `row`."""
    hints = typing.get_type_hints(row)
    names = [field.name for field in dataclasses.fields(row)]  # type: ignore[arg-type]  # every row is a dataclass
    return row(**{name: _value(hints[name], raw[name]) for name in names})


def _value(hint: Any, raw: Any) -> Any:
    if raw is None:
        return None
    if isinstance(hint, types.UnionType):
        return _value(next(part for part in typing.get_args(hint) if part is not type(None)), raw)
    if hint is datetime:
        return datetime.fromisoformat(raw)
    if typing.get_origin(hint) is list:
        return [_value(typing.get_args(hint)[0], one) for one in raw]
    return read(hint, raw) if dataclasses.is_dataclass(hint) and isinstance(hint, type) else raw
