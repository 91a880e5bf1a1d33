"""What Celery beat does for jobs: it wakes workers for what waits, under one entry."""

from celery.signals import beat_init
from django.core.cache import cache
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from config.celery import app, short_task
from jobs.messages import DECLARED


@short_task(time_limit_s=60)
def wake_waiting() -> None:
    """Each kind at its own pace, of which this task's is the fastest."""
    for message in DECLARED.values():
        if message.every is None:
            continue
        if cache.add(f"woken:{message.task}", 1, message.every.total_seconds() - 1):
            message.wake_waiting(now=timezone.now())


@beat_init.connect  # type: ignore[untyped-decorator]
def forget_old_entries(**_signal: object) -> None:
    """Beat keeps in the database what a release has scheduled, and would send it for ever."""
    PeriodicTask.objects.exclude(task__in=app.tasks).delete()
