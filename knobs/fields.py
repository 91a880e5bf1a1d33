"""What a knob is: a field of a frozen dataclass with its default, label, help and limits."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _(text: str) -> str:
    """Marks a text for translation without Django; the page translates it when it is shown."""
    return text


def knob(
    default: object,
    label: str,
    help: str,  # noqa: A002 the word that forms use
    *,
    unit: str = "",
    min: float | None = None,  # noqa: A002
    max: float | None = None,  # noqa: A002
    choices: Mapping[str, str] | None = None,
    is_advanced: bool = False,
    is_last: bool = False,
    while_open: bool = False,
    api: str = "",
) -> Any:
    """A field of a config. `is_last`: shown after the kind's own fields, although a base class
    defines it. `while_open`: may still change while a campaign is open. `api`: its help there, if
    the form's would not do. `max` of a text without choices: its most characters.
    """
    metadata = {
        "label": label,
        "help": help,
        "unit": unit,
        "min": min,
        "max": max,
        "choices": choices,
        "is_advanced": is_advanced,
        "is_last": is_last,
        "while_open": while_open,
        "api": api,
    }
    return dataclasses.field(default=default, metadata=metadata)


def override(base: type, name: str, **changes: object) -> Any:
    """The base class's knob with `changes`: its default, label, help or limits."""
    inherited = base.__dataclass_fields__[name]  # type: ignore[attr-defined]  # every config is a dataclass
    default = changes.pop("default", inherited.default)
    return dataclasses.field(default=default, metadata={**inherited.metadata, **changes})


@dataclass(frozen=True)
class Knob:
    """A field of a config as a form or the docs show it. `type` is that of its values: str, int,
    float, bool, Decimal or an enum.
    """

    name: str
    type: type
    default: object
    label: str
    help: str
    unit: str
    min: float | None
    max: float | None
    choices: Mapping[str, str] | None
    is_optional: bool
    is_advanced: bool
    is_last: bool
    while_open: bool
    api: str


_WORDS = {"label", "advice"}
"""Values of a problem that are marked for translation themselves."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; `field` is "" for the config as a whole."""

    field: str
    text: str
    """marked for translation, with placeholders for `values`"""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """In English, for the child process, which has no translations."""
        return self.sentence_in(str)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        values = dict(self.values)
        for name in values.keys() & _WORDS:
            values[name] = translate(values[name])
        return translate(self.text) % values


def knobs_of(settings: type) -> tuple[Knob, ...]:
    """In display order."""
    hints = typing.get_type_hints(settings)
    knobs = []
    for entry in dataclasses.fields(settings):
        hint = hints[entry.name]
        is_optional = isinstance(hint, types.UnionType)
        plain = (
            next(part for part in typing.get_args(hint) if part is not type(None))
            if is_optional
            else hint
        )
        knobs.append(
            Knob(
                name=entry.name,
                type=plain,
                default=entry.default,
                is_optional=is_optional,
                **entry.metadata,
            )
        )
    return tuple(sorted(knobs, key=lambda knob: knob.is_last))
