"""django-allauth's forms, adapted to our pages (ACCOUNT_FORMS in settings)."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.core import context as allauth_context
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.login import adapter, password_links
from accounts.shell import requests
from config.third_party.single_sign_on import Provider
from pages.form_parts import NameField


class _Plain:
    """Removes allauth's placeholders, which repeat the label."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, allauth_forms.LoginForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["login"].widget.attrs["autofocus"] = True
        # The link to reset the password is next to the button.
        self.fields["password"].help_text = ""

    def clean(self) -> dict[str, object]:
        if not settings.PASSWORDS:
            raise forms.ValidationError(_("This site does not use passwords."))
        cleaned: dict[str, object] = super().clean()
        return cleaned

    @property
    def takes_passwords(self) -> bool:
        return bool(settings.PASSWORDS)

    @property
    def providers(self) -> list[Provider]:
        return list(settings.OIDC_PROVIDERS.values())

    @property
    def provider_left(self) -> Provider | None:
        """Where the person who has just logged out here may log out too."""
        provider = settings.OIDC_PROVIDERS.get(self.request.GET.get("left", ""))
        return provider if provider is not None and provider.sign_out_url else None


class ResetPasswordForm(_Plain, allauth_forms.ResetPasswordForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")

    def save(self, request: HttpRequest, **_options: object) -> str:
        """A worker looks for the account and mails it, so that the answer takes as long for an
        address without one.
        """
        email: str = self.cleaned_data["email"]
        site = requests.site_address(request)
        if not password_links.LINKS.send(email=email, site=site):
            password_links.mail_password_link(email=email, site=site)
        return email


class _NewPassword(_Plain):
    """Asks for a new password twice, and says what it must be like."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        first, again = self.fields["password1"], self.fields["password2"]
        first.label, again.label = _("New password"), _("Repeat the new password")
        first.help_text = _(
            "At least 8 characters, not only digits. Not a common password, and nothing like your"
            " name or e-mail."
        )
        again.help_text = ""

    def add_error(self, field: str | None, error: Any) -> None:
        if field == "password2" and not isinstance(error, forms.ValidationError):
            error = _("The two passwords differ. Enter the same one twice.")
        super().add_error(field, error)  # type: ignore[misc]  # the form's, which comes after this class


class ResetPasswordKeyForm(_NewPassword, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(_NewPassword, allauth_forms.ChangePasswordForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        current = self.fields["oldpassword"]
        # The link to reset the password is next to the button.
        current.label, current.help_text = _("Current password"), ""


class SetPasswordForm(_NewPassword, allauth_forms.SetPasswordForm):
    pass


class ReauthenticateForm(_Plain, allauth_forms.ReauthenticateForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Password")


class ActivateTotpForm(_Plain, totp_forms.ActivateTOTPForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _as_code(self.fields["code"], _("Code from the app"))


class AddPasskeyForm(_Plain, webauthn_forms.AddWebAuthnForm):
    """allauth's field “passwordless” asks for a passkey that replaces the password, after a look
    or a PIN; without it, the key is a second factor only.
    """

    name = NameField(
        label=_("Name"), help_text=_("To recognize it, such as “My laptop”."), required=False
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        passwordless = self.fields["passwordless"]
        passwordless.label = _("Log in with it instead of a password")
        passwordless.help_text = _(
            "Your device asks for your fingerprint, face or PIN. Clear this for a security key"
            " without a PIN."
        )
        passwordless.initial = True


class RenamePasskeyForm(_Plain, webauthn_forms.EditWebAuthnForm):
    name = NameField(label=_("Name"))


class AuthenticateByPasskeyForm(_Plain, webauthn_forms.AuthenticateWebAuthnForm):
    """The second step of a log-in, with a passkey in place of a code."""

    def clean_credential(self) -> object:
        try:
            return super().clean_credential()
        except forms.ValidationError:
            adapter.record_failure(self.user, allauth_context.request)
            raise


class _ByCode(mfa_forms.BaseAuthenticateForm):
    def clean_code(self) -> str:
        """Leaves out resetting the password, which does not help after too many wrong codes."""
        try:
            code: str = super().clean_code()
        except forms.ValidationError as problem:
            if problem.code != "too_many_login_attempts":
                raise
            raise forms.ValidationError(
                _("Too many wrong codes. Wait five minutes, then enter the current one."),
                code=problem.code,
            ) from problem
        return code


class AuthenticateForm(_Plain, _ByCode, mfa_forms.AuthenticateForm):
    """The second step of a log-in."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _as_code(self.fields["code"], _("Code from your app, or a recovery code"))

    def _emit_authentication_failed(self, authenticator: object) -> None:
        super()._emit_authentication_failed(authenticator)
        adapter.record_failure(self.user, allauth_context.request)


class ReauthenticateByCodeForm(_Plain, _ByCode, mfa_forms.ReauthenticateForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _as_code(self.fields["code"], _("Code from your app, or a recovery code"))


def _as_code(field: forms.Field, label: Any) -> None:
    field.label = label
    field.widget.attrs |= {"autofocus": True, "autocomplete": "one-time-code"}
