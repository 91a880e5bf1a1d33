"""The form that puts attacks to use."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Attack


class UseForm(forms.Form):
    attacks = forms.ModelMultipleChoiceField(
        label=_("Attacks"),
        queryset=Attack.objects.none(),
        error_messages={"required": _("Select at least one attack.")},
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, offered: list[Attack]) -> None:
        super().__init__(data)
        field = self.fields["attacks"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Attack.objects.filter(pk__in=[attack.pk for attack in offered])
