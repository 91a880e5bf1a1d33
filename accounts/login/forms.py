"""django-allauth's forms, adapted to our pages (ACCOUNT_FORMS in settings)."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.utils.translation import gettext_lazy as _


class _Plain:
    """Removes allauth's placeholders, which repeat the label."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["login"].widget.attrs["autofocus"] = True
        # The link to reset the password is next to the button.
        self.fields["password"].help_text = ""


class ResetPasswordForm(_Plain, allauth_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(_Plain, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(_Plain, allauth_forms.ChangePasswordForm):
    pass


class SetPasswordForm(_Plain, allauth_forms.SetPasswordForm):
    pass


class ReauthenticateForm(_Plain, allauth_forms.ReauthenticateForm):
    pass
