"""The Celery task by which a short worker shows that it works."""

from django.utils import timezone

from config.celery import short_task
from training.operations import figures


@short_task(time_limit_s=30)
def note_worker() -> None:
    figures.note_worker(now=timezone.now())
