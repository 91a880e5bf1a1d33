"""What a call sends, checked by the form of the page that does the same, so that both refuse the
same values in the same words.
"""

from collections.abc import Mapping
from typing import TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

AnyForm = TypeVar("AnyForm", bound=forms.BaseForm)


def filled(
    shown: forms.BaseForm, values: Mapping[str, object], *, names: Mapping[str, str] | None = None
) -> dict[str, object]:
    """The data of a form as the page shows it, with `values` in their fields. Raises
    ValidationError for a value whose field the form does not have. `names`: see `checked`.
    """
    odd = [name for name, value in values.items() if value and name not in shown.fields]
    if odd:
        sentence = _("This does not apply here. Leave it out.")
        raise ValidationError({(names or {}).get(name, name): [sentence] for name in odd})
    return {bound.name: bound.value() for bound in shown} | dict(values)


def checked(form: AnyForm, *, names: Mapping[str, str] | None = None) -> AnyForm:
    """The form, which is valid now. Raises ValidationError. `names`: from a field of the form to
    its name in the call.
    """
    if form.is_valid():
        return form
    called = {NON_FIELD_ERRORS: "non_field_errors", **(names or {})}
    raise ValidationError(
        {
            called.get(name, name): [str(sentence) for sentence in sentences]
            for name, sentences in form.errors.items()
        }
    )
