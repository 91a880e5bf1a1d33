"""Hooks for django-allauth: sign-up is closed, limits are for each client, log-ins are recorded,
and error messages use our own wording.
"""

import logging
from functools import cache
from typing import Any
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import context as allauth_context
from allauth.core.internal.httpkit import clean_client_ip
from allauth.core.internal.ratelimit import RateLimitUsage, truncate_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.core.cache import cache as shared_cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit_log
from accounts.login import browser_sessions, encryption, known_browsers, second_factor
from accounts.models import User
from accounts.notices import mail
from arithmetic import plain_text

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


def _keep_language(request: HttpRequest, user: User) -> None:
    """A person who chose a language in this browser, or logs in for the first time and has not
    chosen any, goes on in the language of the log-in page.
    """
    is_first = user.last_login is None and user.language == settings.LANGUAGE_CODE
    language = translation.get_language()
    if language and (is_first or settings.LANGUAGE_COOKIE_NAME in request.COOKIES):
        user.language = language
        user.save(update_fields=["language"])


class Adapter(DefaultAccountAdapter):
    _guess: RateLimitUsage | None = None
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is closed. Ask an admin to reopen it."),
        "email_password_mismatch": _("Wrong e-mail or password."),
        "too_many_login_attempts": _(
            "Too many failed attempts. Wait five minutes, or reset your password by e-mail."
        ),
        "too_many_guesses": _(
            "Too many failed attempts for this account. Log in from a browser where you have logged"
            " in before, use a passkey, or reset your password by e-mail."
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
        _keep_language(request, user)
        super().login(request, user)
        browser_sessions.begin(
            session=request.session,
            user=user,
            address=address_of(request),
            user_agent=request.headers.get("User-Agent", ""),
            now=timezone.now(),
        )
        provider = second_factor.provider_of(request)
        after = {"provider": provider.name} if provider is not None else {}
        audit_log.record(
            user, "log_in", user, after=after, address=address_of(request), now=timezone.now()
        )

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """What is typed for an address is compared as it is stored, so that no other way to write
        it has a limit of its own.
        """
        email = plain_text.mail_address(credentials.get("email", ""))
        user: User | None = super().authenticate(request, **credentials | {"email": email})
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """A client that has failed too often has nothing compared, so that does not count."""
        super().pre_authenticate(request, **credentials)
        email = credentials.get("email", "")
        person = User.objects.filter(email=email).first()
        self._guess = known_browsers.consume(request, email=email, user=person)
        if not self._guess:
            super()._rollback_login_failed_rl_usage()
            raise self.validation_error("too_many_guesses")

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if self._guess:
            self._guess.rollback()

    def pre_login(self, request: HttpRequest, user: User, **about: object) -> HttpResponse | None:
        refused: HttpResponse | None = super().pre_login(request, user, **about)
        needed = second_factor.provider_needed(user)
        if refused is not None or needed is None or second_factor.provider_of(request, user):
            return refused
        clear_login(request)
        after = {"provider": needed.name, "reason": "local"}
        audit_log.record(
            None,
            "log_in_failed",
            user,
            after=after,
            address=address_of(request),
            now=timezone.now(),
        )
        messages.error(request, _("Log in with %(provider)s.") % {"provider": needed.label})
        return redirect("account_login")

    def post_login(self, request: HttpRequest, user: User, **about: object) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **about)
        known_browsers.remember(request, response, user=user)
        return response

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The log-in page offers to log out at the provider too."""
        url: str = super().get_logout_redirect_url(request)
        provider = second_factor.provider_of(request)
        return f"{url}?left={provider.name}" if provider is not None else url

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """What was typed is not recorded: people type passwords into the wrong field. Who tries
        many addresses that nobody has leaves an entry a minute.
        """
        user = User.objects.filter(email=credentials.get("email", "")).first()
        if user is not None:
            record_failure(user, request)
        else:
            record_failure_of_nobody(request)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, object] | None = None,
        email: str | None = None,
    ) -> None:
        """Names the person, who is not logged in yet when a link sets the password."""
        if action := RECORDED.get(template_prefix):
            address = address_of(allauth_context.request)
            audit_log.record(user, action, user, address=address, now=timezone.now())
        named = {"user": user} | (context or {})
        super().send_notification_mail(template_prefix, user, named, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        request = allauth_context.request
        about = {"request": request, "email": email, "current_site": get_current_site(request)}
        made = self.render_mail(template_prefix, email, about | context)
        mail.post_on_commit(mail.Letter(email, made.subject, str(made.body)))

    def is_reauthentication_required(self, *, app: str | None = None) -> bool:
        """Where a person has no password, only those with a second factor can confirm who they
        are.
        """
        user = allauth_context.request.user
        if second_factor.may_use_password(user):
            return bool(super().is_reauthentication_required(app=app))
        return second_factor.is_set_up(user)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, object]]:
        methods = super().get_reauthentication_methods(user)
        takes_password = second_factor.may_use_password(user)
        return [
            method | {"description": METHODS[method["id"]]}
            for method in methods
            if takes_password or method["id"] != "reauthenticate"
        ]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client's address. An unknown one counts as a client of its own at each request: the
        address of a proxy would be one client for everybody, whom anybody could lock out.
        """
        return address_of(request) or f"unknown-{uuid4()}"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: object) -> str:
        """Failures count for a person at a client, so that nobody locks a person out from
        elsewhere. If the client is unknown, they count for the person.
        """
        person: str = super()._get_login_attempts_cache_key(request, **credentials)
        client = address_of(request)
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


def record_failure(user: User, request: HttpRequest) -> None:
    audit_log.record(None, "log_in_failed", user, address=address_of(request), now=timezone.now())


def record_failure_of_nobody(request: HttpRequest, **after: str) -> None:
    """Of somebody who may be anybody: once a minute for each network and reason."""
    client = truncate_ip(address) if (address := address_of(request)) else "unknown"
    if shared_cache.add(":".join(["unknown-log-in", client, *after.values()]), 1, timeout=60):
        audit_log.record(
            None, "log_in_failed", User(name=""), after=after, address=address, now=timezone.now()
        )


def address_of(request: HttpRequest) -> str | None:
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
