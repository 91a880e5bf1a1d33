"""Hooks for django-allauth: sign-up is closed, limits are for each client, log-ins are recorded,
and error messages use our own wording.
"""

import logging
from functools import cache
from typing import Any
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.internal.httpkit import clean_client_ip
from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit_log
from accounts.login import browser_sessions, encryption, second_factor
from accounts.models import User
from accounts.notices import mail

logger = logging.getLogger(__name__)

RECORDED = {
    "account/email/password_changed": "change_password",
    "account/email/password_reset": "change_password",
    "account/email/password_set": "change_password",
    "mfa/email/recovery_codes_generated": "new_recovery_codes",
    "mfa/email/totp_activated": "two_factor_on",
    "mfa/email/totp_deactivated": "two_factor_off",
    "mfa/email/webauthn_added": "passkey_added",
    "mfa/email/webauthn_removed": "passkey_removed",
}
"""What allauth tells a person by mail, and its action in the audit log"""


METHODS = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
}
"""Ways to confirm who one is, by allauth's names"""


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

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        browser_sessions.begin(
            session=request.session,
            user=user,
            address=_address(request),
            user_agent=request.headers.get("User-Agent", ""),
            now=timezone.now(),
        )
        provider = second_factor.provider_of(request)
        after = {"provider": provider.name} if provider is not None else {}
        audit_log.record(user, "log_in", user, after=after, now=timezone.now())

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The log-in page offers to log out at the provider too."""
        url: str = super().get_logout_redirect_url(request)
        provider = second_factor.provider_of(request)
        return f"{url}?left={provider.name}" if provider is not None else url

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Only for an address that has an account: people type passwords into the wrong field."""
        user = User.objects.filter(email__iexact=credentials.get("email", "")).first()
        if user is not None:
            record_failure(user)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Names the person, who is not logged in yet when a link sets the password."""
        if action := RECORDED.get(template_prefix):
            audit_log.record(user, action, user, now=timezone.now())
        named = {"user": user} | (context or {})
        super().send_notification_mail(template_prefix, user, named, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = allauth_context.request
        about = {"request": request, "email": email, "current_site": get_current_site(request)}
        made = self.render_mail(template_prefix, email, about | context)
        mail.post_on_commit(mail.Letter(email, made.subject, str(made.body)))

    def is_reauthentication_required(self, *, app: str | None = None) -> bool:
        """On a site without passwords, only people with a second factor can confirm who they
        are.
        """
        if settings.PASSWORDS:
            return bool(super().is_reauthentication_required(app=app))
        return second_factor.is_set_up(allauth_context.request.user)

    def get_reauthentication_methods(self, user: object) -> list[dict[str, object]]:
        methods = super().get_reauthentication_methods(user)
        return [
            method | {"description": METHODS[method["id"]]}
            for method in methods
            if settings.PASSWORDS or method["id"] != "reauthenticate"
        ]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client's address. An unknown one counts as a client of its own at each request: the
        address of a proxy would be one client for everybody, whom anybody could lock out.
        """
        return _address(request) or f"unknown-{uuid4()}"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: object) -> str:
        """Failures count for a person at a client, so that nobody locks a person out from
        elsewhere. If the client is unknown, they count for the person.
        """
        person: str = super()._get_login_attempts_cache_key(request, **credentials)
        client = _address(request)
        return f"{person}:{truncate_ip(client)}" if client else person


class TwoFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("Wrong code. Codes change every 30 seconds: enter the current one."),
    }

    def generate_authenticator_name(self, user: User, _type: object) -> str:
        return gettext("Passkey of %(day)s") % {"day": date_format(timezone.localdate())}

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)


def record_failure(user: User) -> None:
    audit_log.record(None, "log_in_failed", user, now=timezone.now())


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
    valid_address: str | None = clean_client_ip(address)
    return valid_address


@cache
def _warn() -> None:
    """Once for each process: anybody may cause it."""
    logger.warning(
        "X-Forwarded-For does not name %d proxies, so log-ins are not limited for each client. See"
        " PREFERABLY_PROXIES.",
        settings.PROXIES,
    )
