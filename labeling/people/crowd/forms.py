"""The form of a crowd link."""

from typing import TYPE_CHECKING

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.models import CrowdLink, Pool
from labeling.people.crowd import selectors
from pages.form_parts import NameField

if TYPE_CHECKING:
    LinkModelForm = forms.ModelForm[CrowdLink]
else:
    LinkModelForm = forms.ModelForm


class CrowdLinkForm(LinkModelForm):
    return_url = forms.URLField(
        label=_("Return URL"),
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=_("The platform's page that accepts the completion code."),
    )

    class Meta:
        model = CrowdLink
        field_classes = {"name": NameField}
        fields = [
            "campaign",
            "name",
            "id_parameter",
            "completion_code",
            "return_url",
            "n_items",
            "n_places",
            "max_minutes",
        ]
        help_texts = {
            "n_places": _(
                "Counts completed visits and visits in progress. Without an answer, a visit keeps"
                " its place for 15 minutes."
            )
        }

    def __init__(self, data: QueryDict | None = None, *, pool: Pool) -> None:
        super().__init__(data)
        field = self.fields["campaign"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = selectors.campaigns_for_links(pool=pool)
        field.empty_label = _("Choose one")
