"""The database in one file: copied at one moment while people work, and put back.

PostgreSQL: pg_dump's custom format, from an exported snapshot in which the rows are counted too.
SQLite: its online backup.
"""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from accounts.models import LoginSession, User
from training.storage.backups import tools
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore

T = TypeVar("T")
_MIGRATIONS = "django_migrations"
_OURS = ("accounts.", "labeling.", "training.")
LEFT_EMPTY = (LoginSession._meta.db_table, Session._meta.db_table)
"""Whoever reads a backup must not find the keys of sessions that are still open."""


@dataclass(frozen=True)
class Copied(Generic[T]):
    rows: dict[str, int]
    migrations: list[str]
    seen: T
    """What `look` returned."""


def copy(to: Path, *, look: Callable[[], T]) -> Copied[T]:
    """Writes the database to a file. `look` reads at the same moment. Raises UnableToBackUp."""
    if connection.vendor == "sqlite":
        return _copy_sqlite(to, look)
    try:
        return _copy_postgresql(to, look)
    except tools.ToolMissing as problem:
        raise UnableToBackUp(str(problem)) from problem
    except tools.ToolFailed as problem:
        raise UnableToBackUp(
            _("The database could not be copied: %(why)s") % {"why": problem}
        ) from problem


def _copy_postgresql(to: Path, look: Callable[[], T]) -> Copied[T]:
    program = tools.find("pg_dump")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        rows = {name: 0 if name in LEFT_EMPTY else n for name, n in n_rows().items()}
        copied = Copied(rows=rows, migrations=applied(), seen=look())
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        options += [f"--exclude-table-data={table}" for table in LEFT_EMPTY]
        tools.run_on_database(program, [*options, f"--file={to}"])
    return copied


def _copy_sqlite(to: Path, look: Callable[[], T]) -> Copied[T]:
    """`look` reads after the copy: files of rows that came in between are there as well."""
    source = f"file:{connection.settings_dict['NAME']}?mode=ro"
    with closing(sqlite3.connect(source, uri=True)) as here, closing(sqlite3.connect(to)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")
        _empty_sqlite(there)
        (state,) = there.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise UnableToBackUp(_("The database is damaged: %(why)s") % {"why": state})
        rows = {name: _count(there, name) for name in _sqlite_tables(there)}
        applied_there = there.execute(f"SELECT app, name FROM {_MIGRATIONS}")  # noqa: S608
        migrations = sorted(".".join(row) for row in applied_there)
    return Copied(rows=rows, migrations=migrations, seen=look())


def _empty_sqlite(there: sqlite3.Connection) -> None:
    """Overwrites what it deletes: a freed page keeps its bytes otherwise. A database that waits for
    its migrations may lack a table.
    """
    there.execute("PRAGMA secure_delete=ON")
    for table in set(LEFT_EMPTY).intersection(_sqlite_tables(there)):
        there.execute(f'DELETE FROM "{table}"')  # noqa: S608
    there.commit()


def restore(file: Path) -> None:
    """Replaces every table by those of the file; none, if that fails. Raises UnableToRestore."""
    if connection.vendor == "sqlite":
        _restore_sqlite(file)
        return
    try:
        _restore_postgresql(file)
    except (tools.ToolMissing, tools.ToolFailed) as problem:
        raise UnableToRestore(
            _("The database could not be restored: %(why)s") % {"why": problem}
        ) from problem


def _restore_postgresql(file: Path) -> None:
    """Dropping and restoring are one transaction of psql. The script is a file, because psql would
    commit the beginning of a script that another program stops writing.
    """
    script = file.with_name(f"{file.name}.sql")
    tools.run(
        tools.find("pg_restore"), ["--no-owner", "--no-privileges", f"--file={script}", str(file)]
    )
    psql = tools.find("psql")
    drop = _drop_statement()
    connection.close()
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    before = [f"--command={drop}"] if drop else []
    tools.run_on_database(psql, [*options, *before, f"--file={script}"])


def _drop_statement() -> str:
    names = ", ".join(map(connection.ops.quote_name, connection.introspection.table_names()))
    return f"DROP TABLE {names} CASCADE" if names else ""


def _restore_sqlite(file: Path) -> None:
    """Through SQLite, so that a process that still has the old database open sees the new one."""
    connection.close()
    target = Path(connection.settings_dict["NAME"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def engine() -> str:
    return "sqlite" if connection.vendor == "sqlite" else "postgresql"


def has_people() -> bool:
    """Whether somebody has an account: then it is a site and not a new database."""
    return User._meta.db_table in connection.introspection.table_names() and (
        User._base_manager.values("pk").exists()
    )


def n_rows() -> dict[str, int]:
    """Of every table."""
    with connection.cursor() as cursor:
        counts = {}
        for name in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            counts[name] = int(cursor.fetchone()[0])
    return counts


def applied() -> list[str]:
    """Migrations that the database has, as "app.name"."""
    return sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())


def unknown(migrations: Iterable[str]) -> list[str]:
    """Those that this code neither has nor has replaced. Other packages may drop theirs."""
    loader = MigrationLoader(None)
    replaced = {key for migration in loader.replacements.values() for key in migration.replaces}
    known = {".".join(key) for key in loader.disk_migrations.keys() | replaced}
    return sorted(name for name in set(migrations) - known if name.startswith(_OURS))


def _sqlite_tables(there: sqlite3.Connection) -> list[str]:
    tables = there.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return sorted(name for (name,) in tables)


def _count(there: sqlite3.Connection, name: str) -> int:
    (n,) = there.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
    return int(n)
