"""A scene that takes seconds to make is made once in each test process. Every later test that asks
for it gets a copy of its rows.
"""

from collections.abc import Callable

from django.db import connection, transaction
from psycopg import sql

from tests.tooling import databases

_ROWS: dict[str, dict[str, bytes]] = {}
"""Scene → table → rows, as PostgreSQL copies them out."""


def made_once(name: str, make: Callable[[], object]) -> None:
    """Fills the test's empty database with what `make` writes to it.

    The copied rows keep their keys, which no sequence gives out a second time.
    """
    with transaction.atomic():
        if name in _ROWS:
            _copy_in(_ROWS[name])
            return
        assert not databases.written(), f"{name} comes first: other rows would be copied too."
        make()
        _ROWS[name] = _copy_out()


def _copy_out() -> dict[str, bytes]:
    rows = {}
    with connection.cursor() as cursor:
        for table in databases.written():
            with cursor.copy(_statement("COPY {} TO STDOUT", table)) as copied:
                rows[table] = b"".join(map(bytes, copied))
    return rows


def _copy_in(rows: dict[str, bytes]) -> None:
    """In any order: foreign keys are checked at the end of the transaction."""
    with connection.cursor() as cursor:
        for table, lines in rows.items():
            with cursor.copy(_statement("COPY {} FROM STDIN", table)) as copied:
                copied.write(lines)


def _statement(text: str, table: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table))
