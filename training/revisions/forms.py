"""The form that sends a share of a run's revisions to raters."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Pool
from pages.form_parts import choose_the_only_one, offer_rows
from training.revisions import services


class AskForm(forms.Form):
    """Call terms() on a valid form."""

    pool = forms.ModelChoiceField(
        label=_("Pool of raters"), queryset=Pool.objects.none(), empty_label=_("Choose a pool")
    )
    guideline = forms.ModelChoiceField(
        label=_("Guideline"),
        queryset=Guideline.objects.none(),
        empty_label=_("Choose a guideline"),
        help_text=_("Raters read it, and answer the questions of its rating form."),
    )
    share = forms.IntegerField(
        label=_("Share of the revisions, in percent"),
        min_value=1,
        max_value=100,
        initial=round(100 * services.USUAL_SHARE),
        help_text=_(
            "Drawn at random, at least ten. With 100 pairs, a share is known to about ten points"
            " either way."
        ),
    )
    overlap = forms.IntegerField(label=_("Raters per pair"), min_value=1, max_value=20, initial=1)

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        offer_rows(self.fields["pool"], Pool.objects.order_by("name"))
        offer_rows(self.fields["guideline"], Guideline.objects.order_by("name"))
        for name in ("pool", "guideline"):
            choose_the_only_one(self.fields[name])

    def terms(self) -> services.Terms:
        data = self.cleaned_data
        return services.Terms(**data | {"share": data["share"] / 100})
