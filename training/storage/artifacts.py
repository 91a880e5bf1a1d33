"""Where models, checkpoints and snapshots are kept beyond the node that made them: a folder, or any
URL that fsspec knows.

A store that is a URL (s3://…, file:///mnt/…) is seen by every node, so snapshots and checkpoints go
there too, and a run goes on anywhere. A plain folder is this machine's own: it keeps finished
models, and the rest stays where it was made.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from training.processes import run_dir
from training.storage import store

_PART = ".part-"
_STEP = re.compile(r"step-(\d+)-(\d+)")
_FOLDS = re.compile(r"folds-(\d+)")
N_CHECKPOINTS_KEPT = 2


class ModelMissing(Exception):
    """The folder that should hold the weights is not there."""


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint of a run in the store."""

    step: int
    url: str


def is_shared() -> bool:
    """Whether other nodes see the store."""
    return store.is_url(settings.ARTIFACT_STORE)


# --- models ---------------------------------------------------------------------------------------


def keep_model(folder: Path, *, name: str) -> str:
    """Moves a finished model into the store under `name` and says where it is. What lay there under
    this name is replaced.

    Raises store.StoreAway; called again it goes on where it was.
    """
    if is_shared():
        url = _url("models", name)
        if folder.exists():
            store.put(folder, url)
            shutil.rmtree(folder)
        return url
    target = Path(settings.ARTIFACT_STORE) / "models" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{_PART}{name}")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    # A rename on one file system, a copy between two; either way the last step is a rename.
    shutil.move(folder, aside)
    aside.rename(target)
    return str(target)


def discard_model(location: str) -> None:
    """Frees the weights of a kept model. Raises store.StoreAway."""
    if store.is_url(location):
        store.discard(location)
    else:
        shutil.rmtree(location, ignore_errors=True)


def fetch_model(location: str) -> str:
    """What a training process on this node loads: a local folder, or a hub name as it is.

    Raises ModelMissing, store.StoreAway and store.Damaged.
    """
    if store.is_url(location):
        return str(_fetched(location))
    if location.startswith("/") and not (Path(location) / "config.json").is_file():
        raise ModelMissing(location)
    return location


def model_files(location: str) -> dict[str, int]:
    """The files of a model and their sizes, as seen from here: in the store, or in a folder of this
    machine.

    Raises ModelMissing (also for a hub name: nothing of it is here) and store.StoreAway.
    """
    if store.is_url(location):
        try:
            return store.sizes(location)
        except store.Missing as problem:
            raise ModelMissing(location) from problem
    folder = Path(location)
    if not location.startswith("/") or not (folder / "config.json").is_file():
        raise ModelMissing(location)
    found = sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def read_model_file(location: str, name: str) -> Iterator[bytes]:
    """One of them, a block at a time. Raises store.StoreAway."""
    if store.is_url(location):
        yield from store.read(location, name)
        return
    with (Path(location) / name).open("rb") as file:
        while block := file.read(store.READ_BYTES):
            yield block


def _fetched(url: str) -> Path:
    """The node's own copy, fetched once: a kept model never changes."""
    target = settings.MODELS_DIR / "fetched" / url.rsplit("/", 1)[1]
    if not target.is_dir():
        try:
            store.fetch(url, target)
        except store.Missing as problem:
            raise ModelMissing(url) from problem
    return Path(target)


# --- checkpoints ----------------------------------------------------------------------------------


def keep_checkpoint(folder: Path, *, run_id: int, attempt: int) -> None:
    """Copies a whole checkpoint (checkpoints/step-N) to the store, and frees what is older there
    than the last two.

    The child may remove the folder meanwhile: what is sent has links of its own. Raises
    store.StoreAway.
    """
    step = run_dir.checkpoint_step(folder)
    links = folder.parent / f"{run_dir.TEMPORARY}sent-{folder.name}"
    shutil.rmtree(links, ignore_errors=True)
    try:
        if not _linked(folder, links):
            return  # gone already: a newer one is there
        store.put(links, _url("checkpoints", f"run-{run_id}", f"step-{step}-{attempt}"))
    finally:
        shutil.rmtree(links, ignore_errors=True)
    for old in list(_checkpoints(run_id))[N_CHECKPOINTS_KEPT:]:
        store.discard(old.url)


def newest_checkpoint(*, run_id: int) -> Checkpoint | None:
    """Raises store.StoreAway."""
    return next(_checkpoints(run_id), None)


def fetch_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Puts it among the checkpoints of the run's folder on this node. Raises store.StoreAway,
    Missing and Damaged.
    """
    target = folder / run_dir.CHECKPOINTS / f"step-{checkpoint.step}"
    run_dir.remove(target)  # there is one at this step that is not whole
    store.fetch(checkpoint.url, target)


def keep_folds(folder: Path, *, run_id: int) -> None:
    """Copies what a cross-validation has found so far to the store, beside the run's checkpoints.
    Raises store.StoreAway.
    """
    n = run_dir.n_folds(folder)
    aside = folder / f"{run_dir.TEMPORARY}sent-folds"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        shutil.copy(folder / run_dir.FOLDS, aside)
        store.put(aside, _url("checkpoints", f"run-{run_id}", f"folds-{n}"))
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for _n, url in _kept_folds(run_id)[1:]:
        store.discard(url)


def fetch_folds(*, run_id: int, folder: Path) -> int:
    """Puts the folds that the store knows into the run's folder, where fewer are known; says how
    many are now known.

    Raises store.StoreAway, Missing and Damaged.
    """
    n, url = next(iter(_kept_folds(run_id)), (0, ""))
    if n <= run_dir.n_folds(folder):
        return run_dir.n_folds(folder)
    aside = folder / f"{run_dir.TEMPORARY}fetched-folds"
    store.fetch(url, aside)
    (aside / run_dir.FOLDS).rename(folder / run_dir.FOLDS)
    aside.rmdir()
    return n


def discard_checkpoints(*, run_id: int) -> None:
    """Its folds as well. Raises store.StoreAway."""
    store.discard(_url("checkpoints", f"run-{run_id}"))


def _linked(folder: Path, links: Path) -> bool:
    """The same files under a second name, without a copy; False when they went away meanwhile."""
    try:
        shutil.copytree(folder, links, copy_function=os.link)
    except (FileNotFoundError, shutil.Error):
        return False
    return run_dir.is_complete(links)


def _kept_folds(run_id: int) -> list[tuple[int, str]]:
    """(how many, where) of what is whole, the most first."""
    found = []
    for one in store.held(_url("checkpoints", f"run-{run_id}")):
        named = _FOLDS.fullmatch(one.url.rsplit("/", 1)[1])
        if named and one.is_whole:
            found.append((int(named[1]), one.url))
    return sorted(found, reverse=True)


def _checkpoints(run_id: int) -> Iterator[Checkpoint]:
    """Whole ones, the highest step first, of one step the latest attempt's."""
    found = []
    for one in store.held(_url("checkpoints", f"run-{run_id}")):
        named = _STEP.fullmatch(one.url.rsplit("/", 1)[1])
        if named and one.is_whole:
            found.append((int(named[1]), int(named[2]), one.url))
    return (Checkpoint(step, url) for step, _attempt, url in sorted(found, reverse=True))


# --- snapshots ------------------------------------------------------------------------------------


def keep_snapshot(folder: Path) -> None:
    """Copies a snapshot's folder to a store that nodes share; it stays here too. Raises
    store.StoreAway.
    """
    if is_shared():
        store.put(folder, _url("snapshots", folder.name))


def fetch_snapshot(name: str) -> Path:
    """Where the snapshot's folder is on this node, fetched when it was not there; it may be missing
    all the same.

    Raises store.StoreAway and store.Damaged.
    """
    target = Path(settings.SNAPSHOTS_DIR) / name
    if not target.is_dir() and is_shared():
        try:
            store.fetch(_url("snapshots", name), target)
        except store.Missing:
            return target
    return target


def _url(*parts: str) -> str:
    return "/".join([settings.ARTIFACT_STORE.rstrip("/"), *parts])
