"""The field in which an admin chooses sources."""

from typing import TYPE_CHECKING, Any

from django import forms

from labeling.models import Source
from pages.form_parts import chips

# Django's fields are generic only in the stubs.
if TYPE_CHECKING:
    SourcesField = forms.ModelMultipleChoiceField[Source]
else:
    SourcesField = forms.ModelMultipleChoiceField


class SourceChoice(SourcesField):
    """Sources as checkboxes with the names that they are known by."""

    def __init__(self, **options: Any) -> None:
        options = {"required": False, "widget": chips()} | options
        super().__init__(Source.objects.none(), **options)

    def label_from_instance(self, obj: Source) -> str:
        return obj.known_as
