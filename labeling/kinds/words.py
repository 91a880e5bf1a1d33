"""The words of settings, for forms made from the table."""

from collections.abc import Iterable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from labeling.kinds import registry


def labels(names: Iterable[str]) -> dict[str, Any]:
    return {name: capfirst(gettext_lazy(registry.knob_of(name).label)) for name in names}


def help_texts(names: Iterable[str]) -> dict[str, Any]:
    helps = {name: registry.knob_of(name).help for name in names}
    return {name: gettext_lazy(text) for name, text in helps.items() if text}
