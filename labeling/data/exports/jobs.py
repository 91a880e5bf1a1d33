"""Exports as jobs: a row is requested, a worker writes its archive, a person downloads it."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from config import broker
from labeling.data.export_files import UnableToExport
from labeling.data.exports import archive, shapes
from labeling.data.exports.archive import Wanted, Written
from labeling.data.exports.shapes import Selection
from labeling.models import Campaign, Export

SILENT_AFTER = timedelta(minutes=10)
"""A thousand rows take seconds; grouping them for other tools takes longer."""
MAX_ATTEMPTS = 3


class _Superseded(Exception):
    """Another worker has the export."""


def request_export(
    *,
    campaign: Campaign | None,
    shape: str,
    style: str = "",
    file_format: str = "",
    includes_extra: bool = False,
    includes_repeats: bool = False,
    includes_imports: bool = False,
    licences: Sequence[str] | None = None,
    by: User,
    now: datetime,
) -> Export:
    """Queues an export of a campaign, or of all judgments. Without `style` and `file_format`, it
    has the first of its shape. Raises UnableToExport.
    """
    about = shapes.SHAPES.get(shape)
    if about is None or shape not in _offered(campaign):
        raise UnableToExport(_("There is no such shape of export: “%(name)s”.") % {"name": shape})
    style, file_format = style or about.styles[0], file_format or about.formats[0]
    if style not in about.styles or file_format not in about.formats:
        sentence = _("This shape is exported as %(styles)s, in the formats %(formats)s.")
        listed = {"styles": ", ".join(about.styles), "formats": ", ".join(about.formats)}
        raise UnableToExport(sentence % listed)
    options: dict[str, Any] = {
        "includes_extra": includes_extra,
        "includes_repeats": includes_repeats,
        "includes_imports": includes_imports or campaign is None,
        "licences": None if licences is None else sorted(licences),
    }
    with transaction.atomic():
        export = Export.objects.create(
            campaign=campaign,
            shape=shape,
            style=style,
            file_format=file_format,
            options=options,
            created_by=by,
            created_at=now,
        )
        after = {"shape": shape, "format": file_format, "style": style}
        if licences is not None:
            after["licences"] = ", ".join(licences)
        audit_log.record(by=by, action="export", target=campaign or export, after=after, now=now)
        transaction.on_commit(partial(ring, export.pk))
    return export


def _offered(campaign: Campaign | None) -> list[str]:
    if campaign is None:
        return list(shapes.SHAPES)
    return list(campaign.about.shapes)


def run_export(*, export_id: int, clock: Callable[[], datetime]) -> None:
    """Writes the archive. Does nothing when it is not for this worker; safe to call twice."""
    export = _claim(export_id, clock())
    if export is None:
        return
    language = export.created_by.language if export.created_by else settings.LANGUAGE_CODE
    with translation.override(language):
        try:
            _run(export, clock)
        except _Superseded:
            return
        except OSError as problem:
            sentence = _("The archive could not be written: %(why)s.")
            _end(export, error=sentence % {"why": problem.strerror}, now=clock())


def _run(export: Export, clock: Callable[[], datetime]) -> None:
    folder = Path(settings.EXPORTS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.zip"

    def progress(n_rows: int) -> None:
        if _own_attempt(export).update(n_rows=n_rows, heartbeat_at=clock()) != 1:
            raise _Superseded

    try:
        with path.open("wb") as file:
            written = archive.write(_wanted(export), to=file, at=clock(), progress=progress)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not written.n_rows or not _end(export, path=path, written=written, now=clock()):
        path.unlink()
    if not written.n_rows:
        _end(
            export,
            written=written,
            error=_("Nothing fits this export: it has no rows."),
            now=clock(),
        )


def _wanted(export: Export) -> Wanted:
    options = export.options
    name = export.campaign.name if export.campaign else "All judgments"
    return Wanted(
        name=name,
        shape=export.shape,
        style=export.style,
        file_format=export.file_format,
        selection=Selection(
            campaigns=[export.campaign.pk] if export.campaign else None,
            include_imports=options["includes_imports"],
            include_extra=options["includes_extra"],
            include_repeats=options["includes_repeats"],
            licences=options["licences"],
        ),
    )


# --- workers --------------------------------------------------------------------------------------


def ring(export_id: int) -> bool:
    """Notifies a worker; call it after commit. False when the broker is away: the beat rings
    again.
    """
    return broker.send("labeling.data.exports.tasks.run_export", export_id=export_id)


def ring_waiting(*, now: datetime) -> None:
    """Rings for exports without a live worker."""
    for export_id in _without_worker(now).order_by("pk").values_list("pk", flat=True):
        ring(export_id)


def delete_old(*, now: datetime) -> None:
    """Deletes files of exports after PREFERABLY_KEEP_EXPORTS_DAYS; their rows and cards stay."""
    if not settings.KEEP_EXPORTS_DAYS:
        return
    made_before = now - timedelta(days=settings.KEEP_EXPORTS_DAYS)
    old = Export.objects.filter(ended_at__lt=made_before).exclude(file_name="")
    for export in old:
        (Path(settings.EXPORTS_DIR) / export.file_name).unlink(missing_ok=True)
    old.update(file_name="", n_bytes=0)


def _claim(export_id: int, now: datetime) -> Export | None:
    mine = _without_worker(now).filter(pk=export_id)
    given_up = mine.filter(attempt__gte=MAX_ATTEMPTS)
    if given_up.update(
        state=Export.State.FAILED,
        error=_("The worker crashed three times on this export."),
        ended_at=now,
    ):
        return None
    claimed = mine.update(
        state=Export.State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=now, n_rows=0, error=""
    )
    if claimed != 1:
        return None
    return Export.objects.select_related("campaign", "created_by").get(pk=export_id)


def _end(
    export: Export,
    *,
    now: datetime,
    path: Path | None = None,
    written: Written | None = None,
    error: str = "",
) -> bool:
    changes: dict[str, Any] = {"error": error, "ended_at": now}
    changes["state"] = Export.State.FAILED if error else Export.State.DONE
    if path is not None:
        changes |= {"file_name": path.name, "n_bytes": path.stat().st_size}
    if written is not None:
        changes |= {
            "n_rows": written.n_rows,
            "left_out": written.left_out,
            "card": written.card,
        }
    return _own_attempt(export).update(**changes) == 1


def _own_attempt(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(pk=export.pk, attempt=export.attempt, state=Export.State.RUNNING)


def _without_worker(now: datetime) -> QuerySet[Export]:
    """A heartbeat in the future counts as silence too: a clock was set back."""
    recent = Q(heartbeat_at__range=(now - SILENT_AFTER, now + SILENT_AFTER))
    return Export.objects.filter(
        Q(state=Export.State.QUEUED) | Q(~recent, state=Export.State.RUNNING)
    )
