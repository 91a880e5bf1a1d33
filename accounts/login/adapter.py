"""Hooks for django-allauth: sign-up is closed, and error messages use our own wording."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ClosedSignup(DefaultAccountAdapter):
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
