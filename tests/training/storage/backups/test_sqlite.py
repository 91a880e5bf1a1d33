"""A site on SQLite is backed up and restored as one on PostgreSQL is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import connection

from accounts.models import User
from tests.cast import NOON
from tests.tooling.sqlite import make_tables, on_sqlite
from tests.training.storage.backups import sites
from training.storage.backups import services
from training.storage.backups.refusals import UnableToRestore

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


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


def test_the_keys_of_open_sessions_are_in_no_byte_of_a_backup(
    folders: sites.Folders, tmp_path: Path
) -> None:
    """A deleted row is still in the file of SQLite, unless its bytes are overwritten."""
    keys = [f"kept-by-nobody-{number:024}" for number in range(50)]
    place = tmp_path / "backups"
    with on_sqlite(folders.home / "preferably.sqlite3"):
        make_tables()
        for key in keys:
            Session.objects.create(session_key=key, session_data="data", expire_date=NOON)
        services.back_up(place=str(place), clock=lambda: NOON)

    stored = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert b"CREATE TABLE" in stored
    assert b"kept-by-nobody" not in stored


def test_a_backup_of_another_database_engine_is_refused(
    folders: sites.Folders, tmp_path: Path
) -> None:
    place = str(tmp_path / "backups")
    with on_sqlite(folders.home / "preferably.sqlite3"):
        make_tables()
        services.back_up(place=place, clock=lambda: NOON)

    with pytest.raises(UnableToRestore, match="The backup is of a sqlite database"):
        services.restore(place=place, now=NOON)
