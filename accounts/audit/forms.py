"""The filter form of the audit log."""

from collections.abc import Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _


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
    action = forms.ChoiceField(label=_("Action"), required=False)
    target_type = forms.ChoiceField(label=_("Object"), required=False)
    target_id = forms.IntegerField(label=_("Number"), required=False, min_value=1)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        actions: Iterable[tuple[str, str]],
        target_types: Iterable[tuple[str, str]],
    ) -> None:
        super().__init__(data)
        everything = [("", _("All"))]
        self.fields["action"].choices = [*everything, *actions]  # type: ignore[attr-defined]
        self.fields["target_type"].choices = [*everything, *target_types]  # type: ignore[attr-defined]
