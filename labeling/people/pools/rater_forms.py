"""The form that adds raters to a pool or removes them."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Rater
from pages.form_parts import offer_rows

# Django's forms are generic only in the stubs.
if TYPE_CHECKING:
    GuidelineModelForm = forms.ModelForm[Guideline]
    RatersField = forms.ModelMultipleChoiceField[Rater]
else:
    GuidelineModelForm = forms.ModelForm
    RatersField = forms.ModelMultipleChoiceField


class RaterChoice(RatersField):
    """Raters as checkboxes, with alias and name."""

    def label_from_instance(self, rater: Rater) -> str:
        return f"{rater.alias} · {rater.user}" if rater.user else rater.alias


class RatersForm(forms.Form):
    """Selects raters to add to a pool or remove from it."""

    raters = RaterChoice(
        label=_("Raters"),
        queryset=Rater.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Select at least one rater.")},
    )

    def __init__(self, *args: Any, queryset: QuerySet[Rater], **options: Any) -> None:
        super().__init__(*args, **options)
        offer_rows(self.fields["raters"], queryset)
