"""The form for a dataset on a hub."""

from django import forms
from django.utils.translation import gettext_lazy as _


class HubForm(forms.Form):
    repository = forms.CharField(
        label=_("Repository"),
        max_length=200,
        help_text=_("The name of the dataset on the hub, as owner/name."),
    )
    config = forms.CharField(
        label=_("Configuration"),
        max_length=200,
        required=False,
        help_text=_("Leave empty for the default."),
    )
    split = forms.CharField(
        label=_("Split"), max_length=200, required=False, help_text=_("Leave empty for all.")
    )
    revision = forms.CharField(
        label=_("Revision"),
        max_length=200,
        required=False,
        help_text=_("A branch, a tag or a commit. Leave empty for the newest."),
    )
