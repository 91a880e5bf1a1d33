"""Stores a small populated database of today's code as that of a release, and its messages:
python -m tests.upgrades.store_release 0.2.0 (`make release-data RELEASE=0.2.0`).

A release's file is never written again: it is what sites of that release have.
"""

import os
import sys
import tempfile
from pathlib import Path

import django

HOME = tempfile.TemporaryDirectory(prefix="preferably-release-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PREFERABLY_MODE": "test",
    "PREFERABLY_HOME": HOME.name,
    "DATABASE_URL": f"sqlite:///{HOME.name}/release.sqlite3",
}
django.setup()

from tests.upgrades import populate, releases, rows  # noqa: E402
from tests.upgrades.messages import record  # noqa: E402

MAX_BYTES = 300_000
CHECKOUT, INSTALLED = Path(__file__).resolve().parents[2], "/srv/preferably"
"""Rows name files where the code lies: here on the machine that stores them, and on a site."""


def main(name: str) -> None:
    file = releases.FOLDER / f"{name}.json"
    if file.exists():
        raise SystemExit(f"The data of {name} is stored already, and a release does not change.")
    text = populated()
    if len(text.encode()) > MAX_BYTES:
        raise SystemExit(f"{len(text.encode())} bytes are too many: {MAX_BYTES} at most.")
    Path(file).parent.mkdir(exist_ok=True)
    file.write_text(text)
    (record.FOLDER / f"{name}.json").write_text(record.as_json(record.now()))


def populated() -> str:
    migrations = rows.leaf_migrations()
    apps = rows.migrate(migrations)
    populate.populate()
    text = releases.as_json(migrations, rows.dump(apps))
    return text.replace(str(CHECKOUT), INSTALLED)


if __name__ == "__main__":
    main(sys.argv[1])
