"""Small sites run on SQLite, where one connection writes at a time."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.data.exports.jobs import EXPORTS, request_export
from labeling.models import Export
from tests.cast import NOON, some_prompts
from tests.tooling.sqlite import make_tables, on_sqlite

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_export_of_thousands_of_rows_is_written_while_others_work(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export writes how far it is every 1,000 rows, and raters write in between."""
    settings.EXPORTS_DIR = tmp_path / "exports"
    file = tmp_path / "preferably.sqlite3"
    say_how_far = Export.beat

    def beat(export: Export, **columns: Any) -> None:
        with closing(sqlite3.connect(file)) as somebody_else:
            somebody_else.execute("UPDATE accounts_user SET name = name || '.'")
            somebody_else.commit()
        say_how_far(export, **columns)

    monkeypatch.setattr(Export, "beat", beat)
    with on_sqlite(file):
        make_tables()
        alice = User.objects.create_user(email="alice@example.org", name="Alice")
        some_prompts(3_500)
        export = request_export(campaign=None, shape="prompts", by=alice, now=NOON)

        EXPORTS.run(export.pk, clock=lambda: NOON)

        export.refresh_from_db()
        alice.refresh_from_db()
    assert (export.state, export.error, export.n_rows) == (Export.State.DONE, "", 3_500)
    assert alice.name == "Alice..."
