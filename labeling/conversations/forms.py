"""The rater's next message, and the questions at the end of a conversation."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.conversations import turns
from pages.form_parts import segmented


class MessageForm(forms.Form):
    number = forms.IntegerField(min_value=1, max_value=50, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Your message"),
        max_length=turns.MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "autofocus": True}),
        error_messages={"required": _("The message is empty. Write one.")},
    )


class FinishForm(forms.Form):
    goal_rating = forms.TypedChoiceField(
        label=_("How well did the conversation reach its goal?"),
        choices=[*((str(n), str(n)) for n in range(1, 8)), ("", _("No answer"))],
        coerce=int,
        empty_value=None,
        required=False,
        initial="",
        widget=segmented(),
        help_text=_("1: not at all. 7: completely."),
    )
    remark = forms.CharField(label=_("Remarks"), required=False, max_length=2000)

    def __init__(self, *args: Any, is_main: bool = False, **options: Any) -> None:
        """`is_main`: nothing else is left to do on the page."""
        super().__init__(*args, **options)
        self.fields["goal_rating"].widget.attrs["autofocus"] = is_main
