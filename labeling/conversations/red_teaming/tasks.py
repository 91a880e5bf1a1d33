"""The Celery task of red teaming."""

from django.utils import timezone

from config.celery import short_task
from labeling.conversations.red_teaming import lessons


@short_task(time_limit_s=120)
def queue_pairs() -> None:
    lessons.queue_pairs(now=timezone.now())
