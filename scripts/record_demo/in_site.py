"""What the recorder does to the recorded site's database itself: in the site's environment.

python scripts/record_demo/in_site.py shift DAYS
python scripts/record_demo/in_site.py store FILE COMMAND
python scripts/record_demo/in_site.py refresh FILE COMMAND

COMMAND is what the archive says of itself: who reads it sees how it came about.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import safetensors.torch  # noqa: E402
import torch  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from training.management.commands.seed_demo import LOGINS  # noqa: E402
from training.management.demo import dates, recording  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.storage import artifacts  # noqa: E402

ROOT = str(Path(__file__).resolve().parents[2])
EMPTIED = (
    "django_session",
    "accounts_loginsession",
    "account_emailconfirmation",
    "training_node",
)
"""Tables with what only the recorded site could use: sessions, links in e-mails, its machine."""


def store(file: Path, command: str, ended: str = "") -> None:
    """`ended`: when the recording ended, if that is not now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(folder / recording.DATABASE)])
        models = clean(folder / recording.DATABASE)
        for model, location in models:
            packed = recording.FOLDER / recording.ADAPTERS / model
            target = folder / recording.ADAPTERS / model
            if packed.is_dir():
                shutil.copytree(packed, target)
            else:
                pack_adapter(Path(artifacts.resolve(location)), target)
        for part in ("snapshots", "uploads"):
            shutil.copytree(settings.HOME / part, folder / part)
        for log in Path(settings.RUNS_DIR).glob("*/log.txt"):
            target = folder / "runs" / log.parent.name / log.name
            target.parent.mkdir(parents=True)
            target.write_text(elsewhere(log.read_text()))
        (folder / recording.ENDED).write_text(ended or timezone.now().isoformat())
        (folder / recording.HISTORY).write_text(history(command))
        aside = file.with_suffix(".part")
        with tarfile.open(aside, "w:xz", preset=9) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name, filter=nobody)
        aside.rename(file)
    sys.stdout.write(f"Stored {file.name}: {file.stat().st_size / 1e6:.1f} MB.\n")


def refresh(file: Path, command: str) -> None:
    """Stores the recorded site again as today's migrations leave it. Nothing is recorded again."""
    recording.unpack()
    call_command("migrate", verbosity=0)
    store(file, command, (recording.FOLDER / recording.ENDED).read_text())


def history(command: str) -> str:
    """A line for each time that the site was stored: day, commit, command."""
    earlier = recording.FOLDER / recording.HISTORY
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    line = f"{timezone.now():%Y-%m-%d} {commit or 'no commit'} {command}\n"
    return (earlier.read_text() if earlier.exists() else "") + line


def clean(database: Path) -> list[tuple[str, str]]:
    """Takes away what is of this machine only. Returns the models that runs have made, with their
    folders.
    """
    kept = [login.email for login in LOGINS]
    with closing(sqlite3.connect(database)) as db:
        models = db.execute(
            "SELECT name, location FROM training_trainedmodel"
            " WHERE run_id IS NOT NULL AND freed_at IS NULL"
        ).fetchall()
        for table in EMPTIED:
            db.execute(f'DELETE FROM "{table}"')
        marks = ", ".join("?" * len(kept))
        db.execute(f"UPDATE accounts_user SET password = '!' WHERE email NOT IN ({marks})", kept)
        # As after “Delete checkpoints”: what a run could be extended from stays here.
        db.execute(
            "UPDATE training_run SET kept_step = NULL, freed_at = finished_at"
            " WHERE kept_step IS NOT NULL"
        )
        for table, column in text_columns(db):
            for old, new in places():
                db.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)'
                    f' WHERE typeof("{column}") = \'text\' AND instr("{column}", ?)',
                    [old, new, old],
                )
        db.commit()
        db.execute("VACUUM")
    return models


def places() -> list[tuple[str, str]]:
    """Folders of this machine, the inner one first, and what stands for them."""
    home = str(settings.HOME)
    return [
        (home, recording.PLACE),
        (home.lower(), recording.PLACE),
        (ROOT, recording.CODE),
        (ROOT.lower(), recording.CODE),
    ]


def elsewhere(text: str) -> str:
    for old, new in places():
        text = text.replace(old, new)
    return text


def text_columns(db: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, column[1])
        for (table,) in tables
        for column in db.execute(f'PRAGMA table_info("{table}")').fetchall()
        if column[2].lower().startswith(("text", "varchar", "char"))
    ]


def pack_adapter(model: Path, target: Path) -> None:
    """In half the precision that it was trained in, which halves its size."""
    adapter = model / run_dir.ADAPTER
    target.mkdir(parents=True)
    shutil.copy(adapter / "adapter_config.json", target)
    weights = safetensors.torch.load_file(adapter / "adapter_model.safetensors")
    halved = {name: weight.to(torch.bfloat16) for name, weight in weights.items()}
    safetensors.torch.save_file(
        halved, target / "adapter_model.safetensors", metadata={"format": "pt"}
    )


def nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["shift", days]:
            dates.shift(timedelta(days=float(days)))
        case ["store", name, command]:
            store(Path(name), command)
        case ["refresh", name, command]:
            refresh(Path(name), command)
