"""Queries that every item at the desk costs: their SQL is made once a process, and PostgreSQL plans
it once a connection.

A query of the ORM is put together anew each time it is asked, and PostgreSQL plans it anew each
time it comes: together several times what it takes to answer. A Compiled is the same query with
named gaps for its values.
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
    """Where a value comes into a Compiled, by name."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(name, output_field=field)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def adapted(self, values: Mapping[str, Any]) -> Any:
        return self.output_field.get_db_prep_value(values[self.value], connection)


class Compiled(Generic[M]):
    """A query of models, with what it selects beside them. `build` is asked once, and may use Gaps
    wherever values stand.
    """

    def __init__(self, build: Callable[[], QuerySet[M, Any]]) -> None:
        self._build = build

    def all(self, **values: Any) -> list[M]:
        return [self._made(row) for row in self._rows(values)]

    def first(self, **values: Any) -> M | None:
        row = next(iter(self._rows(values)), None)
        return None if row is None else self._made(row)

    @cached_property
    def _compiler(self) -> Any:
        return self._build().query.get_compiler(connection=connection)

    @cached_property
    def _statement(self) -> tuple[str, list[Any]]:
        """The SQL and what comes into it. In PostgreSQL only gaps do: a plan for any value uses no
        partial index.
        """
        statement, params = self._compiler.as_sql()
        if connection.vendor != "postgresql":
            return statement, list(params)
        written = iter("%s" if isinstance(param, Gap) else _literal(param) for param in params)
        statement = re.sub(
            "%[s%]", lambda mark: next(written) if mark[0] == "%s" else mark[0], statement
        )
        return statement, [param for param in params if isinstance(param, Gap)]

    @cached_property
    def _converters(self) -> Any:
        return self._compiler.get_converters(
            expression for expression, _sql, _alias in self._compiler.select
        )

    @cached_property
    def _related(self) -> Any:
        # stubs are of a later Django, which asks for one argument more
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
        """For a query of `values()`: what it selects, in that order."""
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

    def _made(self, row: Sequence[Any]) -> M:
        """As django.db.models.query.ModelIterable does it."""
        model, start, end, names = self._own
        made = model.from_db("default", names, row[start:end])
        for related in self._related:
            related.populate(row, made)
        for name, place in self._compiler.annotation_col_map.items():
            setattr(made, name, row[place])
        return made


def _literal(value: Any) -> str:
    return sql.Literal(value).as_string().replace("%", "%%")


def insert(root: Model, *branches: tuple[str, Sequence[Model]]) -> None:
    """Store `root`, and rows that belong to it: each branch is the field that refers to its key,
    and the rows.

    One statement in PostgreSQL, one a table in SQLite. What is stored has to be complete; the rows
    get no key of their own.
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
    parts = [f"root AS ({statement})"]
    for place, (name, model, n) in enumerate(shape):
        others = _fields(model, name)
        row = f"((SELECT {key} FROM root), {_gaps(others)})"  # noqa: S608  # names of models
        into = _into(model, [model._meta.get_field(name), *others])
        parts.append(f"branch_{place} AS ({into} VALUES {', '.join([row] * n)})")
    return (
        f"WITH {', '.join(parts)} SELECT {key} FROM root",  # noqa: S608
        fields,
    )  # names of models


def _into(model: type[Model], fields: Sequence[Any]) -> str:
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    return f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns})"


def _gaps(fields: Sequence[Any]) -> str:
    """PostgreSQL is told each value's type: it cannot always see where a value goes."""
    if connection.vendor != "postgresql":
        return ", ".join(["%s"] * len(fields))
    return ", ".join(
        f"%s::{field.rel_db_type(connection) if field.remote_field else field.db_type(connection)}"
        for field in fields
    )


def execute(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> int:
    """How many rows a statement changed."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        n: int = cursor.rowcount
    return n


def fetch(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement gives; PostgreSQL keeps its plan."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """A cursor that sends values apart from their statement, so that PostgreSQL plans it once a
    connection.
    """
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    here: Any = connection  # stubs know neither PostgreSQL's connection nor how it makes a cursor
    made: Any = ServerBindingCursor
    with here.wrap_database_errors, here._prepare_cursor(made(here.connection)) as cursor:
        yield cursor
