"""The field for a time zone: typing a part of a city's name finds it."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

NO_PLACES = {"Etc", "SystemV", "posix", "right"}


@cache
def time_zones() -> tuple[str, ...]:
    """Those of the tz database that are named after a place, UTC first."""
    places = (name for name in available_timezones() if "/" in name)
    return "UTC", *sorted(name for name in places if name.partition("/")[0] not in NO_PLACES)


def time_zone_named(typed: str) -> str | None:
    """By its whole name or by its city, in upper or lower case: “new york” is America/New_York.
    None if there is none, or more than one.
    """
    wanted = typed.strip().replace(" ", "_").casefold()
    for read in (str.casefold, lambda name: name.rpartition("/")[2].casefold()):
        names = [name for name in time_zones() if read(name) == wanted]
        if len(names) == 1:
            return names[0]
    return None


class Suggestions(forms.TextInput):
    """A text field that lists what fits while one types."""

    template_name = "components/_suggestions.html"
    choices: object = ()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, value, attrs) | {"suggestions": self.choices}


class TimeZoneField(forms.ChoiceField):
    widget = Suggestions
    default_error_messages = {"invalid_choice": _("Choose a time zone from the list.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Time zone"))
        kwargs.setdefault("help_text", _("Type a city to find it."))
        super().__init__(choices=_choices, **kwargs)

    def to_python(self, value: object) -> str:
        typed = super().to_python(value)
        return time_zone_named(typed) or typed


def _choices() -> list[tuple[str, str]]:
    return [(name, name.rpartition("/")[2].replace("_", " ")) for name in time_zones()]
