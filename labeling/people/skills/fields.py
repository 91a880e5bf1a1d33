"""Form fields for languages and topics."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt

LANGUAGE_CODE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})?")


class WordsField(forms.CharField):
    """A comma-separated list of words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=1000, **options)

    def prepare_value(self, value: object) -> object:
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def clean(self, value: object) -> list[str]:
        text = super().clean(value)
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            if len(word) > 64:
                raise ValidationError(
                    _("“%(word)s” is longer than 64 characters."), params={"word": word[:30]}
                )
        return list(dict.fromkeys(words))


class LanguagesField(WordsField):
    def clean(self, value: object) -> list[str]:
        codes = super().clean(value)
        for code in codes:
            if not LANGUAGE_CODE.fullmatch(code):
                raise ValidationError(
                    _("“%(word)s” is not a language code. Use a code such as en, de or pt-BR."),
                    params={"word": code},
                )
        return codes


def as_topic(word: str) -> str:
    """The code of a category given by code or label; any other tag unchanged."""
    for code, label in Prompt.Category.choices:
        if word.lower() in {code, str(label).lower()}:
            return code
    return word
