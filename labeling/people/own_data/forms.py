"""The form with which a rater confirms their withdrawal."""

from django import forms
from django.utils.translation import gettext_lazy as _


class WithdrawForm(forms.Form):
    is_sure = forms.BooleanField(label=_("I understand that I can't undo this myself."))
