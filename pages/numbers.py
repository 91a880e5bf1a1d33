"""Numbers as text, in the reader's language."""

from django.utils.formats import number_format


def grouped(number: float) -> str:
    """`12345` → "12,345", or "12.345" in German."""
    return number_format(number, use_l10n=True, force_grouping=True)
