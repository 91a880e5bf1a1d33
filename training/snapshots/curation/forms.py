"""The form that sends a sample of documents to raters."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Pool
from pages.form_parts import choose_the_only_one, offer_rows
from training.snapshots.curation import ratings


class RateForm(forms.Form):
    pool = forms.ModelChoiceField(
        label=_("Pool of raters"), queryset=Pool.objects.none(), empty_label=_("Choose a pool")
    )
    n = forms.IntegerField(
        label=_("Removed documents"),
        min_value=1,
        max_value=ratings.MOST,
        initial=ratings.USUAL_N,
        help_text=_("Each is shown beside a document that the recipe kept."),
    )
    overlap = forms.IntegerField(label=_("Raters per pair"), min_value=1, max_value=20, initial=3)

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        offer_rows(self.fields["pool"], Pool.objects.order_by("name"))
        choose_the_only_one(self.fields["pool"])
