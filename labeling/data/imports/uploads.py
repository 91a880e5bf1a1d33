"""The uploaded files of imports: where they are, and when they go."""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File

from labeling.models import Import


def find(path: str) -> Path:
    """Rows keep absolute paths. If the site was restored into another folder, an uploaded file is
    found by its name.
    """
    uploaded = Path(settings.UPLOADS_DIR) / "imports" / Path(path).name
    return uploaded if uploaded.is_file() and not Path(path).is_file() else Path(path)


def write(upload: "File[bytes]", path: Path) -> None:
    """A copy of an upload, or nothing: half a file would take the rest of a full disk."""
    try:
        with path.open("wb") as copy:
            for chunk in upload.chunks():
                copy.write(chunk)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def delete(batch: Import) -> None:
    """Files that a command named stay where they are."""
    uploads = Path(settings.UPLOADS_DIR).resolve()
    for path in map(find, filter(None, (batch.path, batch.pairs_path))):
        if path.is_relative_to(uploads):
            path.unlink(missing_ok=True)


def delete_old(*, now: datetime) -> None:
    """Deletes the files of imports that ended PREFERABLY_KEEP_UPLOADS_DAYS ago; nothing if that is
    0. Everything they brought in stays.
    """
    if not settings.KEEP_UPLOADS_DAYS:
        return
    ended = (Import.State.PUBLISHED, Import.State.REFUSED, Import.State.DISCARDED)
    ended_before = now - timedelta(days=settings.KEEP_UPLOADS_DAYS)
    for batch in Import.objects.filter(state__in=ended, finished_at__lt=ended_before).iterator():
        delete(batch)
