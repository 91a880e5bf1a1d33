"""The form of a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.webhooks.services import Event
from pages.form_parts import NameField


class WebhookForm(forms.Form):
    """A webhook's URL and its events."""

    name = NameField(label=_("Name"), max_length=100)
    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        help_text=_(
            "For example, https://hooks.example.org/events. Each event is sent there by POST."
        ),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (Event.RUN_QUEUED, _("Run queued")),
            (Event.RUN_STARTED, _("Run started or resumed on a node")),
            (Event.RUN_FINISHED, _("Run ended, with any outcome")),
            (Event.CAMPAIGN_CHANGED, _("Campaign opened, paused or closed")),
            (Event.JUDGMENT_GIVEN, _("Answer submitted or corrected")),
            (Event.JUDGMENT_WITHDRAWN, _("Answers withdrawn")),
            (Event.JUDGMENT_SET_ASIDE, _("Answer set aside")),
            (Event.JUDGMENT_RESTORED, _("Answers count again")),
        ],
        error_messages={"required": _("Choose at least one event.")},
    )
