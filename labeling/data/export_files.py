"""The archive of an export, for those who may have it. labeling.data.exports writes it; training
publishes it.
"""

import re
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.models import Export, Rater


class UnableToExport(Refusal):
    """The export cannot be made or downloaded; the text says why."""


def file_of(*, export: Export) -> Path:
    """The archive. Raises UnableToExport if it is not ready, was deleted, or may hold what somebody
    wrote who has withdrawn since.
    """
    if export.state != Export.State.DONE:
        raise UnableToExport(export.error or _("The export is not ready yet. Try again later."))
    if Rater.people.filter(withdrawn_at__gte=export.created_at).exists():
        raise UnableToExport(
            _("Somebody has withdrawn since this export was made. Create a new one.")
        )
    path = Path(settings.EXPORTS_DIR) / export.file_name
    if not export.file_name or not path.is_file():
        raise UnableToExport(
            _("The file of this export was deleted, or is on another machine. Create a new one.")
        )
    return path


def download_name(*, export: Export) -> str:
    name = export.campaign.name if export.campaign else "judgments"
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or str(export.pk)
    return f"{slug}-{export.shape}-{export.pk}.zip"
