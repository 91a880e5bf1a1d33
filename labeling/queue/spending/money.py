"""Amounts in a currency's minor units (cents), as Decimal: parsing, rounding and formatting. Pure
arithmetic, no database.
"""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.formats import number_format

DIGITS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "PYG": 0,
    "RWF": 0,
    "TND": 3,
    "UGX": 0,
    "VND": 0,
    "XAF": 0,
    "XOF": 0,
}
"""Number of decimal places of currencies (ISO 4217) that do not have two."""


def digits(currency: str) -> int:
    return DIGITS.get(currency, 2)


def to_minor(major: Decimal, currency: str) -> Decimal:
    """`12.50` EUR → 1250."""
    return major.scaleb(digits(currency))


def to_major(minor: Decimal, currency: str) -> Decimal:
    return minor.scaleb(-digits(currency))


def whole(minor: Decimal) -> Decimal:
    """Rounded to a whole minor unit, half up: an amount that can be paid."""
    return minor.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def words(minor: Decimal, currency: str) -> str:
    """`1250` EUR → “12.50 EUR”, formatted for the active language, with more decimal places only
    for fractions of a cent.
    """
    major = to_major(minor, currency)
    places = digits(currency)
    exact = -int(major.normalize().as_tuple().exponent) if major else 0
    return f"{number_format(major, decimal_pos=max(places, exact), force_grouping=True)} {currency}"
