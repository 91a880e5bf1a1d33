"""Parses form text or JSON as the value of a knob, and says what is wrong with it."""

import math

from knobs.fields import Knob, Problem, _


def read(knob: Knob, raw: object) -> tuple[object, Problem | None]:
    """(value, None) or (None, what is wrong)."""
    if raw is None or raw == "":
        if knob.is_optional:
            return None, None
        text = _("%(label)s is empty. The default is %(default)s.")
        return None, Problem(knob.name, text, {"label": knob.label, "default": shown(knob.default)})
    if knob.type is bool:
        return _read_flag(knob, raw)
    if knob.type is str:
        return _read_choice(knob, raw) if knob.choices else _read_text(knob, raw)
    return _read_number(knob, raw)


def _read_flag(knob: Knob, raw: object) -> tuple[object, Problem | None]:
    flags = {True: True, False: False, "true": True, "on": True, "false": False, "off": False}
    key = raw.lower() if isinstance(raw, str) else raw
    if isinstance(key, bool | str) and key in flags:
        return flags[key], None
    return None, _problem(knob, raw, _("%(label)s is %(value)s but must be true or false."))


def _read_choice(knob: Knob, raw: object) -> tuple[object, Problem | None]:
    choices = knob.choices or {}
    if isinstance(raw, str) and raw in choices:
        return raw, None
    text = _("%(label)s is %(value)s but must be one of: %(choices)s.")
    return None, _problem(knob, raw, text, choices=", ".join(choices))


def _read_text(knob: Knob, raw: object) -> tuple[object, Problem | None]:
    """As typed, spaces included."""
    if not isinstance(raw, str):
        return None, _problem(knob, raw, _("%(label)s is %(value)s but must be a text."))
    longest = int(knob.max or 0)
    if len(raw) > longest:
        text = _("%(label)s has %(n)s characters. The most are %(max)s.")
        return None, _problem(knob, raw, text, n=str(len(raw)), max=str(longest))
    if not raw.isprintable():
        text = _("%(label)s is %(value)s but must have no line feeds and no control characters.")
        return None, _problem(knob, raw, text)
    return raw, None


def _read_number(knob: Knob, raw: object) -> tuple[object, Problem | None]:
    is_whole = knob.type is int
    value = _number(raw)
    if value is None or (is_whole and not value.is_integer()):
        text = (
            _("%(label)s is %(value)s but must be a whole number.")
            if is_whole
            else _("%(label)s is %(value)s but must be a number.")
        )
        return None, _problem(knob, raw, text)
    if (knob.min is not None and value < knob.min) or (knob.max is not None and value > knob.max):
        text = _("%(label)s is %(value)s but must be between %(min)s and %(max)s.")
        return None, _problem(knob, raw, text, min=shown(knob.min), max=shown(knob.max))
    return knob.type(value), None


def _problem(knob: Knob, raw: object, text: str, **values: str) -> Problem:
    return Problem(knob.name, text, {"label": knob.label, "value": shown(raw), **values})


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
