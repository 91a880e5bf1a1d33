"""Forms about upsetting content: what a rater agrees to see, and what may upset in a prompt."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.form_parts import chips


class UpsettingForm(forms.Form):
    """Kinds of upsetting content; none ticked is an answer too."""

    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        choices=Prompt.Upset.choices,
        required=False,
        widget=chips(),
    )
