"""Folders to and from a store that fsspec knows (s3://…, gs://…, file://…): whole or not at all,
checked, and tried again.

A folder in the store is whole when its manifest is there: it is written last and names the size and
the SHA-256 of every file. What an upload that broke off has left is not sent again, and a download
that broke off goes on where it was.
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
from typing import Any, TypeVar

import fsspec

try:
    from botocore.exceptions import (
        BotoCoreError as S3Away,
    )  # what S3 raises when it cannot be reached is no OSError
except ImportError:  # installed without preferably[s3]
    S3Away = ConnectionError

logger = logging.getLogger(__name__)
T = TypeVar("T")

MANIFEST = "stored.json"
BEGUN = "storing"
"""Beside an upload that goes on: the SHA-256 of the manifest it will end with."""
PART = ".part-"
N_TRIES = 5
FIRST_PAUSE_S = 0.2
BLOCK_BYTES = 64 * 1024**2
READ_BYTES = 4 * 1024**2
"""At a time for who passes it on: a page that sends a model holds no more than this of it."""


class StoreAway(Exception):
    """The store did not answer, or refused, several times in a row."""


class Missing(Exception):
    """The store answers, and has no whole folder there."""


class Damaged(Exception):
    """What the store gives back is not what was put there."""


@dataclass(frozen=True)
class Held:
    """A folder in the store, whole or not."""

    url: str
    n_bytes: int
    is_whole: bool


def is_url(place: str) -> bool:
    return "://" in place


def put(folder: Path, url: str) -> None:
    """Copies the folder to `url`; files of the same upload that are there already are not sent
    again. Raises StoreAway.
    """
    files, path = fsspec.core.url_to_fs(url)
    described = describe(folder)
    text = json.dumps({"files": described}, indent=1, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    there = _tried(lambda: _begun(files, path, digest))
    for name, entry in described.items():
        if there.get(name) != entry["size"]:
            _tried(lambda name=name: _put_file(files, folder / name, f"{path}/{name}"))  # type: ignore[misc]
    _tried(lambda: files.pipe_file(f"{path}/{MANIFEST}", text.encode()))


def fetch(url: str, target: Path) -> None:
    """Copies a whole folder from the store to `target`, which is there only when all of it is.

    Raises StoreAway, Missing and Damaged.
    """
    files, path = fsspec.core.url_to_fs(url)
    manifest = _manifest(files, path)
    aside = aside_of(target)
    aside.mkdir(parents=True, exist_ok=True)
    with _alone(aside.with_name(f"{aside.name}.lock")):
        if target.is_dir():
            return
        for name, entry in manifest["files"].items():
            _fetch_file(files, f"{path}/{name}", aside / name, entry)
        aside.rename(target)


def aside_of(target: Path) -> Path:
    """Where a download lies until it is whole; one that broke off goes on there."""
    return target.with_name(f"{PART}{target.name}")


def discard(url: str) -> None:
    """Frees a folder, its manifest first, so that nobody takes the rest for whole. Raises
    StoreAway.
    """
    files, path = fsspec.core.url_to_fs(url)
    _tried(lambda: _remove(files, path))


def held(url: str) -> list[Held]:
    """The folders right below `url`, by name. Empty when there is nothing. Raises StoreAway."""
    files, path = fsspec.core.url_to_fs(url)
    sizes: dict[str, list[tuple[str, int]]] = {}
    for name, size in _tried(lambda: _sizes(files, path)).items():
        inner, slash, rest = name.partition("/")
        if slash:
            sizes.setdefault(inner, []).append((rest, size))
    return [
        Held(
            f"{url}/{name}",
            sum(size for _rest, size in found),
            any(rest == MANIFEST for rest, _size in found),
        )
        for name, found in sorted(sizes.items())
    ]


def sizes(url: str) -> dict[str, int]:
    """Every file of a whole folder by its path inside it. Raises StoreAway and Missing."""
    files, path = fsspec.core.url_to_fs(url)
    return {name: int(entry["size"]) for name, entry in _manifest(files, path)["files"].items()}


def read(url: str, name: str) -> Iterator[bytes]:
    """A file of a folder, a block at a time. Raises StoreAway."""
    files, path = fsspec.core.url_to_fs(url)
    n_bytes = int(_tried(lambda: files.info(f"{path}/{name}"))["size"])
    for start in range(0, n_bytes, READ_BYTES):
        end = min(start + READ_BYTES, n_bytes)
        yield _tried(partial(files.cat_file, f"{path}/{name}", start=start, end=end))


def describe(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file, by its path inside the folder."""
    described = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        described[str(file.relative_to(folder))] = {"size": file.stat().st_size, "sha256": digest}
    return described


# --- up -------------------------------------------------------------------------------------------


def _begun(files: Any, path: str, digest: str) -> dict[str, int]:
    """What an earlier try at this very upload has left, by name; whatever else lay there is
    removed.
    """
    sizes = _sizes(files, path)
    if BEGUN in sizes and files.cat_file(f"{path}/{BEGUN}").decode() == digest:
        return sizes
    if sizes:
        _remove(files, path)
    _make_parent(files, f"{path}/{BEGUN}")
    files.pipe_file(f"{path}/{BEGUN}", digest.encode())
    return {}


def _put_file(files: Any, local: Path, remote: str) -> None:
    _make_parent(files, remote)
    files.put_file(str(local), remote)
    files.invalidate_cache()
    size = files.info(remote)["size"]
    if size != local.stat().st_size:
        raise OSError(f"{remote} came out with {size} bytes in place of {local.stat().st_size}")


def _make_parent(files: Any, remote: str) -> None:
    """Folders exist on disks only; in a bucket they are part of a name."""
    if "file" in ((files.protocol,) if isinstance(files.protocol, str) else files.protocol):
        files.makedirs(remote.rsplit("/", 1)[0], exist_ok=True)


def _remove(files: Any, path: str) -> None:
    files.invalidate_cache()
    if files.exists(f"{path}/{MANIFEST}"):
        files.rm_file(f"{path}/{MANIFEST}")
    if files.exists(path):
        files.rm(path, recursive=True)
    files.invalidate_cache()


def _sizes(files: Any, path: str) -> dict[str, int]:
    files.invalidate_cache()
    root = path.rstrip("/")
    return {
        name[len(root) + 1 :]: info["size"]
        for name, info in files.find(root, detail=True).items()
        if name != root
    }


# --- down -----------------------------------------------------------------------------------------


def _manifest(files: Any, path: str) -> dict[str, Any]:
    try:
        content = _tried(lambda: files.cat_file(f"{path}/{MANIFEST}"), FileNotFoundError)
    except FileNotFoundError as problem:
        raise Missing(path) from problem
    manifest: dict[str, Any] = json.loads(content)
    return manifest


def _fetch_file(files: Any, remote: str, local: Path, entry: dict[str, Any]) -> None:
    local.parent.mkdir(parents=True, exist_ok=True)
    for _try in range(N_TRIES):
        with local.open("ab") as file:
            if file.tell() > entry["size"]:
                file.truncate(0)
            while (start := file.seek(0, 2)) < entry["size"]:
                end = min(start + BLOCK_BYTES, entry["size"])
                file.write(_tried(partial(files.cat_file, remote, start=start, end=end)))
        with local.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() == entry["sha256"]:
                return
        logger.warning("%s came damaged; fetching it again.", remote)
        local.unlink()
    raise Damaged(remote)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process of this machine fetches a folder at a time; the kernel frees the lock when a
    holder dies.
    """
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    lock.unlink(missing_ok=True)


def _tried(call: Callable[[], T], *through: type[Exception]) -> T:
    """A few tries with growing pauses, for what passes by itself. `through`: errors that another
    try would not change.
    """
    pause_s = FIRST_PAUSE_S
    for n_left in reversed(range(N_TRIES)):
        try:
            return call()
        except through:
            raise
        except (OSError, S3Away) as problem:
            if n_left == 0:
                raise StoreAway(str(problem)) from problem
            time.sleep(pause_s)
            pause_s *= 2
    raise AssertionError
