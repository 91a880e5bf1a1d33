"""Puts a backup back, into a new site or, if asked to, over one."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from config.monitoring import release
from training.models import Run, TrainedModel
from training.storage import artifacts, store
from training.storage.backups import database, sources
from training.storage.backups.manifest import Manifest, StoredFile
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToRestore

SHOWN = 5
"""How many files a sentence names."""


def check(manifest: Manifest, *, pool: Pool) -> None:
    """Whether this code can use the backup, and the place has all of it. Changes nothing. Raises
    UnableToRestore.
    """
    if unknown := database.unknown(manifest.migrations):
        raise UnableToRestore(
            _(
                "Version %(version)s made this backup, and this is version %(here)s. It needs a"
                " version with the migration %(migration)s."
            )
            % {
                "version": manifest.version,
                "here": release.running(),
                "migration": unknown[-1],
            }
        )
    if manifest.engine != database.engine():
        raise UnableToRestore(
            _("The backup is of a %(theirs)s database, and DATABASE_URL names a %(ours)s one.")
            % {"theirs": manifest.engine, "ours": database.engine()}
        )
    if store.is_url(manifest.artifact_store) != artifacts.is_shared():
        raise UnableToRestore(
            _(
                "PREFERABLY_ARTIFACTS was “%(was)s”. Set it to a folder if that is one, otherwise"
                " to a URL: models are stored in another way there."
            )
            % {"was": manifest.artifact_store}
        )
    here = pool.contents()
    wanted = (manifest.database, *manifest.files)
    if lost := [file.path for file in wanted if here.get(file.sha256) != file.size]:
        raise UnableToRestore(
            _("The backup is not whole. It lacks %(n)s files: %(files)s")
            % {"n": len(lost), "files": ", ".join(lost[:SHOWN])}
        )


def in_the_way(manifest: Manifest) -> str:
    """Why this is no empty site, as a sentence; "" if it is one. Files that a restore which was
    interrupted has written do not count.
    """
    if database.has_people():
        return _("The database has accounts.")
    sizes = {file.path: file.size for file in manifest.files}
    for path, file in sources.local_files():
        if sizes.get(path) != file.stat().st_size:
            return _("%(file)s is not of this backup.") % {"file": file}
    if any(_runs()):
        return _("%(folder)s has runs.") % {"folder": settings.RUNS_DIR}
    return ""


def move_aside(*, now: datetime) -> dict[Path, Path]:
    """Renames the site's folders, and deletes nothing. Returns where each is now."""
    moved = {}
    for folder in (*sources.local_folders().values(), Path(settings.RUNS_DIR)):
        if folder.is_dir() and any(folder.iterdir()):
            moved[folder] = folder.with_name(f"{folder.name}.before-{now:%Y%m%dT%H%M%SZ}")
            folder.rename(moved[folder])
    return moved


def restore(manifest: Manifest, *, pool: Pool, moved: Mapping[Path, Path]) -> None:
    """Files first, so that the rows have them as soon as they are there. If that fails, the folders
    that were `moved` aside come back. Raises UnableToRestore, store.StoreUnavailable and OSError.
    """
    settings.HOME.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.HOME) as aside:
            _restore_files(manifest, pool, Path(aside))
            dump = Path(aside) / "database"
            pool.fetch(manifest.database, dump)
            database.restore(dump)
    except (UnableToRestore, store.StoreUnavailable, OSError):
        _move_back(moved)
        raise
    _compare(manifest)
    _move_to_this_store(manifest)
    _discard_unknown_checkpoints()


def _restore_files(manifest: Manifest, pool: Pool, aside: Path) -> None:
    folders = sources.local_folders()
    for folder, files in _by_folder(manifest.files):
        if folder in folders:
            _restore_local(files, folder, folders[folder], pool)
        else:
            _restore_stored(files, folder, aside / "folder", pool)


def _move_back(moved: Mapping[Path, Path]) -> None:
    """What has been restored in their place is deleted: the backup has it."""
    for folder, aside in moved.items():
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)


def _by_folder(files: Sequence[StoredFile]) -> Iterator[tuple[str, list[StoredFile]]]:
    for name, members in groupby(files, key=lambda file: "/".join(_parts(file)[:2])):
        yield name, list(members)


def _parts(file: StoredFile) -> tuple[str, ...]:
    """Raises UnableToRestore: a backup that somebody has changed must not write elsewhere."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 3:
        raise UnableToRestore(_("The backup is damaged: %(path)s.") % {"path": file.path})
    return path.parts


def _restore_local(files: Sequence[StoredFile], name: str, folder: Path, pool: Pool) -> None:
    for file in files:
        pool.fetch(file, folder / file.path.removeprefix(f"{name}/"))


def _restore_stored(files: Sequence[StoredFile], name: str, aside: Path, pool: Pool) -> None:
    """Folder by folder, as a node stores them. One that is there is left."""
    if not name.startswith(f"{sources.ARTIFACTS}/"):
        raise UnableToRestore(_("The backup is damaged: %(path)s.") % {"path": name})
    root = f"{settings.ARTIFACT_STORE.rstrip('/')}/{name.removeprefix(f'{sources.ARTIFACTS}/')}"
    for own, own_files in groupby(files, key=lambda file: _parts(file)[2]):
        members = list(own_files)
        if _is_there(f"{root}/{own}", f"{name}/{own}", members):
            continue
        with tempfile.TemporaryDirectory(dir=aside.parent) as folder:
            _restore_local(members, f"{name}/{own}", Path(folder), pool)
            store.put(Path(folder), f"{root}/{own}")


def _is_there(url: str, name: str, files: Sequence[StoredFile]) -> bool:
    wanted = {file.path.removeprefix(f"{name}/"): file.sha256 for file in files}
    try:
        there = store.described(url)
    except store.Missing:
        return False
    return {inner: entry["sha256"] for inner, entry in there.items()} == wanted


def _compare(manifest: Manifest) -> None:
    """Raises UnableToRestore if a table has another number of rows than when it was copied."""
    there = database.n_rows()
    wrong = [
        f"{name} ({there.get(name, 0)}/{n})"
        for name, n in manifest.rows.items()
        if there.get(name) != n
    ]
    if wrong:
        raise UnableToRestore(
            _("Not every row was restored: %(tables)s.") % {"tables": ", ".join(wrong)}
        )


def _move_to_this_store(manifest: Manifest) -> None:
    """Rows keep the URLs of models: if the store has another one now, they get that."""
    old, new = manifest.artifact_store, settings.ARTIFACT_STORE.rstrip("/")
    if not artifacts.is_shared() or old == new:
        return
    moved = TrainedModel.objects.filter(location__startswith=f"{old}/")
    for pk, location in moved.values_list("pk", "location"):
        TrainedModel.objects.filter(pk=pk).update(location=new + location.removeprefix(old))


def _discard_unknown_checkpoints() -> None:
    """A run that starts later may get the number of one that the database does not know any more:
    it must not continue from that one's checkpoints.
    """
    if not artifacts.is_shared():
        return
    known = {f"run-{pk}" for pk in Run.objects.values_list("pk", flat=True)}
    root = f"{settings.ARTIFACT_STORE.rstrip('/')}/checkpoints"
    for folder in store.list_folders(root):
        if folder.url.rsplit("/", 1)[1] not in known:
            store.discard(folder.url)


def _runs() -> Iterator[Path]:
    folder = Path(settings.RUNS_DIR)
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.name.isdigit())
