"""The form of a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.webhooks.services import Event


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
