"""Celery tasks of exports: write one, ring for those whose message was lost, delete old files."""

from django.utils import timezone

from config.celery import short_task
from labeling.data.exports import jobs


@short_task(time_limit_s=6 * 3600)
def run_export(*, export_id: int) -> None:
    jobs.run_export(export_id=export_id, clock=timezone.now)


@short_task(time_limit_s=60)
def ring_exports() -> None:
    jobs.ring_waiting(now=timezone.now())
    jobs.delete_old(now=timezone.now())
