"""Celery tasks about people; each makes one call."""

from django.utils import timezone

from accounts.login import password_links
from accounts.notices import services as notices_services
from accounts.webhooks import services as webhooks_services
from config.celery import short_task


@short_task(time_limit_s=120)
def mail_notices() -> None:
    notices_services.mail_waiting(now=timezone.now())


@short_task(time_limit_s=60)
def mail_password_link(*, email: str, site: str) -> None:
    """A second run mails a second link, which works as well."""
    password_links.mail_password_link(email=email, site=site)


@short_task(time_limit_s=90)
def deliver_webhooks() -> None:
    webhooks_services.deliver_waiting(now=timezone.now())
