"""Forms for people: those an admin fills in about somebody, and those people fill in themselves."""

from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts import access as accounts_access
from accounts.models import User
from config.api_permissions import Scope
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import NameField, chips, segmented, sentence_case
from pages.time_zones import TimeZoneField

ROLE_CHOICES = [("rater", _("Rater")), ("admin", _("Admin")), ("researcher", _("Researcher"))]


SCOPE_WORDS = {
    Scope.LABELING_READ: _("Read answers; admins can also read campaigns, pools and prompts"),
    Scope.LABELING_WRITE: _("Create and manage campaigns, pools and prompts"),
    Scope.TRAINING_READ: _("Read runs, models and snapshots"),
    Scope.TRAINING_WRITE: _("Start and stop runs, create snapshots, register models"),
    Scope.WEBHOOKS: _("Create, change and delete webhooks; read their messages"),
    Scope.PEOPLE: _("Read names and e-mail addresses, create people, and invite raters"),
}


LIFE_CHOICES = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("1 year"))]


STATE_CHOICES = sentence_case([("open", _("open")), ("closed", _("closed"))])


class PersonForm(ConflictCheck, forms.Form):
    name = NameField(label=_("Name"), max_length=150)
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_(
            "The person logs in with this address. The link to set a password goes there too."
        ),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=ROLE_CHOICES,
        widget=chips(),
        help_text=_(
            "Raters answer, admins run pools and campaigns, researchers train models. A person can"
            " have several roles."
        ),
    )
    time_zone = TimeZoneField(initial="UTC")
    is_active = forms.BooleanField(
        label=_("Can log in"),
        required=False,
        initial=True,
        help_text=_("Closing an account keeps everything the person did."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        person: User | None = None,
        by: User | None = None,
    ) -> None:
        initial: dict[str, object] = {}
        if person is not None:
            initial = {
                "name": person.name,
                "email": person.email,
                "roles": sorted(person.roles),
                "time_zone": person.time_zone,
                "is_active": person.is_active,
            }
        super().__init__(data, initial=initial)
        self.may_create_admin = person is not None or accounts_access.may_make_admins(by=by)
        if not accounts_access.may_make_admins(by=by):
            self.fields["roles"].help_text = _(
                "Raters answer, admins run pools and campaigns, researchers train models. A person"
                " can have several roles. Only superusers make admins."
            )
        if person is not None and not accounts_access.may_manage_login(by=by, person=person):
            self.fields["email"].disabled = True
            self.fields["email"].help_text = _(
                "Only a superuser can change an admin's e-mail address."
            )

    def clean_roles(self) -> list[str]:
        roles: list[str] = self.cleaned_data["roles"]
        if "admin" in roles and not self.may_create_admin:
            raise forms.ValidationError(_("Only a superuser can create an admin."))
        return roles


class ProfileForm(ConflictCheck, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    time_zone = TimeZoneField(
        help_text=_("All times on the site are shown in this time zone. Type a city to find it."),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, widget=segmented()
    )

    class Meta:
        model = User
        fields = ["name", "time_zone", "language"]
        field_classes = {"name": NameField}


class TokenForm(forms.Form):
    """An API token, limited to what the person's roles open."""

    name = NameField(
        label=_("Name"),
        max_length=100,
        help_text=_("What the token is for, so you know which one to revoke."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Select at least one permission.")},
    )
    n_days = forms.TypedChoiceField(
        label=_("Expires after"), coerce=int, choices=LIFE_CHOICES, initial=90
    )

    def __init__(self, data: QueryDict | None = None, *, user: User, prefix: str) -> None:
        super().__init__(data, prefix=prefix)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (scope.value, SCOPE_WORDS[scope]) for scope in accounts_access.scopes_of(user.roles)
        ]


class PeopleFilter(forms.Form):
    """Filters for the list of people, from the query string."""

    q = forms.CharField(
        label=_("Name or e-mail"), required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", _("All")), *ROLE_CHOICES]
    )
    state = forms.ChoiceField(
        label=_("Account"), required=False, choices=[("", _("All")), *STATE_CHOICES]
    )
