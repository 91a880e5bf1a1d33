"""Celery task that deletes what no rule keeps, by night."""

from django.utils import timezone

from config.celery import short_task
from training.storage import services


@short_task(time_limit_s=3600)
def free_by_night() -> None:
    services.free_by_night(now=timezone.now())
