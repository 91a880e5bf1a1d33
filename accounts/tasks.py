"""Celery tasks about people; each makes one call."""

from dataclasses import asdict

from django.utils import timezone

from accounts import audit_log
from accounts.login import browser_sessions, password_links
from accounts.login.sessions import SessionStore
from accounts.notices import mail
from accounts.notices import services as notices_services
from accounts.webhooks import services as webhooks_services
from config.celery import short_task


@short_task(time_limit_s=120)
def mail_notices() -> None:
    notices_services.mail_waiting(now=timezone.now())


MAIL_AGAIN = 10
"""How often a letter is tried again: for about an hour."""


@mail.LETTERS
def send_letters(*, letters: list[dict[str, str]]) -> None:
    """Tries the letters that are left again. Only a worker that dies mails one twice."""
    left = mail.send([mail.Letter(**letter) for letter in letters])
    if left:
        raise send_letters.retry(
            kwargs={"letters": [asdict(letter) for letter in left]},
            countdown=min(30 * 2**send_letters.request.retries, 600),
            max_retries=MAIL_AGAIN,
        )


@password_links.LINKS
def mail_password_link(*, email: str, site: str) -> None:
    """A second run mails a second link, which works as well."""
    password_links.mail_password_link(email=email, site=site)


@short_task(time_limit_s=90)
def deliver_webhooks() -> None:
    webhooks_services.deliver_waiting(now=timezone.now())


@short_task(time_limit_s=3600)
def tidy_by_night() -> None:
    SessionStore.clear_expired()
    browser_sessions.clear_ended()
    audit_log.delete_old(now=timezone.now())
