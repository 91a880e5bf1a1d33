"""The Celery task that backs up the site when it is time."""

from django.utils import timezone

from config.celery import short_task
from training.storage.backups import services


@short_task(time_limit_s=6 * 3600)
def back_up_when_due() -> None:
    services.back_up_when_due(clock=timezone.now)
