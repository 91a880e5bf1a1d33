"""Exports as jobs: a row is requested, a worker writes its archive, a person downloads it."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from jobs.protocol import Clock, Kind
from labeling.data.export_files import UnableToExport
from labeling.data.exports import archive, shapes
from labeling.data.exports.archive import Wanted
from labeling.data.exports.shapes import Selection
from labeling.models import Campaign, Export

EXPORTS = Kind(
    Export,
    task="labeling.data.exports.tasks.run_export",
    limit=timedelta(hours=6),
    # A thousand rows take seconds; grouping them for other tools takes longer.
    silent_after=timedelta(minutes=10),
    crashed=gettext_lazy("The worker crashed three times on this export."),
    os_error=gettext_lazy("The archive could not be written: %(why)s."),
    fresh={"n_rows": 0},
    with_rows=("campaign",),
)


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
    options: dict[str, object] = {
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
        audit_log.record(by, "export", campaign or export, after=after, now=now)
        EXPORTS.wake_on_commit(export.pk)
    return export


def _offered(campaign: Campaign | None) -> list[str]:
    if campaign is None:
        return list(shapes.SHAPES)
    return list(campaign.about.shapes)


@EXPORTS
def _write(export: Export, clock: Clock) -> None:
    folder = Path(settings.EXPORTS_DIR)
    path = folder / f"{uuid.uuid4().hex}.zip"

    def progress(n_rows: int) -> None:
        export.beat(now=clock(), n_rows=n_rows)

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            written = archive.write(_wanted(export), to=file, at=clock(), progress=progress)
        result: dict[str, object] = {
            "n_rows": written.n_rows,
            "left_out": written.left_out,
            "card": written.card,
        }
        if written.n_rows:
            result |= {"file_name": path.name, "n_bytes": path.stat().st_size}
            export.end(Export.State.DONE, now=clock(), **result)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not written.n_rows:
        path.unlink()
        sentence = _("Nothing fits this export: it has no rows.")
        export.end(Export.State.FAILED, now=clock(), error=sentence, **result)


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


def delete_old(*, now: datetime) -> None:
    """Deletes files of exports after PREFERABLY_KEEP_EXPORTS_DAYS; their rows and cards stay."""
    if not settings.KEEP_EXPORTS_DAYS:
        return
    made_before = now - timedelta(days=settings.KEEP_EXPORTS_DAYS)
    old = Export.objects.filter(ended_at__lt=made_before).exclude(file_name="")
    for export in old:
        (Path(settings.EXPORTS_DIR) / export.file_name).unlink(missing_ok=True)
    old.update(file_name="", n_bytes=0)
