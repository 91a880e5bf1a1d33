"""The filter above a campaign's list of items."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Pass


class ItemFilterForm(forms.Form):
    """The filter bar of a campaign's items."""

    STATUSES = [
        ("", _("any")),
        ("untouched", _("no judgment yet")),
        ("started", _("some judgments")),
        ("finished", _("all judgments")),
        ("skipped", _("skipped by somebody")),
        ("calibration", _("judged by everybody")),
        ("repeats", _("shown again")),
        ("held", _("held")),
    ]
    status = forms.ChoiceField(label=_("State"), required=False, choices=STATUSES)
    reason = forms.ChoiceField(
        label=_("Skipped because"), required=False, choices=[("", _("any")), *Pass.Reason.choices]
    )

    def value(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")
