"""The estimated cost of a campaign in judgments, hours and money, before anything is judged."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from labeling.models import Campaign, Pool
from labeling.queue.spending.prices import price, rate_of
from labeling.queue.spending.time_estimates import typical_seconds


@dataclass(frozen=True)
class Estimate:
    """An estimate from the least to the most judgments, with the seconds of one judgment."""

    n_least: int
    n_most: int
    seconds: float
    n_similar: int
    """number of judgments in similar campaigns that `seconds` is from; 0 if it is from reading
    speed
    """
    amount_least: Decimal | None
    amount_most: Decimal | None
    currency: str

    @property
    def hours_least(self) -> float:
        return self.n_least * self.seconds / 3600

    @property
    def hours_most(self) -> float:
        return self.n_most * self.seconds / 3600


def estimate(
    *,
    kind: str,
    n_responses: int | None,
    pool: Pool | None,
    n_items: int,
    overlap: int,
    max_overlap: int | None = None,
    calibration_percent: int = 0,
    repeat_percent: int = 0,
    gold_share: int = 0,
    n_golds: int | None = None,
    now: datetime,
) -> Estimate:
    """The cost of a campaign with these settings, without creating it. Golds are paid like any
    other item.

    A rater gets each of `n_golds` at most once; with None, as many golds as the share asks for.
    """
    n_raters = pool.memberships.filter(is_active=True).count() if pool else 0
    n_calibration = -(-n_items * calibration_percent // 100)
    n_plain = n_items - n_calibration
    n_repeats = -(-n_plain * repeat_percent // 100)
    n_everybody = n_calibration * n_raters
    n_least = n_plain * overlap + n_everybody + n_repeats * overlap
    n_most = n_plain * (max_overlap or overlap) + n_everybody + n_repeats * (max_overlap or overlap)
    most_golds = n_golds * n_raters if n_golds is not None else None
    n_least, n_most = (n + _n_golds(n, gold_share, most_golds) for n in (n_least, n_most))
    seconds, n_similar = typical_seconds(kind=kind, n_responses=n_responses)
    rate = rate_of(pool=pool, kind=kind, now=now) if pool else None
    return Estimate(
        n_least=n_least,
        n_most=n_most,
        seconds=seconds,
        n_similar=n_similar,
        amount_least=price(rate=rate, n_judgments=n_least, active_s=n_least * seconds),
        amount_most=price(rate=rate, n_judgments=n_most, active_s=n_most * seconds),
        currency=rate.currency if rate else "",
    )


def _n_golds(n_others: int, share: int, most: int | None) -> int:
    """Number of golds to hand out with `n_others` other items, where `share` is a percentage of all
    items.
    """
    n = round(n_others * share / (100 - share))
    return n if most is None else min(n, most)


def estimate_of(*, campaign: Campaign, now: datetime) -> Estimate:
    n_turns = campaign.conversation_plan.min_turns if campaign.about.talks else 1
    return estimate(
        kind=campaign.about.answer,
        n_responses=campaign.n_responses,
        pool=campaign.pool,
        n_items=campaign.items.filter(repeat_of=None, gold_use=None, is_turn=False).count()
        * n_turns,
        overlap=campaign.overlap,
        max_overlap=campaign.max_overlap,
        calibration_percent=campaign.calibration_percent,
        repeat_percent=campaign.repeat_percent,
        gold_share=campaign.gold_share,
        n_golds=campaign.golds.filter(gold__retired_at=None).count() or None,
        now=now,
    )
