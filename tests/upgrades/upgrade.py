"""Upgrades an empty database from a release to this code, by way of a backup of it, and says what
went wrong:
DATABASE_URL=… python -m tests.upgrades.upgrade RELEASE [APP=MODULE with other migrations] [PAGE …]

With other migrations, the database is that of an earlier call, and what they add is applied to it.
Opens all pages, or those that are named.
A process of its own, because a database's settings are read when Django starts.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.test.utils import setup_test_environment

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
REPLACED = [word for word in sys.argv[2:] if "=" in word]
PAGES = [word for word in sys.argv[2:] if "=" not in word]
for replaced in REPLACED:
    app, _equals, module = replaced.partition("=")
    settings.MIGRATION_MODULES[app] = module
django.setup()

from tests.upgrades import pages, releases, rows  # noqa: E402
from training.storage.backups import database  # noqa: E402


def main(name: str) -> None:
    setup_test_environment()
    release = releases.read(name)
    gc.set_threshold(*settings.GARBAGE_PACE)  # as `migrate` does, for the migrations before it
    at_release = [] if REPLACED else [*loaded(release), *restored()]
    call_command("migrate", verbosity=0, interactive=False)
    upgraded = rows.differences(release.rows, rows.dump(rows.models_now()))
    needed = rows.needed_columns(rows.models_at(release.migrations))
    n_pages, failures = pages.failures(PAGES)
    found = {"lost": at_release + upgraded, "needed": needed, "pages": failures}
    print(json.dumps(found | {"n_pages": n_pages}))  # noqa: T201


def loaded(release: releases.Release) -> list[str]:
    """Brings the database to the release, with its rows; what differs from them, as sentences."""
    rows.load(rows.migrate(release.loads_at), release.rows)
    there = rows.dump(rows.migrate(release.migrations))
    rows.forget_replacements(release.migrations)
    return rows.differences(release.rows, there)


def restored() -> list[str]:
    """Puts the database back from a copy, as one of an earlier release is restored by this code;
    the migrations that are in the way of that, as sentences.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "database"
        copied = database.copy(file, look=lambda: None)
        database.restore(file)
    return [f"{name} is unknown." for name in database.unknown(copied.migrations)]


if __name__ == "__main__":
    main(sys.argv[1])
