"""The Celery tasks about people: one call each."""

from django.utils import timezone

from accounts import notices
from config.celery import short_task


@short_task(time_limit_s=120)
def mail_notices() -> None:
    notices.mail_waiting(now=timezone.now())
