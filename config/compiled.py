"""Compiled queries for the rater's desk: Django builds the SQL once per process, and PostgreSQL
plans it once per connection.

The ORM builds a query's SQL at each call, and PostgreSQL plans it each time it arrives. Together
these cost several times the query itself. A Compiled is the same query with named placeholders for
its values.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Field, Model, QuerySet, Value
from django.db.models.query import get_related_populators
from psycopg import sql

M = TypeVar("M", bound=Model)


class Gap(Value):
    """A named placeholder for a value in a Compiled."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(name, output_field=field)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def adapted(self, values: Mapping[str, Any]) -> Any:
        return self.output_field.get_db_prep_value(values[self.value], connection)


class Compiled(Generic[M]):
    """A query that returns model instances and the columns annotated on them. `build` is called
    once and may use Gaps in place of values.
    """

    def __init__(self, build: Callable[[], QuerySet[M, Any]]) -> None:
        self._build = build

    def all(self, **values: Any) -> list[M]:
        return [self._instance(row) for row in self._rows(values)]

    def first(self, **values: Any) -> M | None:
        row = next(iter(self._rows(values)), None)
        return None if row is None else self._instance(row)

    @cached_property
    def _compiler(self) -> Any:
        return self._build().query.get_compiler(connection=connection)

    @cached_property
    def _statement(self) -> tuple[str, list[Any]]:
        """The SQL and its parameters. On PostgreSQL only Gaps become parameters: a generic plan
        cannot use a partial index.
        """
        statement, params = self._compiler.as_sql()
        if connection.vendor != "postgresql":
            return statement, list(params)
        # Inline every value that is not a Gap; "%%" is an escaped per cent sign and stays.
        placeholders = iter("%s" if isinstance(param, Gap) else _literal(param) for param in params)
        statement = re.sub(
            "%[s%]", lambda mark: next(placeholders) if mark[0] == "%s" else mark[0], statement
        )
        return statement, [param for param in params if isinstance(param, Gap)]

    @cached_property
    def _converters(self) -> Any:
        return self._compiler.get_converters(
            expression for expression, _sql, _alias in self._compiler.select
        )

    @cached_property
    def _related(self) -> Any:
        # the stubs are for a later Django, which takes one more argument
        return get_related_populators(self._compiler.klass_info, self._compiler.select, "default")  # type: ignore[call-arg]

    @cached_property
    def _own(self) -> tuple[type[M], int, int, list[str]]:
        info = self._compiler.klass_info
        start, end = info["select_fields"][0], info["select_fields"][-1] + 1
        return (
            info["model"],
            start,
            end,
            [column[0].target.attname for column in self._compiler.select[start:end]],
        )

    def rows(self, **values: Any) -> list[Sequence[Any]]:
        """Rows of a `values()` query, columns in the order it selects them."""
        return list(self._rows(values))

    def _rows(self, values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        statement, params = self._statement
        rows = fetch(
            statement,
            [param.adapted(values) if isinstance(param, Gap) else param for param in params],
        )
        return (
            self._compiler.apply_converters(rows, self._converters)
            if self._converters
            else iter(rows)
        )

    def _instance(self, row: Sequence[Any]) -> M:
        """Builds an instance as django.db.models.query.ModelIterable does."""
        model, start, end, names = self._own
        instance = model.from_db("default", names, row[start:end])
        for related in self._related:
            related.populate(row, instance)
        for name, place in self._compiler.annotation_col_map.items():
            setattr(instance, name, row[place])
        return instance


def _literal(value: Any) -> str:
    return sql.Literal(value).as_string().replace("%", "%%")


def insert(root: Model, *branches: tuple[str, Sequence[Model]]) -> None:
    """Stores `root` and the rows that belong to it. Each branch is the foreign key field that
    refers to `root`, and its rows.

    Uses one statement on PostgreSQL and one per table on SQLite. The instances must be complete;
    the rows do not get their primary keys set.
    """
    shape = tuple((name, type(rows[0]), len(rows)) for name, rows in branches)
    statement, fields = _insertion(type(root), shape if connection.vendor == "postgresql" else ())
    values = _values(root, fields)
    if connection.vendor == "postgresql":
        values += [
            value
            for (name, rows), (_, model, _) in zip(branches, shape, strict=True)
            for row in rows
            for value in _values(row, _fields(model, name))
        ]
    root.pk = fetch(statement, values)[0][0]
    root._state.adding, root._state.db = False, "default"
    for name, rows in branches:
        for row in rows:
            setattr(row, f"{name}_id", root.pk)
            if connection.vendor != "postgresql":
                insert(row)


def _values(row: Model, fields: Sequence[Any]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


def _fields(model: type[Model], refers: str = "") -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, AutoField) and field.name != refers
    ]


@lru_cache(maxsize=64)
def _insertion(
    root: type[Model], shape: tuple[tuple[str, type[Model], int], ...]
) -> tuple[str, list[Any]]:
    fields = _fields(root)
    key = connection.ops.quote_name(str(root._meta.pk.column))
    statement = f"{_into(root, fields)} VALUES ({_gaps(fields)}) RETURNING {key}"
    if not shape:
        return statement, fields
    # One WITH query: the root's INSERT returns the key that each branch's INSERT refers to.
    parts = [f"root AS ({statement})"]
    for place, (name, model, n) in enumerate(shape):
        others = _fields(model, name)
        row = f"((SELECT {key} FROM root), {_gaps(others)})"  # noqa: S608  # names of models
        into = _into(model, [model._meta.get_field(name), *others])
        parts.append(f"branch_{place} AS ({into} VALUES {', '.join([row] * n)})")
    # The names in the statement come from models.
    return f"WITH {', '.join(parts)} SELECT {key} FROM root", fields  # noqa: S608


def _into(model: type[Model], fields: Sequence[Any]) -> str:
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    return f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns})"


def _gaps(fields: Sequence[Any]) -> str:
    """Placeholders with explicit types, since PostgreSQL cannot always infer a parameter's type."""
    if connection.vendor != "postgresql":
        return ", ".join(["%s"] * len(fields))
    return ", ".join(
        f"%s::{field.rel_db_type(connection) if field.remote_field else field.db_type(connection)}"
        for field in fields
    )


def execute(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> int:
    """Runs a statement; returns the number of rows it changed."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        n: int = cursor.rowcount
    return n


def fetch(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Rows returned by a statement; PostgreSQL keeps its plan."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """A cursor that binds values on the server, so that PostgreSQL plans each statement once per
    connection.
    """
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # The stubs know neither PostgreSQL's connection nor its way of making a cursor.
    here: Any = connection
    cursor_class: Any = ServerBindingCursor
    with here.wrap_database_errors, here._prepare_cursor(cursor_class(here.connection)) as cursor:
        yield cursor
