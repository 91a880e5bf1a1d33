"""The job of a curation is in worker.py; one task deletes old previews."""

from django.utils import timezone

from config.celery import short_task
from training.snapshots.curation import worker


@short_task(time_limit_s=600)
def delete_old_previews() -> None:
    worker.delete_old_previews(now=timezone.now())
