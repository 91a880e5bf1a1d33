"""The database of a test process: a copy of a template that is migrated once, restored after a test
that commits.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from psycopg import sql

LOCK = 427013  # any number: one process at a time makes a template or copies one
PREFIX = "preferably_template_"
WITH_ROWS = ("auth_permission", "django_content_type", "django_migrations")
"""The tables that a migrated database has rows in. Tests leave them alone."""


def set_up() -> None:
    """Points Django at a new copy of the template, which the first process makes."""
    test = connection.settings_dict["TEST"]["NAME"] or f"test_{connection.settings_dict['NAME']}"
    template = PREFIX + fingerprint()
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if not _exists(server, template):
            _make_template(server, template)
        _drop(server, test)
        _create(server, test, template)
    _use(test)


def tear_down() -> None:
    name = connection.settings_dict["NAME"]
    connection.close()
    with _server() as server:
        _drop(server, name)


def empty() -> None:
    """Deletes what a test has committed, from the tables that it has written to.

    Django truncates all of them instead, which makes a new file for each of a hundred tables and
    their indexes, and writes content types and permissions again.
    """
    tables = written()
    with transaction.atomic(), connection.cursor() as cursor:
        # Every row goes, so nobody need check foreign keys row by row. Only a superuser may say so.
        cursor.execute(
            "SELECT set_config('session_replication_role', 'replica', true)"
            " FROM pg_user WHERE usename = current_user AND usesuper"
        )
        for name in tables:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)).as_string())


def written() -> list[str]:
    """The tables that have rows, apart from those WITH_ROWS."""
    with connection.cursor() as cursor:
        cursor.execute(_is_written())
        return [row[0] for row in cursor.fetchall()]


@cache
def _is_written() -> str:
    names = [name for name in connection.introspection.table_names() if name not in WITH_ROWS]
    return (
        sql.SQL(" UNION ALL ")
        .join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name))
            for name in sorted(names)
        )
        .as_string()
    )


@contextmanager
def empty_database(suffix: str, *, is_migrated: bool = False) -> Iterator[str]:
    """The URL of another database of this test process, without tables, or with those of the
    template, which are empty. Dropped at the end.
    """
    there = connection.settings_dict
    name = f"{there['NAME']}_{suffix}"
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        _drop(server, name)
        _create(server, name, PREFIX + fingerprint() if is_migrated else "template0")
    login = f"{quote(there['USER'])}:{quote(there['PASSWORD'])}"
    try:
        yield f"postgres://{login}@{there['HOST']}:{there['PORT']}/{name}"
    finally:
        with _server() as server:
            _drop(server, name)


def n_rows() -> list[int]:
    """Of each table WITH_ROWS."""
    counts = sql.SQL(", ").join(
        sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(name)) for name in WITH_ROWS
    )
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {}").format(counts).as_string())
        return list(cursor.fetchone())


def fingerprint() -> str:
    """Changes with everything that decides what a migrated database looks like."""
    digest = hashlib.sha256(version("django").encode() + Path(__file__).read_bytes())
    for config in apps.get_app_configs():
        folder = Path(config.path)
        files = [*folder.glob("migrations/**/*.py"), *folder.rglob("models.py")]
        for file in sorted({*files, *folder.glob("**/models/**/*.py")}):
            digest.update(b"\0".join([str(file).encode(), file.read_bytes()]))
    return digest.hexdigest()[:20]


def _make_template(server: psycopg.Connection, name: str) -> None:
    """Under another name until it is whole, so that a killed process leaves no half template."""
    unfinished, before = "preferably_unfinished", connection.settings_dict["NAME"]
    _drop(server, unfinished)
    _create(server, unfinished, "template0")
    _use(unfinished)
    call_command("migrate", verbosity=0, interactive=False)
    _keep_statistics()
    _use(before)
    older = server.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX]
    )
    for (old,) in older.fetchall():
        _drop(server, old)
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(unfinished), sql.Identifier(name)
        )
    )


def _keep_statistics() -> None:
    """Autovacuum never counts the rows of a table.

    If it did so after a test has deleted them, a later test whose rows are not committed would be
    planned as if its tables were empty, and a query of a second takes minutes.
    """
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            statement = sql.SQL("ALTER TABLE {} SET (autovacuum_analyze_threshold = 2147483647)")
            cursor.execute(statement.format(sql.Identifier(name)).as_string())


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = name
    connection.settings_dict["NAME"] = name


@contextmanager
def _server() -> Iterator[psycopg.Connection]:
    """A connection from which databases are made and dropped."""
    there = connection.settings_dict
    with psycopg.connect(
        host=there["HOST"] or None,
        port=there["PORT"] or None,
        user=there["USER"] or None,
        password=there["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as server:
        yield server


def _exists(server: psycopg.Connection, name: str) -> bool:
    found = server.execute("SELECT FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _create(server: psycopg.Connection, name: str, template: str) -> None:
    server.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
