"""A site is backed up while files come in, and restored on empty machines."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.operating import machines
from benchmarks.operating.machines import Machine

N_FOLDERS = {True: 3, False: 20}
FILE_BYTES = {True: 200_000, False: 20_000_000}
"""Quick or not → models, and how large one is."""
RECORDED = "accounts_backup"
"""Where a site writes its backups down, after each is finished."""


def measure(site: Machine, *, folder: Path, is_quick: bool) -> dict[str, float]:
    """`rows_differ` and `files_differ`: between the site and what was restored from it.
    `torn`: rows without their file, or half of a transaction, in a backup that was made while
    files came in.
    """
    make_files(site, is_quick=is_quick)
    place = folder / "place"
    with importing(site) as sent:
        wait_for(sent)
        at_work = site.manage("backup", str(place)).partition(":")[0]
    began = time.monotonic()
    name = site.manage("backup", str(place)).partition(":")[0]
    backup_s = time.monotonic() - began
    with machines.machine(folder, "restored") as other:
        began = time.monotonic()
        other.manage("restore", str(place), "--name", name)
        restore_s = time.monotonic() - began
        differing = {
            "rows_differ": n_rows_that_differ(site, other),
            "files_differ": n_files_that_differ(site, other),
        }
    with machines.machine(folder, "torn") as third:
        third.manage("restore", str(place), "--name", at_work)
        busy = {"torn": n_torn(third), "came_in": n_came_in(third)}
    return {
        **differing,
        **busy,
        "backup_s": round(backup_s, 2),
        "restore_s": round(restore_s, 2),
    }


def make_files(site: Machine, *, is_quick: bool) -> None:
    """What rows name, and a model in the store for each of some more."""
    with psycopg.connect(site.database) as there:
        folders = there.execute("SELECT folder FROM training_snapshot").fetchall()
    for (name,) in folders:
        _write(site.home / "snapshots" / name / "train.jsonl", 1_000)
    for n in range(N_FOLDERS[is_quick]):
        _write(site.home / "models" / f"base-{n}" / "model.safetensors", FILE_BYTES[is_quick])
    site.manage("shell", "--no-imports", "-c", STORE % N_FOLDERS[is_quick])


STORE = """
from pathlib import Path
from django.conf import settings
from training.models import TrainedModel
from training.storage import store
for n in range(%d):
    url = f"{settings.ARTIFACT_STORE}/models/run-{n}-1"
    store.put(Path(settings.MODELS_DIR) / f"base-{n}", url)
    TrainedModel.objects.create(name=f"stored {n}", kind="policy", location=url)
"""


def _write(path: Path, n_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(n_bytes))


def n_rows_that_differ(site: Machine, other: Machine) -> int:
    """The store has another URL on the other machine, and so have its models."""
    ours, theirs = machines.rows(site), machines.rows(other)
    moved = {
        name: sorted(row.replace(str(site.store), str(other.store)) for row in rows)
        for name, rows in ours.items()
    }
    return sum(
        len(set(moved.get(name, ())) ^ set(theirs.get(name, ())))
        for name in {*moved, *theirs} - {RECORDED}
    )


def n_files_that_differ(site: Machine, other: Machine) -> int:
    pairs = [
        (_digests(site.home / name), _digests(other.home / name))
        for name in ("uploads", "exports", "snapshots", "models")
    ]
    pairs.append((_digests(site.store), _digests(other.store)))
    return sum(_n_different(ours, theirs) for ours, theirs in pairs)


def _n_different(ours: Mapping[str, str], theirs: Mapping[str, str]) -> int:
    return len(set(ours.items()) ^ set(theirs.items()))


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def n_torn(restored: Machine) -> int:
    """An import's file comes before its row, and its row with an entry of the audit log."""
    with psycopg.connect(restored.database) as there:
        paths = there.execute("SELECT path FROM labeling_import WHERE state = 'queued'").fetchall()
        (halves,) = there.execute(HALVES).fetchone() or (0,)
    there_are = {path.name for path in (restored.home / "uploads" / "imports").iterdir()}
    return int(halves) + sum(Path(path).name not in there_are for (path,) in paths)


def n_came_in(restored: Machine) -> int:
    with psycopg.connect(restored.database) as there:
        (n,) = there.execute("SELECT count(*) FROM labeling_import").fetchone() or (0,)
    return int(n)


HALVES = """
SELECT count(*) FROM labeling_import AS one
WHERE state = 'queued' AND NOT EXISTS (
    SELECT FROM accounts_auditevent
    WHERE target_type = 'labeling.import' AND target_id = one.id AND action = 'import'
)
"""
IMPORTS = """
from django.core.files.base import ContentFile
from django.utils import timezone
from labeling.data.imports import services
n = 0
while True:
    n += 1
    upload = ContentFile(b'{"prompt": "Number %d?"}' % n, name="rows.jsonl")
    services.start_upload(upload=upload, file_format=None, source_name="rows", licence="CC0-1.0",
                          is_rung=False, by=None, now=timezone.now())
"""
"""Files that come in one after another, and wait for their import."""


@contextmanager
def importing(site: Machine) -> Iterator[Path]:
    """Gives the folder in which the files arrive."""
    words = [sys.executable, "manage.py", "shell", "--no-imports", "-c", IMPORTS]
    sender = subprocess.Popen(words, cwd=machines.ROOT, env=os.environ | site.environment)
    try:
        yield site.home / "uploads" / "imports"
    finally:
        sender.terminate()
        sender.wait(timeout=60)


def wait_for(folder: Path) -> None:
    """The first files are there."""
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*"))) < 10:
        if time.monotonic() > deadline:
            sys.exit("No file has come in.")
        time.sleep(0.05)
