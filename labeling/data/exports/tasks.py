"""A task that deletes old files; the job itself is in jobs.py."""

from django.utils import timezone

from config.celery import short_task
from labeling.data.exports import jobs


@short_task(time_limit_s=600)
def delete_old_exports() -> None:
    jobs.delete_old(now=timezone.now())
