"""Celery task that sends new judgments to webhooks."""

from django.utils import timezone

from config.celery import short_task
from labeling.queue import webhook_events


@short_task(time_limit_s=60)
def queue_judgment_events() -> None:
    webhook_events.queue_judgment_events(now=timezone.now())
