"""Hooks for django-allauth: sign-up is closed, limits are for each client, and error messages use
our own wording.
"""

import logging
from functools import cache
from typing import Any
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import clean_client_ip
from allauth.core.internal.ratelimit import truncate_ip
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is closed. Ask an admin to reopen it."),
        "email_password_mismatch": _("Wrong e-mail or password."),
        "too_many_login_attempts": _(
            "Too many failed attempts. Wait five minutes, or reset your password by e-mail."
        ),
        "enter_current_password": _("Your current password is wrong."),
        "incorrect_password": _("Wrong password."),
        "rate_limited": _("Too many requests. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client's address. An unknown one counts as a client of its own at each request: the
        address of a proxy would be one client for everybody, whom anybody could lock out.
        """
        return _address(request) or f"unknown-{uuid4()}"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failures count for a person at a client, so that nobody locks a person out from
        elsewhere. If the client is unknown, they count for the person.
        """
        person: str = super()._get_login_attempts_cache_key(request, **credentials)
        client = _address(request)
        return f"{person}:{truncate_ip(client)}" if client else person


def _address(request: HttpRequest) -> str | None:
    """The client's address, as the outermost of our proxies saw it. Whatever the client itself
    wrote into the header stands before that one.
    """
    if settings.PROXIES == 0:
        return _valid(request.META.get("REMOTE_ADDR", ""))
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    address = _valid(seen[-settings.PROXIES]) if len(seen) >= settings.PROXIES else None
    if address is None:
        _warn()
    return address


def _valid(address: str) -> str | None:
    found: str | None = clean_client_ip(address)
    return found


@cache
def _warn() -> None:
    """Once for each process: anybody may cause it."""
    logger.warning(
        "X-Forwarded-For does not name %d proxies, so log-ins are not limited for each client. See"
        " PREFERABLY_PROXIES.",
        settings.PROXIES,
    )
