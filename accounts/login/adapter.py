"""Hooks for django-allauth: sign-up is closed, and error messages use our own wording."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ClosedSignup(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This login is closed. Ask an admin to open it again."),
        "email_password_mismatch": _("This e-mail and this password do not belong together."),
        "too_many_login_attempts": _(
            "Too many wrong passwords for this login. Wait five minutes, or set a new password by"
            " mail."
        ),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
        "rate_limited": _("Too many requests. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject
