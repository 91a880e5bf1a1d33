"""Upgrades a site of the last release to this code: every row stays, and every page opens."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tooling import databases
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


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'site.sqlite3'}"
        return
    with databases.empty_database("upgrade") as url:
        yield url


def upgrade(release: str, database: str, *options: str, home: Path) -> dict[str, Any]:
    environment = os.environ | {
        "DATABASE_URL": database,
        "PREFERABLY_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(home), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "tests.upgrades.upgrade", release, *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("release", releases.names())
def test_a_site_of_a_release_keeps_its_rows_and_its_pages_open(
    release: str, database: str, tmp_path: Path
) -> None:
    found = upgrade(release, database, home=tmp_path)

    assert found["lost"] == []
    assert found["pages"] == []
    assert found["n_pages"] > 200


@pytest.mark.slow
def test_an_upgrade_that_loses_something_is_noticed(tmp_path: Path) -> None:
    last = max(file.stem for file in ROOT.glob("labeling/migrations/[0-9]*.py"))
    shutil.copytree(ROOT / "labeling" / "migrations", tmp_path / "harmful")
    (tmp_path / "harmful" / "9999_harm.py").write_text(HARM.replace("LAST", last))
    database = f"sqlite:///{tmp_path / 'site.sqlite3'}"

    found = upgrade(releases.names()[-1], database, "labeling=harmful", home=tmp_path)

    assert "labeling.Draft had 1 rows and has 0." in found["lost"]
    assert any(line.startswith("labeling.Judgment.active_s was ") for line in found["lost"])
    assert any(line.startswith("campaign_agreement answers the admin") for line in found["pages"])


def test_a_column_or_a_table_that_is_gone_is_a_difference() -> None:
    before: rows.Rows = {"labeling.Pool": [{"id": 1, "name": "Day"}], "labeling.Draft": [{"id": 1}]}

    found = rows.differences(before, {"labeling.Pool": [{"id": 1, "title": "Day"}]})

    assert found == ["labeling.Pool.name is gone.", "labeling.Draft had 1 rows and has 0."]


def test_new_columns_and_tables_are_no_difference() -> None:
    before: rows.Rows = {"labeling.Pool": [{"id": 1}]}
    after: rows.Rows = {"labeling.Pool": [{"id": 1, "name": "Day"}], "labeling.Draft": [{"id": 1}]}

    assert rows.differences(before, after) == []
