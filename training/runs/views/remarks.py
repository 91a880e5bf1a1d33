"""The form of a run's tags and remarks."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from pages.edit_conflicts import ConflictCheck
from training.models import Run


class RemarksForm(ConflictCheck, forms.Form):
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=500,
        help_text=_("Separate tags with commas."),
    )
    remarks = forms.CharField(
        label=_("Remarks"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: QueryDict | None = None, *, run: Run) -> None:
        super().__init__(data, initial={"tags": ", ".join(run.tags), "remarks": run.remarks})
