"""The operators' guide for real: runs its commands for backup and restore as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from tests.tooling import databases
from tests.training.storage.backups import sites

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[4]


def commands(marker: str) -> str:
    """The indented block of the guide that begins with `marker`."""
    blocks = re.findall(r"(?:^    .+\n)+", (ROOT / "docs/operators.md").read_text(), re.MULTILINE)
    (block,) = [block for block in blocks if block.startswith(f"    {marker}")]
    return "".join(line.removeprefix("    ") + "\n" for line in block.splitlines())


@pytest.fixture
def store_kind() -> str:
    return "url"


def test_the_guides_commands_move_a_site_to_another_machine(
    site: sites.Folders, tmp_path: Path, settings: LazySettings
) -> None:
    there = connection.settings_dict
    server = f"postgres://{there['USER']}:{there['PASSWORD']}@{there['HOST']}:{there['PORT']}"
    place = tmp_path / "backups"

    def type_in(block: str, database: str, folders: sites.Folders) -> str:
        script = block.replace("/srv/backups", str(place))
        path = f"{sites.programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | {
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "PREFERABLY_MODE": "test",
            "PREFERABLY_HOME": str(folders.home),
            "PREFERABLY_ARTIFACTS": folders.artifacts,
            "DATABASE_URL": database,
        }
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    own = f"{server}/{there['NAME']}"
    first = type_in(commands("preferably backup /srv/backups\n"), own, site)
    rows = sites.rows()
    more = type_in(commands("preferably backup /srv/backups --list"), own, site)

    name = re.match(r"(\d{8}T\d{6}Z): (\d+) rows and (\d+) files", first)
    assert name is not None
    assert more.splitlines()[:2] == [
        name[1],
        f"{name[1]}: all {int(name[3]) + 1} files are whole.",
    ]
    new = sites.Folders(tmp_path / "new", f"file://{tmp_path}/new-artifacts")
    restore = commands("preferably restore /srv/backups\n").replace(
        "restore /srv/backups", f"restore /srv/backups --name {name[1]}"
    )
    with databases.empty_database("moved") as url:
        said = type_in(restore, url, new)
    assert f"{name[1]} is restored: {name[2]} rows and {name[3]} files." in said
    assert int(name[2]) == sum(map(len, rows.values())) - len(rows["accounts_backup"])
    assert sites.files(new.home / "uploads") == sites.files(site.home / "uploads")
