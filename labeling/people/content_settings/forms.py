"""The form of upsetting content: what a rater agrees to see, or what a prompt contains."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import chips, sentence_case


class UpsettingForm(ConflictCheck, forms.Form):
    """Kinds of upsetting content; ticking none is a valid answer."""

    kinds = forms.MultipleChoiceField(
        label=_("Types of content"),
        choices=sentence_case(Prompt.Upset.choices),
        required=False,
        widget=chips(),
        error_messages={"invalid_choice": _("Choose from the types shown.")},
    )
