"""A site on SQLite is backed up and restored as one on PostgreSQL is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler

from accounts.models import User
from tests.cast import NOON
from tests.training.storage.backups import sites
from training.storage.backups import services
from training.storage.backups.refusals import UnableToRestore

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@contextmanager
def on_sqlite(file: Path) -> Iterator[None]:
    """Django uses this database meanwhile."""
    own = connections["default"]
    options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    engine = "django.db.backends.sqlite3"
    handler = ConnectionHandler(
        {"default": {"ENGINE": engine, "NAME": str(file), "OPTIONS": options}}
    )
    connections["default"] = handler["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = own


def make_tables() -> None:
    """Without the migrations' history of them, which takes seconds."""
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    recorder.record_applied("labeling", "0001_initial")


def rows() -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        found = {}
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)} ORDER BY 1")  # noqa: S608
            found[name] = cursor.fetchall()
    return found


def test_a_site_on_sqlite_is_restored(
    folders: sites.Folders, tmp_path: Path, settings: LazySettings
) -> None:
    place = str(tmp_path / "backups")
    (folders.home / "uploads" / "file").write_text("a file")
    with on_sqlite(folders.home / "preferably.sqlite3"):
        make_tables()
        User.objects.create_user(email="alice@example.org", name="Alice")
        before = rows()
        services.back_up(place=place, clock=lambda: NOON)
        User.objects.create_user(email="later@example.org", name="Later")
        with pytest.raises(UnableToRestore, match="The database has accounts"):
            services.restore(place=place, now=NOON)

    new = sites.use(settings, sites.Folders(tmp_path / "new", str(tmp_path / "new-artifacts")))
    with on_sqlite(new.home / "preferably.sqlite3"):
        services.restore(place=place, now=NOON)
        restored = rows()
        services.restore(place=place, is_forced=True, now=NOON + timedelta(days=1))
        again = rows()

    assert len(before["accounts_user"]) == 1
    assert restored == again == before
    assert (new.home / "uploads" / "file").read_text() == "a file"


def test_a_backup_of_another_database_engine_is_refused(
    folders: sites.Folders, tmp_path: Path
) -> None:
    place = str(tmp_path / "backups")
    with on_sqlite(folders.home / "preferably.sqlite3"):
        make_tables()
        services.back_up(place=place, clock=lambda: NOON)

    with pytest.raises(UnableToRestore, match="The backup is of a sqlite database"):
        services.restore(place=place, now=NOON)
