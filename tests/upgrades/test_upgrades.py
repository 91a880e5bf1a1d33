"""Upgrades a site of the last release to this code: every row stays, and every page opens."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.tooling import databases
from tests.training.storage.backups import sites
from tests.upgrades import releases, rows

ROOT = Path(__file__).resolve().parents[2]
HARM = """
from django.db import migrations


def harm(apps, schema_editor):
    apps.get_model("labeling", "Draft").objects.all().delete()
    apps.get_model("labeling", "Judgment")._base_manager.update(active_s=7)
    apps.get_model("labeling", "QualityReport").objects.update(results={})


class Migration(migrations.Migration):
    dependencies = [("labeling", "LAST")]
    operations = [migrations.RunPython(harm)]
"""


SQLITE = pytest.mark.xdist_group("upgrades on SQLite")
"""Tests that share a database, so they run in one process."""


class Upgraded(NamedTuple):
    file: Path
    found: dict[str, Any]


def upgrade(release: str, database: str, *options: str, home: Path) -> dict[str, Any]:
    environment = os.environ | {
        "DATABASE_URL": database,
        "PREFERABLY_HOME": str(home),
        "PATH": os.pathsep.join([str(sites.programs()), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(home), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "tests.upgrades.upgrade", release, *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Upgraded]:
    """The site of a release, upgraded on SQLite once for all tests."""

    @cache
    def upgraded(release: str) -> Upgraded:
        file = tmp_path_factory.mktemp("upgraded") / "site.sqlite3"
        return Upgraded(file, upgrade(release, f"sqlite:///{file}", home=file.parent))

    return upgraded


def assert_kept(found: dict[str, Any]) -> None:
    assert found["lost"] == []
    assert found["needed"] == []
    assert found["pages"] == []
    assert found["n_pages"] > 200


@pytest.mark.slow
@pytest.mark.parametrize("release", releases.names())
def test_a_site_of_a_release_keeps_its_rows_and_its_pages_open(
    release: str, tmp_path: Path
) -> None:
    with databases.empty_database("upgrade") as url:
        assert_kept(upgrade(release, url, home=tmp_path))


@SQLITE
@pytest.mark.slow
@pytest.mark.parametrize("release", releases.names())
def test_a_site_of_a_release_keeps_its_rows_and_its_pages_open_on_sqlite(
    release: str, on_sqlite: Callable[[str], Upgraded]
) -> None:
    assert_kept(on_sqlite(release).found)


@SQLITE
@pytest.mark.slow
def test_an_upgrade_that_loses_something_is_noticed(
    tmp_path: Path, on_sqlite: Callable[[str], Upgraded]
) -> None:
    """A migration that does harm, after all others."""
    last = max(file.stem for file in ROOT.glob("labeling/migrations/[0-9]*.py"))
    shutil.copytree(ROOT / "labeling" / "migrations", tmp_path / "harmful")
    (tmp_path / "harmful" / "9999_harm.py").write_text(HARM.replace("LAST", last))
    release = releases.names()[-1]
    file = shutil.copy(on_sqlite(release).file, tmp_path)

    found = upgrade(
        release, f"sqlite:///{file}", "labeling=harmful", "campaign_agreement", home=tmp_path
    )

    assert "labeling.Draft had 1 rows and has 0." in found["lost"]
    assert any(line.startswith("labeling.Judgment.active_s was ") for line in found["lost"])
    assert any(line.startswith("campaign_agreement answers the admin") for line in found["pages"])


@pytest.mark.django_db
def test_a_site_that_has_applied_what_a_release_replaces_applies_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    replaced = forget(replacements())

    call_command("migrate")

    assert "No migrations to apply." in capsys.readouterr().out
    assert replaced <= MigrationRecorder(connection).applied_migrations().keys()


@pytest.mark.django_db
def test_a_site_between_two_releases_is_told_to_finish_the_first() -> None:
    forget([*replacements(), ("labeling", "0015_conversation_ratings")])

    with pytest.raises(CommandError) as refused:
        call_command("migrate")

    assert str(refused.value) == (
        "This database is between two releases: labeling.0015_conversation_ratings is not applied,"
        " and labeling.0004_squashed_0016_red_teaming has replaced it. First run `migrate` of a"
        " version that still has labeling.0015_conversation_ratings."
    )


def replacements() -> list[tuple[str, str]]:
    """Migrations that replace others."""
    return list(MigrationLoader(None).replacements)


def forget(names: list[tuple[str, str]]) -> set[tuple[str, str]]:
    recorder = MigrationRecorder(connection)
    for app, name in names:
        recorder.record_unapplied(app, name)
    return set(names)


def test_a_column_or_a_table_that_is_gone_is_a_difference() -> None:
    before: rows.Rows = {"labeling.Pool": [{"id": 1, "name": "Day"}], "labeling.Draft": [{"id": 1}]}

    found = rows.differences(before, {"labeling.Pool": [{"id": 1, "title": "Day"}]})

    assert found == ["labeling.Pool.name is gone.", "labeling.Draft had 1 rows and has 0."]


def test_new_columns_and_tables_are_no_difference() -> None:
    before: rows.Rows = {"labeling.Pool": [{"id": 1}]}
    after: rows.Rows = {"labeling.Pool": [{"id": 1, "name": "Day"}], "labeling.Draft": [{"id": 1}]}

    assert rows.differences(before, after) == []
