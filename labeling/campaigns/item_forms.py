"""The filter form of a campaign's list of items."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Pass


class ItemFilterForm(forms.Form):
    """Filters by status and skip reason."""

    STATUSES = [
        ("", _("Any")),
        ("untouched", _("No answers yet")),
        ("started", _("Some answers")),
        ("finished", _("All answers")),
        ("skipped", _("Skipped by someone")),
        ("calibration", _("Answered by everyone")),
        ("repeats", _("Repeated")),
        ("held", _("On hold")),
    ]
    status = forms.ChoiceField(label=_("State"), required=False, choices=STATUSES)
    reason = forms.ChoiceField(
        label=_("Skip reason"), required=False, choices=[("", _("Any")), *Pass.Reason.choices]
    )

    def value(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")
