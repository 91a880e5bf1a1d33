"""Widgets, choices and the renderer that all forms share."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BoundField
from django.forms.renderers import TemplatesSetting
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic import plain_text


class FormRenderer(TemplatesSetting):
    """Renders `{{ form }}` and `{{ form.field.as_field_group }}` with our own components."""

    form_template_name = "components/_form.html"
    field_template_name = "components/_field.html"


def refuse_control_characters(name: str) -> None:
    """Names are one line: they stand in subjects of mail, file names and logs."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name):
        raise ValidationError(_("A name is one line of text without control characters."))


class NameField(forms.CharField):
    """The name of an object or a person."""

    default_validators = [refuse_control_characters]


def chips() -> forms.CheckboxSelectMultiple:
    return forms.CheckboxSelectMultiple(attrs={"data-look": "chips"})


def segmented() -> forms.RadioSelect:
    return forms.RadioSelect(attrs={"data-look": "segmented"})


def sentence_case(choices: Iterable[tuple[str, Any]]) -> list[tuple[str, object]]:
    """Choices whose labels start with a capital letter, as options do everywhere. The labels of
    enums are lower case, because sentences use them too.
    """
    return [(value, capfirst(label)) for value, label in choices]


def with_one_more(data: QueryDict, prefix: str) -> QueryDict:
    """The posted data of a formset, with an additional row if the button named `more` for these
    rows was pressed.
    """
    data = data.copy()
    total = plain_text.whole_number(data.get(f"{prefix}-TOTAL_FORMS", ""))
    if data.get("more") == prefix and total is not None:
        data[f"{prefix}-TOTAL_FORMS"] = str(total + 1)
    return data


def offer(field: forms.Field, choices: list[tuple[str, object]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def offer_rows(field: forms.Field, rows: QuerySet[Model]) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


def choose_the_only_one(field: forms.Field | None) -> None:
    """Selects the row of a required field if there is only one."""
    if field is not None and field.required and (row := the_only_one(field)):
        field.initial = row


def the_only_one(field: forms.Field | None) -> Model | None:
    """The row of a field that offers no other one."""
    if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
        rows = field.queryset[:2]
        if len(rows) == 1:
            row: Model = rows[0]
            return row
    return None


def ask_to_choose(field: forms.Field) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.empty_label = gettext("Choose one")


@dataclass(frozen=True)
class ClosedGroup:
    """Fields that are closed on the page while all have their defaults, which `by_default` says in
    words.
    """

    title: str
    by_default: str
    fields: list[BoundField]
    defaults: Mapping[str, object] = field(default_factory=dict)
    """by field, where they are not the fields' initial values"""

    @property
    def is_open(self) -> bool:
        return any(
            is_changed(bound, self.defaults.get(bound.name, bound.field.initial))
            for bound in self.fields
        )


def is_changed(field: BoundField, default: object) -> bool:
    """Whether a field has an error, or another value than `default`."""
    return bool(field.errors) or field.field.has_changed(default, field.value())
