"""Names are one line, wherever they are entered."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.urls import get_resolver
from rest_framework import serializers

from accounts.api.fields import Name
from pages.form_parts import NameField

TWO_LINES = "a\r\nBcc: x@example.org"
WITHOUT_A_PERSONS_NAME = {"QuestionForm"}
"""Its name is made from the first label."""


def below(kind: Any) -> Iterator[Any]:
    """Our own classes that stand on it."""
    assert get_resolver().url_patterns, "loads every page and every call of the API"
    for one in kind.__subclasses__():
        if one.__module__.startswith(("accounts.", "labeling.", "training.")):
            yield one
        yield from below(one)


def test_every_form_takes_a_name_of_one_line_only() -> None:
    named = {
        form.__qualname__: form.base_fields["name"]
        for form in below(forms.BaseForm)
        if "name" in form.base_fields and not form.__module__.endswith("styleguide")
    }

    assert len(named) > 12
    assert {
        name for name, field in named.items() if not isinstance(field, NameField)
    } == WITHOUT_A_PERSONS_NAME


def test_every_call_takes_a_name_of_one_line_only() -> None:
    written = {
        one.__qualname__: one._declared_fields["name"]
        for one in below(serializers.BaseSerializer)
        if one.__name__.startswith("New") and "name" in getattr(one, "_declared_fields", {})
    }

    assert len(written) > 4
    assert {name for name, field in written.items() if not isinstance(field, Name)} == set()


@pytest.mark.parametrize("name", [TWO_LINES, "a\tb", "a\x1b[31mb", "a\u2028b", "a\x85b"])
def test_control_characters_are_refused(name: str) -> None:
    with pytest.raises(forms.ValidationError, match="one line"):
        NameField().clean(name)
    with pytest.raises(serializers.ValidationError, match="one line"):
        Name(max_length=100).run_validation(name)


@pytest.mark.parametrize("name", ["Über „uns“ – 日本語 👩‍💻", "  trimmed \n"])
def test_every_other_name_is_taken(name: str) -> None:
    assert NameField().clean(name) == Name(max_length=100).run_validation(name) == name.strip()
