"""A SQLite file that Django uses in place of the tests' PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler


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
