"""Widgets and choices that all forms share."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext


def chips() -> forms.CheckboxSelectMultiple:
    return forms.CheckboxSelectMultiple(attrs={"data-look": "chips"})


def segmented() -> forms.RadioSelect:
    return forms.RadioSelect(attrs={"data-look": "segmented"})


def offer(field: forms.Field, choices: list[tuple[str, Any]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def offer_rows(field: forms.Field, rows: QuerySet[Any]) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


def ask_to_choose(field: forms.Field) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.empty_label = gettext("Choose one")
