"""Marks strings for translation without importing Django."""


def _(text: str) -> str:
    """Marks a string for translation; pages translate it when they show it."""
    return text
