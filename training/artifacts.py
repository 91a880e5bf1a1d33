"""Models to and from the artifact store: a folder, or any URL that fsspec knows (s3://…, gs://…)."""

import shutil
from pathlib import Path

import fsspec
from django.conf import settings

_PART = ".part-"


class ModelMissing(Exception):
    """The folder that should hold the weights is not there."""


def keep_model(folder: Path, *, name: str) -> str:
    """Moves a finished model into the store under `name` and says where it is. What lay there under this name is replaced."""
    store = settings.ARTIFACT_STORE
    if "://" in store:
        return _upload(folder, f"{store.rstrip('/')}/models/{name}")
    target = Path(store) / "models" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{_PART}{name}")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    # A rename on one file system, a copy between two; either way the last step is a rename.
    shutil.move(folder, aside)
    aside.rename(target)
    return str(target)


def discard_model(location: str) -> None:
    """Frees a kept model that turned out to belong to an attempt that is over."""
    if "://" in location:
        files, path = fsspec.core.url_to_fs(location)
        files.rm(path, recursive=True)
    else:
        shutil.rmtree(location, ignore_errors=True)


def fetch_model(location: str) -> str:
    """What a training process on this node loads: a local folder, or a hub name as it is. Raises ModelMissing."""
    if "://" in location:
        return str(_download(location))
    if location.startswith("/") and not (Path(location) / "config.json").is_file():
        raise ModelMissing(location)
    return location


def _upload(folder: Path, url: str) -> str:
    files, path = fsspec.core.url_to_fs(url)
    if files.exists(path):
        files.rm(path, recursive=True)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            target = f"{path}/{file.relative_to(folder)}"
            files.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            files.put_file(str(file), target)
    shutil.rmtree(folder)
    return url


def _download(url: str) -> Path:
    """The node's own copy, fetched once: a kept model never changes."""
    target = settings.MODELS_DIR / "fetched" / url.rsplit("/", 1)[1]
    if target.is_dir():
        return target
    files, path = fsspec.core.url_to_fs(url)
    names = files.find(path)
    if not names:
        raise ModelMissing(url)
    aside = target.with_name(f"{_PART}{target.name}")
    shutil.rmtree(aside, ignore_errors=True)
    for name in names:
        local = aside / Path(name).relative_to(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        files.get_file(name, str(local))
    aside.rename(target)
    return target
