"""The artifact store, where models, checkpoints and snapshots are kept: a folder, or any URL that
fsspec supports.

Every node can read a URL (s3://…, file:///mnt/…), so snapshots and checkpoints are stored there
too, and any node can continue a run. A plain folder belongs to this machine: it keeps finished
models, and everything else stays where it was made.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from django.conf import settings

from labeling.importers.child import limits
from training.processes import run_dir
from training.storage import model_folder, store

_PART = ".part-"
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "pytorch_model*.bin",
    "pytorch_model.bin.index.json",
    "adapter_config.json",
    "adapter_model.bin",
    "tokenizer.json",
    "tokenizer_config.json",
    "*.model",  # sentencepiece
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template.json",
    "*.jinja",
    "preprocessor_config.json",
    "processor_config.json",
    "README*",
    "LICENSE*",
    "NOTICE*",
)
"""The files of a model that leave this site, in its folder and in these folders below it. Anything
else in a registered folder is somebody's own."""
_MODEL_FOLDERS = ("", run_dir.ADAPTER, "additional_chat_templates")
_STEP = re.compile(r"step-(\d+)-(\d+)")
_FOLDS = re.compile(r"folds-(\d+)")
MAX_STORED_CHECKPOINTS = 2


class ModelMissing(Exception):
    """The folder with the weights does not exist."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint in the store."""

    step: int
    url: str


def is_shared() -> bool:
    """Whether other nodes can read the store."""
    return store.is_url(settings.ARTIFACT_STORE)


# --- models ---------------------------------------------------------------------------------------


def store_model(folder: Path, *, name: str) -> str:
    """Moves a finished model into the store and returns its location. Replaces a model of the same
    name.

    Raises store.StoreUnavailable; a second call resumes the upload.
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


def resolve(location: str) -> str:
    """Where a model is today. URLs and hub names are unchanged.

    Rows keep absolute folders. If a site was restored into other folders, the model is found by
    its path from "models" on: below PREFERABLY_HOME, or below the artifact store.
    """
    _before, is_below_models, name = location.rpartition("/models/")
    if not is_folder(location) or not is_below_models or os.path.isdir(location):
        return location
    roots = [Path(settings.MODELS_DIR)]
    if not is_shared():
        roots.append(Path(settings.ARTIFACT_STORE) / "models")
    folders = (root / name for root in roots if ".." not in Path(name).parts)
    return next((str(folder) for folder in folders if folder.is_dir()), location)


def is_folder(location: str) -> bool:
    """Whether it names a folder on a machine, and not a URL or a hub model."""
    return location.startswith("/")


def discard_model(location: str) -> None:
    """Deletes a model's weights. Raises store.StoreUnavailable."""
    if store.is_url(location):
        store.discard(location)
    else:
        shutil.rmtree(location, ignore_errors=True)


def fetch_model(location: str) -> str:
    """What a training process on this node can load: a local folder, or a hub name unchanged.

    Raises ModelMissing, model_folder.UnreadableModel, store.StoreUnavailable and store.Damaged.
    """
    folder = str(_fetch_once(location)) if store.is_url(location) else resolve(location)
    if is_folder(folder):
        if not (Path(folder) / model_folder.CONFIG).is_file():
            raise ModelMissing(location)
        model_folder.check(Path(folder), within=limits.of_upload())
    return folder


def is_permitted(location: str) -> bool:
    """Whether a model in this folder may be registered, downloaded and published: it is below
    PREFERABLY_HOME, the artifact store or PREFERABLY_MODEL_ROOTS. Does not look at the disk.
    """
    if not is_folder(location):
        return True
    roots = [str(settings.HOME), str(settings.MODELS_DIR), *settings.MODEL_ROOTS]
    if not is_shared():
        roots.append(settings.ARTIFACT_STORE)
    folder = Path(location)
    return ".." not in folder.parts and any(
        folder.is_relative_to(Path(root).absolute()) for root in roots
    )


def model_files(location: str) -> dict[str, int]:
    """The sizes of a model's files (MODEL_FILES) by name, in the store or in a local folder.

    Raises ModelMissing (also for a hub name) and store.StoreUnavailable.
    """
    if store.is_url(location):
        try:
            all_sizes = store.sizes(location)
        except store.Missing as problem:
            raise ModelMissing(location) from problem
        return {name: size for name, size in all_sizes.items() if _is_model_file(name)}
    folder = Path(resolve(location))
    if not is_folder(location) or not (folder / "config.json").is_file():
        raise ModelMissing(location)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in files}
    return {name: size for name, size in sizes.items() if _is_model_file(name)}


def _is_model_file(name: str) -> bool:
    folder, _slash, own = name.rpartition("/")
    return (
        folder in _MODEL_FOLDERS
        and not own.startswith(".")
        and any(fnmatchcase(own, pattern) for pattern in MODEL_FILES)
    )


def read_model_file(location: str, name: str) -> Iterator[bytes]:
    """Yields a file's content in blocks. Raises store.StoreUnavailable."""
    if store.is_url(location):
        yield from store.read(location, name)
        return
    with (Path(resolve(location)) / name).open("rb") as file:
        while block := file.read(store.READ_BYTES):
            yield block


def _fetch_once(url: str) -> Path:
    """The node's local copy. Never fetched again, because a stored model never changes."""
    target = settings.MODELS_DIR / "fetched" / url.rsplit("/", 1)[1]
    if not target.is_dir():
        try:
            store.fetch(url, target)
        except store.Missing as problem:
            raise ModelMissing(url) from problem
    return Path(target)


# --- checkpoints ----------------------------------------------------------------------------------


def store_checkpoint(folder: Path, *, run_id: int, attempt: int) -> None:
    """Copies a complete checkpoint (checkpoints/step-N) to the store, and removes all but the
    newest MAX_STORED_CHECKPOINTS there.

    The child may remove the folder meanwhile, so hard links are uploaded. Raises
    store.StoreUnavailable.
    """
    step = run_dir.checkpoint_step(folder)
    links = folder.parent / f"{run_dir.TEMPORARY}sent-{folder.name}"
    shutil.rmtree(links, ignore_errors=True)
    try:
        if not _linked(folder, links):
            return  # removed meanwhile: there is a newer one
        store.put(links, _url("checkpoints", f"run-{run_id}", f"step-{step}-{attempt}"))
    finally:
        shutil.rmtree(links, ignore_errors=True)
    for old in list(_checkpoints(run_id))[MAX_STORED_CHECKPOINTS:]:
        store.discard(old.url)


def newest_checkpoint(*, run_id: int) -> Checkpoint | None:
    """Raises store.StoreUnavailable."""
    return next(_checkpoints(run_id), None)


def fetch_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Fetches a checkpoint into the run's folder on this node. Raises store.StoreUnavailable,
    Missing and Damaged.
    """
    target = folder / run_dir.CHECKPOINTS / f"step-{checkpoint.step}"
    run_dir.remove(target)  # an incomplete one may be there
    store.fetch(checkpoint.url, target)


def store_folds(folder: Path, *, run_id: int) -> None:
    """Copies the results of cross-validation folds to the store, next to the run's checkpoints.
    Raises store.StoreUnavailable.
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
    for _n, url in stored_folds(run_id)[1:]:
        store.discard(url)


def fetch_folds(*, run_id: int, folder: Path) -> int:
    """Fetches fold results if the store has more than the run's folder. Returns how many there are
    now.

    Raises store.StoreUnavailable, Missing and Damaged.
    """
    n, url = next(iter(stored_folds(run_id)), (0, ""))
    if n <= run_dir.n_folds(folder):
        return run_dir.n_folds(folder)
    aside = folder / f"{run_dir.TEMPORARY}fetched-folds"
    store.fetch(url, aside)
    (aside / run_dir.FOLDS).rename(folder / run_dir.FOLDS)
    aside.rmdir()
    return n


def discard_checkpoints(*, run_id: int) -> None:
    """Deletes the run's checkpoints and folds. Raises store.StoreUnavailable."""
    store.discard(_url("checkpoints", f"run-{run_id}"))


def _linked(folder: Path, links: Path) -> bool:
    """Hard-links the files instead of copying them; False when they were removed meanwhile."""
    try:
        shutil.copytree(folder, links, copy_function=os.link)
    except (FileNotFoundError, shutil.Error):
        return False
    return run_dir.is_complete(links)


def stored_folds(run_id: int) -> list[tuple[int, str]]:
    """(number of folds, URL) of complete uploads, most folds first."""
    folds = []
    for folder in store.list_folders(_url("checkpoints", f"run-{run_id}")):
        named = _FOLDS.fullmatch(folder.url.rsplit("/", 1)[1])
        if named and folder.is_whole:
            folds.append((int(named[1]), folder.url))
    return sorted(folds, reverse=True)


def _checkpoints(run_id: int) -> Iterator[Checkpoint]:
    """Complete ones, highest step first; for equal steps the latest attempt first."""
    checkpoints = []
    for folder in store.list_folders(_url("checkpoints", f"run-{run_id}")):
        named = _STEP.fullmatch(folder.url.rsplit("/", 1)[1])
        if named and folder.is_whole:
            checkpoints.append((int(named[1]), int(named[2]), folder.url))
    return (Checkpoint(step, url) for step, _attempt, url in sorted(checkpoints, reverse=True))


# --- snapshots ------------------------------------------------------------------------------------


def store_snapshot(folder: Path) -> None:
    """Copies a snapshot's folder to a shared store; it stays here as well. Raises
    store.StoreUnavailable.
    """
    if is_shared():
        store.put(folder, _url("snapshots", folder.name))


def fetch_snapshot(name: str) -> Path:
    """The snapshot's folder on this node, fetched if necessary. It may still be missing afterwards.

    Raises store.StoreUnavailable and store.Damaged.
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
