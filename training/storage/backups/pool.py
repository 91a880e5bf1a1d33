"""A place for backups: a folder, or any URL that fsspec supports (s3://…, gs://…, file://…)."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import fsspec
from django.utils.translation import gettext as _

from training.storage import store
from training.storage.backups import manifest as manifests
from training.storage.backups.manifest import Manifest, StoredFile
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore

FILES, BACKUPS = "files", "backups"
ABANDONED_AFTER = timedelta(days=1)
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Pool:
    address: str

    @cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        """fsspec's file system, and the path in it. Raises UnableToBackUp."""
        try:
            files, path = fsspec.core.url_to_fs(self.address)
        except (ValueError, ImportError) as problem:
            raise UnableToBackUp(
                _("Backups cannot go to “%(place)s”: %(why)s.")
                % {"place": self.address, "why": problem}
            ) from problem
        return files, path.rstrip("/")

    @property
    def is_local(self) -> bool:
        return not store.is_url(self.address) or self.address.startswith("file://")

    # --- backups ----------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Complete backups, newest first. Raises StoreUnavailable."""
        sizes = self._sizes(BACKUPS)
        return sorted(
            (name.removesuffix(".json") for name in sizes if _is_name(name)), reverse=True
        )

    def manifest(self, name: str) -> Manifest:
        """Raises UnableToRestore and StoreUnavailable."""
        files, path = self._opened
        try:
            text = store.retry(
                lambda: files.cat_file(f"{path}/{BACKUPS}/{name}.json"), FileNotFoundError
            )
            return manifests.from_json(text)
        except FileNotFoundError as problem:
            raise UnableToRestore(
                _("There is no backup “%(name)s” in %(place)s.")
                % {"name": name, "place": self.address}
            ) from problem
        except manifests.UnreadableManifest as problem:
            raise UnableToRestore(
                _(
                    "The backup “%(name)s” is damaged, or a later version of Preferably made it:"
                    " %(why)s."
                )
                % {"name": name, "why": problem}
            ) from problem

    def finish(self, manifest: Manifest) -> None:
        """Makes the backup a whole one: everything that it names is here. Raises
        StoreUnavailable.
        """
        files, path = self._opened
        text = manifests.as_json(manifest)
        target = f"{path}/{BACKUPS}/{manifest.name}.json"
        if self.is_local:
            self._make_folder(BACKUPS)
            part = Path(f"{target}.part")
            _make_private(part)
            store.retry(lambda: part.write_bytes(text))
            os.replace(part, target)
        else:
            store.retry(lambda: files.pipe_file(target, text))

    def remove_older(self, *, keep: int, now: datetime) -> int:
        """Leaves the `keep` newest backups and what they need. Returns how many were removed.
        Raises StoreUnavailable, and UnableToRestore if a manifest to keep cannot be read.

        What came within ABANDONED_AFTER stays: it may be of a backup that another machine makes.
        """
        names = self.names()
        kept, old = names[:keep], names[keep:]
        if not old:
            return 0
        needed = {digest for name in kept for digest in self.manifest(name).contents}
        files, path = self._opened
        for name in old:
            store.retry(partial(files.rm_file, f"{path}/{BACKUPS}/{name}.json"))
        self._remove_except(needed, came_before=now - ABANDONED_AFTER)
        return len(old)

    # --- contents ---------------------------------------------------------------------------------

    def contents(self) -> dict[str, int]:
        """SHA-256 → size of what is here. Raises StoreUnavailable."""
        return {Path(name).name: size for name, size in self._sizes(FILES).items()}

    def add(self, source: Path, *, but_not: Collection[str]) -> tuple[str, int]:
        """Copies a file and reads the copy back, unless its content is there (`but_not`). Returns
        its SHA-256 and size. Raises FileNotFoundError, StoreUnavailable and UnableToBackUp.
        """
        for _try in range(store.N_TRIES):
            digest, size = digest_of(source)
            if digest in but_not:
                return digest, size
            target = self._path(digest)
            self._make_folder(f"{FILES}/{digest[:2]}")
            landed = f"{target}.part" if self.is_local else target
            if self.is_local:
                _make_private(Path(landed))
            store.retry(partial(self._opened[0].put_file, str(source), landed), FileNotFoundError)
            if self._digest(landed) == digest:
                if self.is_local:
                    os.replace(landed, target)
                return digest, size
            store.retry(partial(self._opened[0].rm_file, landed))
        raise UnableToBackUp(
            _(
                "%(file)s came out different in the backup %(n)s times in a row: it is being"
                " written all the time, or %(place)s is damaged."
            )
            % {"file": source, "n": store.N_TRIES, "place": self.address}
        )

    def fetch(self, stored: StoredFile, target: Path) -> None:
        """Writes a file of a backup to `target`, atomically and verified. Raises StoreUnavailable
        and UnableToRestore.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{store.PART}{target.name}")
        digest = hashlib.sha256()
        with part.open("wb") as file:
            for block in self._blocks(self._path(stored.sha256)):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != stored.sha256:
            part.unlink()
            raise UnableToRestore(
                _("%(file)s is damaged in the backup (%(sha256)s).")
                % {"file": stored.path, "sha256": stored.sha256}
            )
        part.replace(target)

    def damage(self, manifest: Manifest) -> list[str]:
        """Paths of the files that are missing or damaged; reads everything. Raises
        StoreUnavailable.
        """
        here = self.contents()
        return [
            file.path
            for file in (manifest.database, *manifest.files)
            if here.get(file.sha256) != file.size
            or self._digest(self._path(file.sha256)) != file.sha256
        ]

    def _path(self, digest: str) -> str:
        return f"{self._opened[1]}/{FILES}/{digest[:2]}/{digest}"

    def _digest(self, path: str) -> str:
        digest = hashlib.sha256()
        for block in self._blocks(path):
            digest.update(block)
        return digest.hexdigest()

    def _blocks(self, path: str) -> Iterator[bytes]:
        files = self._opened[0]
        files.invalidate_cache()
        n_bytes = int(store.retry(lambda: files.info(path))["size"])
        for start in range(0, n_bytes, store.READ_BYTES):
            end = min(start + store.READ_BYTES, n_bytes)
            yield store.retry(partial(files.cat_file, path, start=start, end=end))

    def _sizes(self, folder: str) -> dict[str, int]:
        files, path = self._opened
        return store.retry(lambda: store.sizes_below(files, f"{path}/{folder}"))

    def _make_folder(self, name: str) -> None:
        """Only disks have folders. Nobody else may read them, whatever the place's own mode: they
        hold personal data. That closes what older versions have left in them, too.
        """
        if not self.is_local:
            return
        folder = Path(self._opened[1])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in name.split("/"):
            folder /= part
            folder.mkdir(mode=0o700, exist_ok=True)
            if stat.S_IMODE(folder.stat().st_mode) & OF_OTHERS:
                folder.chmod(0o700)

    def _remove_except(self, needed: Collection[str], *, came_before: datetime) -> None:
        files, path = self._opened
        for name in self._sizes(FILES):
            file = f"{path}/{FILES}/{name}"
            if Path(name).name not in needed and files.modified(file) < came_before:
                store.retry(partial(files.rm_file, file))


def digest_of(source: Path) -> tuple[str, int]:
    """SHA-256 and size of a file on this machine."""
    with source.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        return digest, content.tell()


def _make_private(file: Path) -> None:
    """An empty file that only its owner can read, for what is written into it next."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)


def _is_name(file: str) -> bool:
    return file.endswith(".json") and "/" not in file
