"""Forms for people: those an admin fills in about somebody, and those people fill in themselves."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.models import User
from accounts.webhooks import Event
from config.permissions import Scope
from pages.form_parts import chips, segmented

ROLE_CHOICES = [("rater", _("Rater")), ("admin", _("Admin")), ("researcher", _("Researcher"))]
SCOPE_WORDS = {
    Scope.LABELING_READ: _("read judgments, and as an admin campaigns, pools and prompts"),
    Scope.LABELING_WRITE: _("make and steer campaigns, pools and prompts"),
    Scope.TRAINING_READ: _("read runs, models and snapshots"),
    Scope.TRAINING_WRITE: _("start and stop runs, cut snapshots, register models"),
    Scope.WEBHOOKS: _("read webhooks and change their secrets"),
}
LIFE_CHOICES = [(7, _("a week")), (30, _("30 days")), (90, _("90 days")), (365, _("a year"))]
STATE_CHOICES = [("open", _("open")), ("closed", _("closed"))]


def time_zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """tz database time zones by continent, UTC first. People recognise them by city."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, _slash, place = name.partition("/")
        if place and region not in {"Etc", "SystemV", "posix", "right"}:
            regions.setdefault(region, []).append((name, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]


class PersonForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("People sign in with it, and the link to set a password goes there."),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=ROLE_CHOICES,
        widget=chips(),
        help_text=_(
            "Raters judge, admins run pools and campaigns, researchers train. A person may hold"
            " several."
        ),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zone_choices, initial="UTC")
    is_active = forms.BooleanField(
        label=_("May sign in"),
        required=False,
        initial=True,
        help_text=_("Closing a login keeps everything that the person did."),
    )

    def __init__(self, *args: Any, person: User | None = None, **kwargs: Any) -> None:
        if person is not None:
            kwargs["initial"] = {
                "name": person.name,
                "email": person.email,
                "roles": sorted(person.roles),
                "time_zone": person.time_zone,
                "is_active": person.is_active,
            }
        super().__init__(*args, **kwargs)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zone_choices,
        help_text=_("Every time on the site is shown in it."),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, widget=segmented()
    )

    class Meta:
        model = User
        fields = ["name", "time_zone", "language"]


class TokenForm(forms.Form):
    """An API token, limited to what the person's roles open."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What it is for, so that you know which one to revoke."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one thing that it may do.")},
    )
    n_days = forms.TypedChoiceField(
        label=_("It lives for"), coerce=int, choices=LIFE_CHOICES, initial=90
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (scope.value, SCOPE_WORDS[scope]) for scope in access.scopes_of(user.roles)
        ]


class WebhookForm(forms.Form):
    """A webhook's URL and its events."""

    name = forms.CharField(label=_("Name"), max_length=100)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Such as https://hooks.example.org/told. Each event is posted there."),
    )
    events = forms.MultipleChoiceField(
        label=_("It is told when"),
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (Event.RUN_QUEUED, _("a run joins the line")),
            (Event.RUN_STARTED, _("a node begins a run, or goes on with it")),
            (Event.RUN_FINISHED, _("a run ends, whatever the outcome")),
            (Event.CAMPAIGN_CHANGED, _("a campaign opens, pauses or closes")),
            (Event.JUDGMENT_GIVEN, _("a judgment is given or corrected")),
        ],
        error_messages={"required": _("Choose at least one event.")},
    )


class PeopleFilter(forms.Form):
    """Filters for the list of people, from the query string."""

    q = forms.CharField(
        label=_("Name or e-mail"), required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", _("all")), *ROLE_CHOICES]
    )
    state = forms.ChoiceField(
        label=_("Login"), required=False, choices=[("", _("all")), *STATE_CHOICES]
    )


class AuditFilter(forms.Form):
    """Filters for the audit log, from the query string. The choices are the values found in the
    log.
    """

    words = forms.CharField(
        label=_("Name or value"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    by = forms.CharField(
        label=_("Who"), required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    action = forms.ChoiceField(label=_("What"), required=False)
    target_type = forms.ChoiceField(label=_("On what"), required=False)
    target_id = forms.IntegerField(label=_("Number"), required=False, min_value=1)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(
        self,
        *args: Any,
        actions: Iterable[tuple[str, str]],
        target_types: Iterable[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        everything = [("", _("all"))]
        self.fields["action"].choices = [*everything, *actions]  # type: ignore[attr-defined]
        self.fields["target_type"].choices = [*everything, *target_types]  # type: ignore[attr-defined]
