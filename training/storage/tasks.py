"""The nightly Celery task that frees old models and states, and old logs on its machine."""

from django.utils import timezone

from config.celery import short_task
from training.storage import services


@short_task(time_limit_s=3600)
def free_by_night() -> None:
    services.free_old(now=timezone.now())
    services.remove_old_run_folders(now=timezone.now())
