"""What one judgment costs at the rates of its own time."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from labeling.models import Pool, Rate
from labeling.queue.spending import money

DUST = Decimal("1e-6")


"""Of a minor unit: what adding up many parts of an hour may be off by. It must not decide how half
a cent is rounded.
"""


def rate_of(*, pool: Pool | int, kind: str, now: datetime) -> Rate | None:
    """What the pool pays for this kind of work at `now`."""
    return (
        Rate.objects.filter(pool=pool, kind=kind, valid_from__lte=now)
        .order_by("-valid_from")
        .first()
    )


def price(*, rate: Rate | None, n_judgments: int, active_s: float) -> Decimal | None:
    """In the currency's minor units."""
    if rate is None:
        return None
    return money.whole(exact_price(rate=rate, n_judgments=n_judgments, active_s=active_s))


def exact_price(*, rate: Rate, n_judgments: int, active_s: float) -> Decimal:
    """In minor units and parts of them, to be added up before anything is rounded."""
    return rate.amount * (
        n_judgments if rate.basis == Rate.Basis.ITEM else Decimal(str(active_s)) / 3600
    )


def _whole(amount: Decimal) -> Decimal:
    return money.whole(amount.quantize(DUST, rounding=ROUND_HALF_UP))
