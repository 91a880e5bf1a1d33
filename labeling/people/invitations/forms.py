"""Forms that invite raters and that accept an invitation."""

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _

from labeling.people.invitations import csv_file
from pages.form_parts import NameField
from pages.time_zones import TimeZoneField

BIGGEST_CSV = 1_000_000


class InviteForm(forms.Form):
    """Invites one person, or many from a file."""

    email = forms.EmailField(label=_("E-mail"), required=False)
    name = NameField(label=_("Name"), max_length=150, required=False)
    file = forms.FileField(
        label=_("Or upload a CSV file"),
        required=False,
        help_text=_(
            "Columns email and name, at most 500 rows. If any row is invalid, nothing is sent."
        ),
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file is None:
            if (
                not cleaned.get("email")
                and "email" not in self.errors
                and "file" not in self.errors
            ):
                self.add_error("email", _("Enter an address or choose a file."))
            elif cleaned.get("email"):
                cleaned["invitees"] = [
                    csv_file.Invitee(cleaned["email"].lower(), cleaned.get("name", ""))
                ]
            return cleaned
        if file.size > BIGGEST_CSV:
            self.add_error("file", _("The file is too large. 500 addresses fit in 1 MB."))
            return cleaned
        parsed = csv_file.invitees_in(file)
        problems = parsed.problems
        for problem in problems[:20]:
            line = _gettext("Line %(line)d: %(sentence)s") % {
                "line": problem.line,
                "sentence": problem.sentence,
            }
            self.add_error("file", line)
        if len(problems) > 20:
            self.add_error("file", _gettext("And %(n)d more lines.") % {"n": len(problems) - 20})
        cleaned["invitees"] = parsed.invitees
        return cleaned


class JoinForm(forms.Form):
    """For people who accept an invitation and have no login yet."""

    name = NameField(label=_("Name"), max_length=150)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Repeat password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    time_zone = TimeZoneField(
        initial="UTC",
        help_text=_("All times on the site are shown in this time zone. Type a city to find it."),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The passwords don't match."))
        return cleaned
