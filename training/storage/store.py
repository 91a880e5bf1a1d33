"""Copies folders to and from a store that fsspec supports (s3://…, gs://…, file://…): atomically,
verified, and with retries.

A folder is complete when its manifest exists: it is written last, with the size and SHA-256 of
every file. Interrupted uploads and downloads are resumed.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict, TypeVar

import fsspec

try:
    from botocore.exceptions import (
        BotoCoreError as S3Unavailable,
    )  # not an OSError, unlike the errors of other stores
except ImportError:  # installed without preferably[s3]
    S3Unavailable = ConnectionError

logger = logging.getLogger(__name__)
T = TypeVar("T")

MANIFEST = "stored.json"
IN_PROGRESS = "storing"
"""Marks an upload in progress; contains the SHA-256 of its future manifest."""
PART = ".part-"
N_TRIES = 5
FIRST_RETRY_DELAY_S = 0.2
BLOCK_BYTES = 64 * 1024**2
READ_BYTES = 4 * 1024**2
"""Block size for streaming: a response that sends a model holds no more than this in memory."""


class StoreUnavailable(Exception):
    """The store did not answer, or refused, several times in a row."""


class Missing(Exception):
    """The store answered, but has no complete folder there."""


class Damaged(Exception):
    """A downloaded file does not match its checksum, or a manifest names a file outside its
    folder.
    """


class FileDigest(TypedDict):
    """As a manifest describes a file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class StoredFolder:
    """A folder in the store, complete or not."""

    url: str
    n_bytes: int
    is_whole: bool


def is_url(place: str) -> bool:
    return "://" in place


def put(folder: Path, url: str) -> None:
    """Copies the folder to `url`; resumes an earlier upload of the same content. Raises
    StoreUnavailable.
    """
    files, path = fsspec.core.url_to_fs(url)
    described = describe(folder)
    text = json.dumps({"files": described}, indent=1, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    there = retry(lambda: _resume_upload(files, path, digest))
    for name, entry in described.items():
        if there.get(name) != entry["size"]:
            retry(lambda name=name: _put_file(files, folder / name, f"{path}/{name}"))  # type: ignore[misc]
    retry(lambda: files.pipe_file(f"{path}/{MANIFEST}", text.encode()))


def fetch(url: str, target: Path) -> None:
    """Copies a complete folder from the store to `target`, atomically.

    Raises StoreUnavailable, Missing and Damaged.
    """
    files, path = fsspec.core.url_to_fs(url)
    manifest = _manifest(files, path)
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in manifest["files"]):
        # Somebody who can write to the bucket must not be able to write elsewhere on a node.
        raise Damaged(f"{path}/{MANIFEST}")
    aside = partial_path(target)
    aside.mkdir(parents=True, exist_ok=True)
    with _locked(aside.with_name(f"{aside.name}.lock")):
        if target.is_dir():
            return
        for name, entry in manifest["files"].items():
            _fetch_file(files, f"{path}/{name}", aside / name, entry)
        aside.rename(target)


def partial_path(target: Path) -> Path:
    """Where a download is kept until it is complete, so that it can be resumed."""
    return target.with_name(f"{PART}{target.name}")


def discard(url: str) -> None:
    """Deletes a folder, manifest first, so that nobody takes the rest for complete. Raises
    StoreUnavailable.
    """
    files, path = fsspec.core.url_to_fs(url)
    retry(lambda: _remove(files, path))


def list_folders(url: str) -> list[StoredFolder]:
    """The folders directly below `url`, by name; empty if there are none. Raises
    StoreUnavailable.
    """
    files, path = fsspec.core.url_to_fs(url)
    sizes: dict[str, list[tuple[str, int]]] = {}
    for name, size in retry(lambda: sizes_below(files, path)).items():
        inner, slash, rest = name.partition("/")
        if slash:
            sizes.setdefault(inner, []).append((rest, size))
    return [
        StoredFolder(
            f"{url}/{name}",
            sum(size for _rest, size in entries),
            any(rest == MANIFEST for rest, _size in entries),
        )
        for name, entries in sorted(sizes.items())
    ]


def sizes(url: str) -> dict[str, int]:
    """The files of a complete folder, by relative path. Raises StoreUnavailable and Missing."""
    return {name: int(entry["size"]) for name, entry in described(url).items()}


def described(url: str) -> dict[str, FileDigest]:
    """Size and SHA-256 of the files of a complete folder, by relative path. Raises StoreUnavailable
    and Missing.
    """
    files, path = fsspec.core.url_to_fs(url)
    return dict(_manifest(files, path)["files"])


def is_whole(url: str) -> bool:
    """Whether there is a complete folder. Raises StoreUnavailable."""
    files, path = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    return bool(retry(lambda: files.exists(f"{path}/{MANIFEST}")))


def ask(url: str) -> None:
    """Asks the store once whether it is there, without a retry. Raises StoreUnavailable."""
    files, path = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    try:
        files.info(path)
    except FileNotFoundError:
        return  # it answered: nothing is stored yet
    except (OSError, S3Unavailable) as problem:
        raise StoreUnavailable(str(problem)) from problem


def read(url: str, name: str) -> Iterator[bytes]:
    """Yields a file's content in blocks. Raises StoreUnavailable."""
    files, path = fsspec.core.url_to_fs(url)
    n_bytes = int(retry(lambda: files.info(f"{path}/{name}"))["size"])
    for start in range(0, n_bytes, READ_BYTES):
        end = min(start + READ_BYTES, n_bytes)
        yield retry(partial(files.cat_file, f"{path}/{name}", start=start, end=end))


def describe(folder: Path) -> dict[str, FileDigest]:
    """Size and SHA-256 of every file, by relative path."""
    described: dict[str, FileDigest] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        described[str(file.relative_to(folder))] = {"size": file.stat().st_size, "sha256": digest}
    return described


# --- up -------------------------------------------------------------------------------------------


def _resume_upload(files: fsspec.AbstractFileSystem, path: str, digest: str) -> dict[str, int]:
    """Files of an earlier upload of the same content, by name. Anything else there is removed."""
    sizes = sizes_below(files, path)
    if IN_PROGRESS in sizes and files.cat_file(f"{path}/{IN_PROGRESS}").decode() == digest:
        return sizes
    if sizes:
        _remove(files, path)
    _make_parent(files, f"{path}/{IN_PROGRESS}")
    files.pipe_file(f"{path}/{IN_PROGRESS}", digest.encode())
    return {}


def _put_file(files: fsspec.AbstractFileSystem, local: Path, remote: str) -> None:
    _make_parent(files, remote)
    files.put_file(str(local), remote)
    files.invalidate_cache()
    size = files.info(remote)["size"]
    if size != local.stat().st_size:
        raise OSError(f"{remote} came out with {size} bytes in place of {local.stat().st_size}")


def _make_parent(files: fsspec.AbstractFileSystem, remote: str) -> None:
    """Only disks have folders; in a bucket they are part of the name."""
    if "file" in ((files.protocol,) if isinstance(files.protocol, str) else files.protocol):
        files.makedirs(remote.rsplit("/", 1)[0], exist_ok=True)


def _remove(files: fsspec.AbstractFileSystem, path: str) -> None:
    files.invalidate_cache()
    if files.exists(f"{path}/{MANIFEST}"):
        files.rm_file(f"{path}/{MANIFEST}")
    if files.exists(path):
        files.rm(path, recursive=True)
    files.invalidate_cache()


def sizes_below(files: fsspec.AbstractFileSystem, path: str) -> dict[str, int]:
    files.invalidate_cache()
    root = path.rstrip("/")
    return {
        name[len(root) + 1 :]: info["size"]
        for name, info in files.find(root, detail=True).items()
        if name != root
    }


# --- down -----------------------------------------------------------------------------------------


def _manifest(files: fsspec.AbstractFileSystem, path: str) -> dict[str, dict[str, FileDigest]]:
    try:
        content = retry(lambda: files.cat_file(f"{path}/{MANIFEST}"), FileNotFoundError)
    except FileNotFoundError as problem:
        raise Missing(path) from problem
    manifest: dict[str, dict[str, FileDigest]] = json.loads(content)
    return manifest


def _fetch_file(
    files: fsspec.AbstractFileSystem, remote: str, local: Path, entry: FileDigest
) -> None:
    local.parent.mkdir(parents=True, exist_ok=True)
    for _try in range(N_TRIES):
        with local.open("ab") as file:
            if file.tell() > entry["size"]:
                file.truncate(0)
            while (start := file.seek(0, 2)) < entry["size"]:
                end = min(start + BLOCK_BYTES, entry["size"])
                file.write(retry(partial(files.cat_file, remote, start=start, end=end)))
        with local.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() == entry["sha256"]:
                return
        logger.warning("%s came damaged; fetching it again.", remote)
        local.unlink()
    raise Damaged(remote)


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """One process of this machine fetches a folder at a time. The kernel releases the lock when its
    holder dies.
    """
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    lock.unlink(missing_ok=True)


def retry(call: Callable[[], T], *reraised: type[Exception]) -> T:
    """Retries with growing delays. `reraised`: errors that a retry would not change."""
    delay_s = FIRST_RETRY_DELAY_S
    for n_left in reversed(range(N_TRIES)):
        try:
            return call()
        except reraised:
            raise
        except (OSError, S3Unavailable) as problem:
            if n_left == 0:
                raise StoreUnavailable(str(problem)) from problem
            time.sleep(delay_s)
            delay_s *= 2
    raise AssertionError
