"""The form of upsetting content: what a rater agrees to see, or what a prompt contains."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.form_parts import chips, sentence_case


class UpsettingForm(forms.Form):
    """Kinds of upsetting content; ticking none is a valid answer."""

    kinds = forms.MultipleChoiceField(
        label=_("Types of content"),
        choices=sentence_case(Prompt.Upset.choices),
        required=False,
        widget=chips(),
    )
