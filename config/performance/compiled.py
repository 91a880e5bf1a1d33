"""Compiled queries for the rater's desk: Django builds the SQL once per process, and PostgreSQL
plans it once per connection. See docs/adr/0009-compiled-queries.md.

The ORM builds a query's SQL at each call, and PostgreSQL plans it each time it arrives. Together
these cost several times the query itself.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model, QuerySet, Value
from django.db.models.query import get_related_populators
from psycopg import sql

M = TypeVar("M", bound=Model)


class Gap(Value):
    """A named placeholder for a value in a Compiled."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(name, output_field=field)

    def as_sql(self, compiler: object, connection: object) -> Any:
        return "%s", [self]

    def adapted(self, values: Mapping[str, object]) -> Any:
        return self.output_field.get_db_prep_value(values[self.value], connection)


class Compiled(Generic[M]):
    """A query that returns model instances and the columns annotated on them.

    `build` returns the query for its named values, and `fields` are the types of those values. On
    PostgreSQL, `build` is called once, with a Gap for each value. SQLite has no plans to keep, so
    there each call is the plain query.
    """

    def __init__(
        self, build: Callable[..., QuerySet[M, object]], **fields: "Field[Any, Any]"
    ) -> None:
        self._build = build
        self._fields = fields

    def plain(self, **values: object) -> QuerySet[M, Any]:
        """The same query through the ORM."""
        return self._build(**values)

    def all(self, **values: object) -> list[M]:
        if connection.vendor != "postgresql":
            return list(self.plain(**values))
        return [self._instance(row) for row in self._rows(values)]

    def first(self, **values: object) -> M | None:
        return next(iter(self.all(**values)), None)

    def rows(self, **values: object) -> list[Sequence[Any]]:
        """Rows of a `values_list()` query."""
        if connection.vendor != "postgresql":
            return list(self.plain(**values))
        return list(self._rows(values))

    def _rows(self, values: Mapping[str, object]) -> Iterator[Sequence[object]]:
        statement, gaps = self._statement
        rows = fetch(statement, [gap.adapted(values) for gap in gaps])
        return (
            self._compiler.apply_converters(rows, self._converters)
            if self._converters
            else iter(rows)
        )

    @cached_property
    def _compiler(self) -> Any:
        gaps = {name: Gap(name, field) for name, field in self._fields.items()}
        return self._build(**gaps).query.get_compiler(connection=connection)

    @cached_property
    def _statement(self) -> tuple[str, list[Gap]]:
        """The SQL and its parameters. Only Gaps become parameters: a generic plan cannot use a
        partial index.
        """
        statement, params = self._compiler.as_sql()
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

    def _instance(self, row: Sequence[object]) -> M:
        """Builds an instance as django.db.models.query.ModelIterable does."""
        model, start, end, names = self._own
        instance = model.from_db("default", names, row[start:end])
        for related in self._related:
            related.populate(row, instance)
        for name, place in self._compiler.annotation_col_map.items():
            setattr(instance, name, row[place])
        return instance


def insert(*instances: Model) -> None:
    """Inserts instances of one model with one prepared statement, as `bulk_create` does: signals
    are not sent, and a primary key that the database makes is set.
    """
    model = type(instances[0])
    if connection.vendor != "postgresql":
        model._base_manager.bulk_create(instances)
        return
    statement, fields = _insert_statement(model, len(instances))
    values = [
        field.get_db_prep_save(field.pre_save(instance, add=True), connection)
        for instance in instances
        for field in fields
    ]
    for instance, (pk,) in zip(instances, fetch(statement, values), strict=True):
        instance.pk = pk
        instance._state.adding = False
        instance._state.db = "default"


@cache
def _insert_statement(model: type[Model], n: int) -> tuple[str, list["Field[Any, Any]"]]:
    """The INSERT of `n` rows, and the fields that each row gives a value for."""
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if field not in model._meta.db_returning_fields
    ]
    assert model._meta.pk is not None
    columns = ", ".join(_quoted(field) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    statement = (
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns})"  # noqa: S608
        f" VALUES {', '.join([row] * n)} RETURNING {_quoted(model._meta.pk)}"
    )
    return statement, fields


def _quoted(field: "Field[object, object]") -> str:
    assert field.column is not None
    return connection.ops.quote_name(field.column)


def _literal(value: object) -> str:
    return sql.Literal(value).as_string().replace("%", "%%")


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
        rows: list[tuple[object, ...]] = cursor.fetchall()
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
