"""Celery tasks about people; each makes one call."""

from django.utils import timezone

from accounts import notices, webhooks
from config.celery import short_task


@short_task(time_limit_s=120)
def mail_notices() -> None:
    notices.mail_waiting(now=timezone.now())


@short_task(time_limit_s=90)
def deliver_webhooks() -> None:
    webhooks.deliver_waiting(now=timezone.now())
