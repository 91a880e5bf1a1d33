"""Writes a backup: the database first, then the files, then the manifest that makes it whole.

A file is written before its row, and stored models and snapshots never change. So the files that a
copy of the database names are there when it is finished.
"""

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from config.monitoring import release
from training.storage import store
from training.storage.backups import database, sources
from training.storage.backups.manifest import Manifest, StoredFile
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore


@dataclass
class Written:
    manifest: Manifest
    n_new_bytes: int
    """How much the place has grown."""


@dataclass
class _Writer:
    pool: Pool
    here: dict[str, int]
    """SHA-256 → size of what the place has."""
    before: Mapping[str, StoredFile]
    """The files of the last backup, by path."""
    folder: Path
    """For files on their way from a store."""
    n_new_bytes: int = field(default=0)

    def local(self, path: str, file: Path) -> StoredFile:
        """Reads a file only if it is not as it was in the last backup. Raises FileNotFoundError."""
        about = file.stat()
        last = self.before.get(path)
        is_same = last is not None and (last.size, last.changed_ns) == (
            about.st_size,
            about.st_mtime_ns,
        )
        if is_same and last is not None and self._has(last):
            return last
        digest, size = self.add(file)
        return StoredFile(path, size, digest, about.st_mtime_ns)

    def stored(self, path: str, url: str, name: str, entry: Mapping[str, object]) -> StoredFile:
        """A file of the artifact store, whose checksum is known. Raises store.Missing."""
        known = StoredFile(path, int(str(entry["size"])), str(entry["sha256"]))
        if not self._has(known):
            self.add(self._fetched(url, name))
        return known

    def _fetched(self, url: str, name: str) -> Path:
        file = self.folder / "fetched"
        with file.open("wb") as target:
            for block in store.read(url, name):
                target.write(block)
        return file

    def _has(self, file: StoredFile) -> bool:
        return self.here.get(file.sha256) == file.size

    def add(self, file: Path) -> tuple[str, int]:
        digest, size = self.pool.add(file, but_not=self.here)
        if digest not in self.here:
            self.here[digest] = size
            self.n_new_bytes += size
        return digest, size


def write(*, pool: Pool, name: str, now: datetime) -> Written:
    """Raises UnableToBackUp, store.StoreUnavailable, store.Missing and OSError."""
    settings.HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.HOME) as folder:
        before = {file.path: file for file in _last_files(pool)}
        writer = _Writer(pool, pool.contents(), before, Path(folder))
        dump = Path(folder) / "database"
        copied = database.copy(dump, look=sources.named)
        digest, size = writer.add(dump)
        files = [*_files(writer)]
        manifest = Manifest(
            name=name,
            made_at=now.isoformat(),
            version=release.running(),
            engine=database.engine(),
            migrations=copied.migrations,
            rows=copied.rows,
            artifact_store=settings.ARTIFACT_STORE.rstrip("/"),
            database=StoredFile("database", size, digest),
            files=files,
            missing=_missing(copied.seen, [file.path for file in files]),
        )
        _make_sure_of(manifest, pool)
        pool.finish(manifest)
    return Written(manifest, writer.n_new_bytes)


def _make_sure_of(manifest: Manifest, pool: Pool) -> None:
    """What an older backup has brought may have gone with it. Raises UnableToBackUp."""
    here = pool.contents()
    if any(here.get(digest) != size for digest, size in manifest.contents.items()):
        raise UnableToBackUp(
            _("Files of this backup were deleted from %(place)s while it was made. Try again.")
            % {"place": pool.address}
        )


def _last_files(pool: Pool) -> Sequence[StoredFile]:
    names = pool.names()
    try:
        return pool.manifest(names[0]).files if names else []
    except UnableToRestore:  # damaged: then every file is read again
        return []


def _files(writer: _Writer) -> Iterator[StoredFile]:
    for path, file in sources.local_files():
        try:
            yield writer.local(path, file)
        except FileNotFoundError:
            continue  # deleted meanwhile; if the database names it, _missing says so
    for path, url in sources.stored_folders():
        yield from _folder(writer, path, url)


def _folder(writer: _Writer, path: str, url: str) -> Iterator[StoredFile]:
    """A folder of the artifact store; nothing of it if it was freed meanwhile."""
    try:
        described = store.described(url)
        files = [
            writer.stored(f"{path}/{name}", url, name, entry) for name, entry in described.items()
        ]
    except (store.Missing, store.StoreUnavailable):
        if store.is_whole(url):
            raise
        return
    yield from files


def _missing(named: Mapping[str, str], paths: Collection[str]) -> list[str]:
    """A sentence for each thing that the database names and the backup does not have."""
    there = {*paths, *(f"{folder}/" for path in paths for folder in Path(path).parents)}
    return [sentence for path, sentence in named.items() if path not in there]
