"""What work costs at the rate in force at its time."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from labeling.models import Pool, Rate
from labeling.queue.spending import money

ROUNDING_ERROR = Decimal("1e-6")
"""Largest error in minor units when many fractions of an hour are added up. It must not decide how
half a cent is rounded.
"""


def rate_of(*, pool: Pool | int, kind: str, now: datetime) -> Rate | None:
    """The pool's rate for this kind of work at `now`."""
    return (
        Rate.objects.filter(pool=pool, kind=kind, valid_from__lte=now)
        .order_by("-valid_from")
        .first()
    )


def price(*, rate: Rate | None, n_judgments: int, active_s: float) -> Decimal | None:
    """In the currency's minor units, rounded; None without a rate."""
    if rate is None:
        return None
    return money.whole(exact_price(rate=rate, n_judgments=n_judgments, active_s=active_s))


def exact_price(*, rate: Rate, n_judgments: int, active_s: float) -> Decimal:
    """In minor units, not rounded: add amounts up first, then round."""
    return rate.amount * (
        n_judgments if rate.basis == Rate.Basis.ITEM else Decimal(str(active_s)) / 3600
    )


def round_amount(amount: Decimal) -> Decimal:
    return money.whole(amount.quantize(ROUNDING_ERROR, rounding=ROUND_HALF_UP))
