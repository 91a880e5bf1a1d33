"""Downloads of datasets: requested by a person, done by a worker, then imported."""

import re
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs.protocol import Clock, Kind
from labeling.data.hub import places
from labeling.data.hub.globs import BadPattern
from labeling.data.hub.layout import NotFound
from labeling.data.hub.places import HubAway, Part, Place, Wanted
from labeling.data.imports import previews
from labeling.data.imports import services as imports_services
from labeling.data.imports.services import UnableToImport
from labeling.importers.files import rows as importer_files
from labeling.models import HubDownload, Import

MAX_BYTES = 20 * 1024**3
_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}(/[\w][\w.-]{0,95})?")
_REVISION = re.compile(r"[\w][\w./-]{0,199}")


class UnableToDownload(Refusal):
    """The dataset cannot be had; the text says why."""


DOWNLOADS = Kind(
    HubDownload,
    task="labeling.data.hub.tasks.run_download",
    argument="download_id",
    limit=timedelta(hours=6),
    silent_after=timedelta(minutes=2),
    crashed=gettext_lazy("The worker crashed three times on this dataset."),
    refusals=(UnableToDownload, NotFound, BadPattern, HubAway, UnableToImport),
    os_error=gettext_lazy("The dataset could not be written: %(why)s."),
    fresh={"bytes_read": 0},
)


def request_download(
    *,
    repository: str,
    config: str = "",
    split: str = "",
    revision: str = "",
    options: Mapping[str, object] | None = None,
    is_rung: bool = True,
    by: User | None,
    now: datetime,
) -> HubDownload:
    """Queues a download. With `options`, the arguments of an import, the import follows by itself;
    without, a person continues on its page. Raises UnableToDownload.
    """
    if not _REPOSITORY.fullmatch(repository):
        sentence = _("“%(name)s” is not a valid repository name. Write it as owner/name.")
        raise UnableToDownload(sentence % {"name": repository})
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        sentence = _("“%(name)s” is not a valid revision. Enter a branch, a tag or a commit.")
        raise UnableToDownload(sentence % {"name": revision})
    with transaction.atomic():
        download = HubDownload.objects.create(
            repository=repository,
            config=config,
            split=split,
            revision=revision,
            options=options or {},
            created_by=by,
            created_at=now,
        )
        audit_log.record(by, "import", download, after={"repository": repository}, now=now)
        if is_rung:
            DOWNLOADS.wake_on_commit(download.pk)
    return download


def kept_file(*, download: HubDownload, by: User) -> previews.KeptFile | None:
    """The downloaded file for the form of an import; None if it is gone after a day."""
    path = Path(settings.UPLOADS_DIR) / "imports" / download.file_name
    if not download.file_name or not path.is_file():
        return None
    return previews.kept_as(path=path, name=shown_name(download), by=by)


def shown_name(download: HubDownload) -> str:
    parts = (download.repository, download.config, download.split, download.revision)
    return " · ".join(filter(None, parts))[:255]


@DOWNLOADS
def _run(download: HubDownload, clock: Clock) -> None:
    """Gets the files, and queues the import if its options are known."""
    path = previews.new_file(now=clock())
    try:
        licence, is_cached = _fetch(download, path, clock)
        changes: dict[str, object] = {"licence": licence, "is_cached": is_cached}
        if download.options:
            changes["import_batch"] = _import(download, path, licence, clock())
        else:
            changes["file_name"] = path.name
        download.end(HubDownload.State.DONE, now=clock(), **changes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _import(download: HubDownload, path: Path, licence: str, now: datetime) -> Import:
    """Raises UnableToImport, also if neither the card nor the person has named a licence."""
    assert download.created_by is not None  # only people have options stored
    options = dict(download.options)
    return imports_services.start_kept(
        path=path,
        file_name=shown_name(download),
        file_format=options.pop("file_format", None) or None,
        source_name=options.pop("source_name", "") or download.repository,
        licence=options.pop("licence", "") or licence,
        **options,
        by=download.created_by,
        now=now,
    )


def _fetch(download: HubDownload, path: Path, clock: Clock) -> tuple[str, bool]:
    """Writes the files as one; returns the licence, and whether they came from a cache."""
    with ExitStack() as stack:
        place, is_cached = _place(download, stack)
        parts = place.parts
        total = sum(part.n_bytes for part in parts)
        if total > MAX_BYTES or len(parts) > importer_files.MAX_FILES:
            sentence = _(
                "The dataset is too large: %(files)d files with %(gb)d GB. Choose a split or a"
                " configuration."
            )
            raise UnableToDownload(sentence % {"files": len(parts), "gb": total // 1024**3})
        n_read = 0

        def progress(n_bytes: int) -> None:
            nonlocal n_read
            n_read += n_bytes
            if n_read > MAX_BYTES:
                raise UnableToDownload(_("The dataset is larger than the hub said."))
            download.beat(now=clock(), bytes_total=total, bytes_read=n_read)

        _write(place, parts, path, progress)
        return place.card.licence, is_cached


def _place(download: HubDownload, stack: ExitStack) -> tuple[Place, bool]:
    """The hub if there is a network, else a cache (True). Raises NotFound and UnableToDownload."""
    wanted = Wanted(download.repository, download.config, download.split, download.revision)
    away = _("HF_HUB_OFFLINE is set, so the hub is not asked.")
    if not settings.HUB_IS_OFFLINE:
        hub = places.on_hub(wanted, hub=settings.HUB_URL, token=settings.HUB_TOKEN)
        try:
            return stack.enter_context(hub), False
        except HubAway as problem:
            away = problem.sentence
    cached = places.in_hub_cache(
        wanted, cache=Path(settings.HUB_CACHE)
    ) or places.in_datasets_cache(wanted, cache=Path(settings.DATASETS_CACHE))
    if cached is None:
        sentence = _("%(away)s The dataset is not in the local cache of the worker either.")
        raise UnableToDownload(sentence % {"away": away})
    return cached, True


def _write(place: Place, parts: list[Part], path: Path, progress: places.Progress) -> None:
    """One file as it is, several as a ZIP archive, which the importers read."""
    with path.open("wb") as file:
        if len(parts) == 1:
            place.copy(parts[0], file, progress)
            return
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for part in parts:
                name = part.name.removesuffix(".arrow") + ".parquet" * part.name.endswith(".arrow")
                with archive.open(name, "w", force_zip64=True) as member:
                    place.copy(part, member, progress)  # type: ignore[arg-type]
