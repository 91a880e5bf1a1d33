"""Parses form text or JSON as the value of a knob, and says what is wrong with it."""

import math
from typing import Any

from training.configs.knobs import Knob


def read(knob: Knob, raw: Any) -> tuple[Any, str]:
    """(value, "") or (None, what is wrong)."""
    if raw is None or raw == "":
        return (
            (None, "")
            if knob.is_optional
            else (None, f"{knob.label} is empty. The default is {shown(knob.default)}.")
        )
    if knob.type is bool:
        return _read_flag(knob, raw)
    if knob.type is str:
        return _read_choice(knob, raw)
    return _read_number(knob, raw)


def _read_flag(knob: Knob, raw: Any) -> tuple[Any, str]:
    flags = {True: True, False: False, "true": True, "on": True, "false": False, "off": False}
    key = raw.lower() if isinstance(raw, str) else raw
    if isinstance(key, bool | str) and key in flags:
        return flags[key], ""
    return None, f"{knob.label} is {shown(raw)}, and must be true or false."


def _read_choice(knob: Knob, raw: Any) -> tuple[Any, str]:
    choices = knob.choices or {}
    if isinstance(raw, str) and raw in choices:
        return raw, ""
    return None, f"{knob.label} is {shown(raw)}, and must be one of: {', '.join(choices)}."


def _read_number(knob: Knob, raw: Any) -> tuple[Any, str]:
    noun = "a whole number" if knob.type is int else "a number"
    value = _number(raw)
    if value is None or (knob.type is int and not value.is_integer()):
        return None, f"{knob.label} is {shown(raw)}, and must be {noun}."
    if (knob.min is not None and value < knob.min) or (knob.max is not None and value > knob.max):
        unit = f" {knob.unit}" if knob.unit else ""
        return (
            None,
            (
                f"{knob.label} is {shown(raw)}, and must lie between {shown(knob.min)} and"
                f" {shown(knob.max)}{unit}."
            ),
        )
    return knob.type(value), ""


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
