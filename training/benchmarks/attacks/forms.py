"""The form that sends a sample of attempts to raters."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Pool, Prompt
from pages.form_parts import chips, choose_the_only_one, offer_rows, sentence_case
from training.benchmarks.attacks import sampling


class SampleForm(forms.Form):
    """Call terms() on a valid form."""

    pool = forms.ModelChoiceField(
        label=_("Pool of raters"), queryset=Pool.objects.none(), empty_label=_("Choose a pool")
    )
    n = forms.IntegerField(
        label=_("Attempts"),
        min_value=2,
        max_value=sampling.MOST,
        initial=sampling.USUAL_N,
        help_text=_("Drawn at random. With 100, the interval is usually narrow enough."),
    )
    overlap = forms.IntegerField(
        label=_("Raters per attempt"),
        min_value=1,
        max_value=20,
        initial=sampling.USUAL_OVERLAP,
    )
    sensitive = forms.MultipleChoiceField(
        label=_("Upsetting content"),
        required=False,
        widget=chips(),
        choices=sentence_case(Prompt.Upset.choices),
        help_text=_(
            "Added to the kinds that the areas of the attempts have. Only raters who agreed to all"
            " of them get an attempt."
        ),
    )

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        offer_rows(self.fields["pool"], Pool.objects.order_by("name"))
        choose_the_only_one(self.fields["pool"])

    def terms(self) -> sampling.Terms:
        return sampling.Terms(**self.cleaned_data)
