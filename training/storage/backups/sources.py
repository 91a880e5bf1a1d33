"""The files that belong to a site's data, and those that the database says must be there.

Checkpoints and logs of runs (`runs/`) and copies of stored models (`models/fetched/`) are left out:
a run starts over without them.
"""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.models import Import
from training.models import Snapshot, TrainedModel
from training.processes import run_dir
from training.storage import artifacts, store

HOME, ARTIFACTS = "home", "artifacts"
STORED = ("models", "snapshots")
"""The folders of an artifact store at a URL that are kept."""
_FETCHED = "fetched"
_UNFINISHED = (store.PART, run_dir.TEMPORARY)


def home_folders() -> dict[str, Path]:
    """Name in a backup → folder of PREFERABLY_HOME."""
    return {
        "snapshots": Path(settings.SNAPSHOTS_DIR),
        "uploads": Path(settings.UPLOADS_DIR),
        "exports": Path(settings.EXPORTS_DIR),
        "models": Path(settings.MODELS_DIR),
    }


def local_folders() -> dict[str, Path]:
    """Path in a backup → folder on this machine."""
    folders = {f"{HOME}/{name}": folder for name, folder in home_folders().items()}
    if not artifacts.is_shared():
        root = Path(settings.ARTIFACT_STORE)
        folders |= {f"{ARTIFACTS}/{name}": root / name for name in STORED}
    return folders


def local_files() -> Iterator[tuple[str, Path]]:
    """Path in a backup, and the file on this machine."""
    for name, folder in local_folders().items():
        for file in sorted(folder.rglob("*")):
            inner = file.relative_to(folder)
            if file.is_file() and not _is_left_out(name, inner):
                yield f"{name}/{inner.as_posix()}", file


def _is_left_out(name: str, inner: Path) -> bool:
    is_copy = name == f"{HOME}/models" and inner.parts[0] == _FETCHED
    return is_copy or any(part.startswith(_UNFINISHED) for part in inner.parts)


def stored_folders() -> Iterator[tuple[str, str]]:
    """Path in a backup, and the URL, of each complete folder in an artifact store at a URL. Raises
    StoreUnavailable.
    """
    if artifacts.is_shared():
        root = settings.ARTIFACT_STORE.rstrip("/")
        for name in STORED:
            for folder in store.list_folders(f"{root}/{name}"):
                if folder.is_whole:
                    yield f"{ARTIFACTS}/{name}/{folder.url.rsplit('/', 1)[1]}", folder.url


def named() -> dict[str, str]:
    """What the database names → a sentence for when no file of it is there. Keys are the beginning
    of paths in a backup.
    """
    paths = {
        f"{HOME}/snapshots/{folder}/": _("The files of the snapshot “%(name)s” are not there.")
        % {"name": name}
        for name, folder in Snapshot.objects.values_list("name", "folder")
    }
    for name, location in TrainedModel.objects.filter(freed_at=None).values_list(
        "name", "location"
    ):
        if path := _path_of_model(location):
            paths[path] = _("The weights of the model “%(name)s” are not there.") % {"name": name}
    waiting = Q(state__in=(Import.State.QUEUED, Import.State.RUNNING))
    for name, path in Import.objects.filter(waiting).values_list("file_name", "path"):
        if Path(path).is_relative_to(Path(settings.UPLOADS_DIR)):
            inner = Path(path).relative_to(Path(settings.UPLOADS_DIR)).as_posix()
            paths[f"{HOME}/uploads/{inner}"] = _("The file “%(name)s” to import is not there.") % {
                "name": name
            }
    return paths


def _path_of_model(location: str) -> str:
    """Empty for a model that is not part of the site's data: a hub's, or in a folder of its own."""
    root = settings.ARTIFACT_STORE.rstrip("/")
    if location.startswith(f"{root}/models/"):
        return f"{ARTIFACTS}/{location.removeprefix(f'{root}/')}/"
    folder = Path(artifacts.resolve(location))
    for name, top in local_folders().items():
        if artifacts.is_folder(location) and folder.is_relative_to(top):
            return f"{name}/{folder.relative_to(top).as_posix()}/"
    return ""
