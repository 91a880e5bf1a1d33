"""Celery tasks of downloads from a hub: do one, and ring for those whose message was lost."""

from django.utils import timezone

from config.celery import short_task
from labeling.data.hub import downloads


@short_task(time_limit_s=6 * 3600)
def run_download(*, download_id: int) -> None:
    downloads.run_download(download_id=download_id, clock=timezone.now)


@short_task(time_limit_s=60)
def ring_downloads() -> None:
    downloads.ring_waiting(now=timezone.now())
