"""Measures disk usage on this machine and in the artifact store. It knows only files, not database
rows.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from training.processes import run_dir
from training.storage import artifacts, store

_MODEL_OF_RUN = re.compile(r"run-(\d+)-\d+")
_LOGS = (run_dir.LOG, run_dir.PROGRESS, run_dir.RESPONSES, run_dir.ANSWERS)
BEST = "best"
"""where PPO keeps the weights that scored best"""


@dataclass(frozen=True)
class RunUsage:
    """What a run uses on this machine, in bytes."""

    checkpoints: int = 0
    weights: int = 0
    logs: int = 0


@dataclass(frozen=True)
class DiskUsage:
    """Bytes by owner: a run's id, a model's location, a snapshot's folder. `is_store_down`: the
    store did not answer.
    """

    runs: Mapping[int, RunUsage]
    stored_checkpoints: Mapping[int, int]
    models: Mapping[str, int]
    copies: Mapping[str, int]
    """local copies of models fetched from the store, by folder name"""
    snapshots: Mapping[str, int]
    stored_snapshots: Mapping[str, int]
    free_bytes: int
    is_store_down: bool = False
    unregistered: Mapping[int, list[str]] = field(default_factory=dict)
    """run → locations of models its attempts left, registered or not"""


def measure() -> DiskUsage:
    """Reads sizes only."""
    models, checkpoints, snapshots, is_store_down = _measure_store()
    return DiskUsage(
        runs={
            int(path.name): _run_usage(path)
            for path in _folders(settings.RUNS_DIR)
            if path.name.isdigit()
        },
        stored_checkpoints=checkpoints,
        models=models,
        copies={path.name: n_bytes(path) for path in _folders(settings.MODELS_DIR / "fetched")},
        snapshots={path.name: n_bytes(path) for path in _folders(settings.SNAPSHOTS_DIR)},
        stored_snapshots=snapshots,
        free_bytes=_free_bytes(),
        is_store_down=is_store_down,
        unregistered=_by_run(models),
    )


def n_bytes(path: Path) -> int:
    """Of a file, or of everything in a folder; 0 if it does not exist."""
    if path.is_file():
        return _size(path)
    return sum(
        _size(Path(folder) / name) for folder, _folders, names in os.walk(path) for name in names
    )


def free_state(run_id: int) -> None:
    """Removes a run's checkpoints and everything else it could resume from, here and in the store.
    Raises store.StoreUnavailable.
    """
    free_local_state(run_id)
    if artifacts.is_shared():
        artifacts.discard_checkpoints(run_id=run_id)


def free_local_state(run_id: int) -> None:
    folder = Path(settings.RUNS_DIR) / str(run_id)
    for part in (folder / run_dir.CHECKPOINTS, folder / BEST, folder / "model"):
        _remove_atomically(part)


def free_model(location: str) -> None:
    """Removes a model's weights and this machine's copy of them. Raises store.StoreUnavailable."""
    free_local_copy(location)
    if store.is_url(location):
        store.discard(location)


def free_local_copy(location: str) -> None:
    """Removes what this machine has of a run's model."""
    if not store.is_url(location):
        _remove_atomically(Path(artifacts.resolve(location)))
    copy = Path(settings.MODELS_DIR) / "fetched" / location.rsplit("/", 1)[-1]
    for fetched in (copy, store.partial_path(copy)):  # complete and partial downloads
        _remove_atomically(fetched)


def local_runs() -> list[int]:
    """Ids of the runs with a folder on this machine."""
    return [int(path.name) for path in _folders(settings.RUNS_DIR) if path.name.isdigit()]


def remove_run_folder(run_id: int) -> None:
    """Removes all that this machine has of a run."""
    _remove_atomically(Path(settings.RUNS_DIR) / str(run_id))


def runs_with_local_state() -> list[int]:
    """Ids of the runs with checkpoints on this machine."""
    folder = Path(settings.RUNS_DIR)
    return [
        pk
        for pk in local_runs()
        if any((folder / str(pk) / part).exists() for part in (run_dir.CHECKPOINTS, BEST, "model"))
    ]


def _remove_atomically(folder: Path) -> None:
    """Renames the folder first, so that nobody sees half of it."""
    aside = folder.with_name(f"{run_dir.TEMPORARY}freed-{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        folder.rename(aside)
    except OSError:
        return
    shutil.rmtree(aside, ignore_errors=True)


def _run_usage(folder: Path) -> RunUsage:
    checkpoints = n_bytes(folder / run_dir.CHECKPOINTS) + n_bytes(folder / BEST)
    return RunUsage(
        checkpoints, n_bytes(folder / "model"), sum(n_bytes(folder / name) for name in _LOGS)
    )


def _measure_store() -> tuple[dict[str, int], dict[int, int], dict[str, int], bool]:
    """(models by location, checkpoints by run, snapshots by folder, whether the store is down)."""
    root = str(settings.ARTIFACT_STORE).rstrip("/")
    if not artifacts.is_shared():
        return {str(path): n_bytes(path) for path in _folders(Path(root) / "models")}, {}, {}, False
    try:
        models, checkpoints, snapshots = (
            store.list_folders(f"{root}/{name}") for name in ("models", "checkpoints", "snapshots")
        )
    except store.StoreUnavailable:
        return {}, {}, {}, True
    named = {folder.url.rsplit("/", 1)[1]: folder.n_bytes for folder in checkpoints}
    of_runs = {
        int(name.removeprefix("run-")): size
        for name, size in named.items()
        if name.removeprefix("run-").isdigit()
    }
    return (
        {folder.url: folder.n_bytes for folder in models},
        of_runs,
        {folder.url.rsplit("/", 1)[1]: folder.n_bytes for folder in snapshots},
        False,
    )


def _by_run(models: Mapping[str, int]) -> dict[int, list[str]]:
    by_run: dict[int, list[str]] = {}
    for location in models:
        if named := _MODEL_OF_RUN.fullmatch(location.rsplit("/", 1)[-1]):
            by_run.setdefault(int(named[1]), []).append(location)
    return by_run


def _folders(path: Path | str) -> list[Path]:
    path = Path(path)
    return sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _free_bytes() -> int:
    folder = Path(settings.RUNS_DIR)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
