"""Rows as a `datasets.Dataset`, with the columns of their class: the same for every page of a list,
and for an empty one.
"""

import json
import typing
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from preferably_client.optional import optional
from preferably_client.reading import hints_of, is_row, present

_TYPES = {int: "int64", float: "float64", bool: "bool", str: "string"}


def dataset_of(row: Any, rows: Iterable[Any]) -> object:
    """Objects become structs, times UTC timestamps, and dictionaries without fixed keys JSON. Rows
    that are dictionaries themselves, such as those of a snapshot, have the columns of the first.
    """
    library = optional("datasets", extra="datasets")
    if not is_row(row):
        return library.Dataset.from_list(list(rows))
    hints = hints_of(row)
    columns: dict[str, list[object]] = {name: [] for name in hints}
    for one in rows:
        for name, hint in hints.items():
            columns[name].append(_plain(hint, getattr(one, name)))
    features = {name: _feature(library, hint) for name, hint in hints.items()}
    return library.Dataset.from_dict(columns, features=library.Features(features))


def _feature(library: Any, hint: Any) -> object:
    hint = present(hint)
    if is_row(hint):
        hints = hints_of(hint)
        return {name: _feature(library, inner) for name, inner in hints.items()}
    if typing.get_origin(hint) is list:
        return library.List(_feature(library, typing.get_args(hint)[0]))
    if hint is datetime:
        return library.Value("timestamp[us, tz=UTC]")
    return library.Value(_TYPES.get(hint, "string"))


def _plain(hint: object, value: Any) -> object:
    hint = present(hint)
    if value is None:
        return None
    if is_row(hint):
        hints = hints_of(hint)
        return {name: _plain(inner, getattr(value, name)) for name, inner in hints.items()}
    if typing.get_origin(hint) is list:
        return [_plain(typing.get_args(hint)[0], one) for one in value]
    if hint is datetime:
        return value.astimezone(UTC)
    return value if hint in _TYPES else json.dumps(value, ensure_ascii=False)
