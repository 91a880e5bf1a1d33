"""Every setting read from the environment, declared once. An invalid value stops the start with a
clear message.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


@dataclass(frozen=True)
class Knob:
    """One environment variable: its name, its default (as written) and what it does."""

    name: str
    default: str | None
    help: str


KNOBS: dict[str, Knob] = {}


def _read(name: str, default: str | None, help: str, cast: Callable[[str], T], wanted: str) -> T:
    KNOBS[name] = Knob(name, default, help)
    raw = os.environ.get(name, default)
    if raw is None:
        raise ImproperlyConfigured(f"{name} is not set. {help}")
    try:
        return cast(raw)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name}={raw!r} is not {wanted}. {help}") from error


def text(name: str, help: str, default: str | None = None) -> str:
    return _read(name, default, help, str, "text")


def currency(name: str, help: str, default: str) -> str:
    return _read(name, default, help, _to_currency, "a currency code of three capital letters")


def secret(name: str, help: str, default: str | None = None) -> str:
    """Random text. Too weak a secret stops the start, and the message does not show it."""
    value = text(name, help, default)
    if len(value) < 32 or len(set(value)) < 8:
        raise ImproperlyConfigured(
            f"{name} is too short or too uniform to be a secret. {help} For example, from"
            ' python -c "import secrets; print(secrets.token_urlsafe(50))".'
        )
    return value


def integer(name: str, help: str, default: str | None = None, *, least: int | None = None) -> int:
    if least is None:
        return _read(name, default, help, int, "a whole number")
    return _read(name, default, help, _at_least(least), f"a whole number from {least} on")


def flag(name: str, help: str, default: str | None = None) -> bool:
    return _read(name, default, help, to_bool, "a yes or a no (1, 0, true, false)")


def words(name: str, help: str, default: str | None = None) -> list[str]:
    """A comma-separated list without blanks."""
    return _read(
        name,
        default,
        help,
        lambda raw: [part.strip() for part in raw.split(",") if part.strip()],
        "a list",
    )


def networks(name: str, help: str, default: str | None = None) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks or single addresses."""
    return _read(
        name,
        default,
        help,
        lambda raw: [ip_network(part.strip()) for part in raw.split(",") if part.strip()],
        "a list of networks, such as 10.0.0.0/8",
    )


def all_named(prefix: str, help: str) -> dict[str, str]:
    """All variables whose names start with `prefix`."""
    KNOBS[f"{prefix}…"] = Knob(f"{prefix}…", "", help)
    return {name: value for name, value in os.environ.items() if name.startswith(prefix)}


def groups(prefix: str, fields: Iterable[Knob]) -> dict[str, dict[str, str]]:
    """Groups of variables PREFIX<NAME>_<FIELD>: the values of each group by field, the groups by
    name in lower case. A field without a default has to be set in each group.
    """
    known = {field.name: field for field in fields}
    for field in known.values():
        knob = f"{prefix}<NAME>_{field.name}"
        KNOBS[knob] = Knob(knob, field.default, field.help)
    by_name: dict[str, dict[str, str]] = {}
    for variable in sorted(name for name in os.environ if name.startswith(prefix)):
        name, field_name = _parts(variable.removeprefix(prefix), known)
        if not name:
            raise ImproperlyConfigured(
                f"{variable} is not a setting. After {prefix} comes a name of letters and digits,"
                f" then one of: {', '.join(known)}."
            )
        by_name.setdefault(name.lower(), {})[field_name] = os.environ[variable]
    return {
        name: _complete(f"{prefix}{name.upper()}_", known, values)
        for name, values in by_name.items()
    }


def choice(name: str, help: str, options: tuple[str, ...], default: str | None = None) -> str:
    return _read(
        name,
        default,
        help,
        lambda raw: dict(zip(options, options, strict=True))[raw],
        f"one of {', '.join(options)}",
    )


def _at_least(least: int) -> Callable[[str], int]:
    def cast(raw: str) -> int:
        if int(raw) < least:
            raise ValueError(raw)
        return int(raw)

    return cast


def _parts(rest: str, known: dict[str, Knob]) -> tuple[str, str]:
    """NAME and FIELD of NAME_FIELD; two empty strings if it is neither."""
    name, _separator, field = rest.partition("_")
    return (name, field) if re.fullmatch("[A-Z0-9]+", name) and field in known else ("", "")


def _complete(prefix: str, known: dict[str, Knob], values: dict[str, str]) -> dict[str, str]:
    for field in known.values():
        if field.default is None and not values.get(field.name):
            raise ImproperlyConfigured(f"{prefix}{field.name} is not set. {field.help}")
    return {field.name: values.get(field.name, field.default or "") for field in known.values()}


def _to_currency(raw: str) -> str:
    if not re.fullmatch("[A-Z]{3}", raw):
        raise ValueError(raw)
    return raw


def to_bool(raw: str) -> bool:
    lowered = raw.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(raw)
