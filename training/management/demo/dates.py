"""Moves every date of a database by the same time, so that a recorded site is as old as it was when
it was recorded.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""In JSON, as datetime.isoformat writes it."""
_NOON = time(12)


def shift(by: timedelta) -> None:
    """All of them or none: those in columns, and moments in JSON."""
    with transaction.atomic():
        for model in apps.get_models(include_auto_created=True):
            if fields := fields_with_dates(model):
                _shift_table(model, fields, by)


def fields_with_dates(model: type[models.Model]) -> list["models.Field[Any, Any]"]:
    """JSON may have some."""
    return [
        field
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.DateField | models.JSONField)
    ]


def shifted(value: Any, by: timedelta) -> Any:
    """Also within JSON. Anything that is not a date stays."""
    match value:
        case datetime():
            return value + by
        case date():
            return (datetime.combine(value, _NOON) + by).date()
        case str() if _MOMENT.fullmatch(value):
            return (datetime.fromisoformat(value) + by).isoformat()
        case list():
            return [shifted(part, by) for part in value]
        case dict():
            return {key: shifted(part, by) for key, part in value.items()}
    return value


def _shift_table(
    model: type[models.Model], fields: Sequence["models.Field[Any, Any]"], by: timedelta
) -> None:
    """Writes only what changes, so that it makes no NULL of a null in JSON."""
    key: Any = model._meta.pk
    names = [key.attname, *(field.attname for field in fields)]
    changed: dict[tuple[Any, ...], list[list[Any]]] = defaultdict(list)
    for pk, *values in model._base_manager.values_list(*names):
        moved = {
            field: new
            for field, old in zip(fields, values, strict=True)
            if (new := shifted(old, by)) != old
        }
        if moved:
            stored = [field.get_db_prep_save(new, connection) for field, new in moved.items()]
            changed[tuple(moved)].append([*stored, key.get_db_prep_save(pk, connection)])
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for columns, rows in changed.items():
            sets = ", ".join(f"{quote(str(field.column))} = %s" for field in columns)
            cursor.executemany(
                f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {quote(key.column)} = %s",  # noqa: S608  # names of our own tables
                rows,
            )
