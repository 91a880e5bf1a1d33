"""Tasks of imports: the job is in services.py; others delete rows and old uploads."""

from django.utils import timezone

from config.celery import short_task
from labeling.data.imports import services, uploads


@services.CLEARING
def clear_import(*, import_id: int) -> None:
    services.clear_import(import_id=import_id)


@short_task(time_limit_s=3600)
def delete_old_uploads() -> None:
    uploads.delete_old(now=timezone.now())
