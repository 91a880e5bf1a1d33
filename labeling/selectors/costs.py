"""What a campaign has cost and will cost, in judgments, hours and money; an estimate before
anything is judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Avg, BigIntegerField, Case, Count, Min, Q, QuerySet, Sum, Value, When

from labeling import money
from labeling.models import Campaign, Judgment, Pool, Prompt, Rate, Response, Slot
from labeling.selectors import working_time

LIKE_JUDGMENTS = 2_000
"""The latest judgments of campaigns like this one, from which the seconds of a judgment are
taken.
"""
LIKE_NEEDS = 20
CHARS_PER_S = 20.0
"""Reading for work: some 230 words a minute of five letters and a space."""
JUDGING_S = 15.0
"""For each response, beside reading it: its scales and flags, and its place."""
WRITING_S = 420.0
"""A demonstration, beside reading the prompt: InstructGPT's raters took some minutes."""
TEXTS_READ = 300
DUST = Decimal("1e-6")
"""Of a minor unit: what adding up many parts of an hour may be off by. It must not decide how half
a cent is rounded.
"""


@dataclass(frozen=True)
class Spending:
    """What a campaign's judgments and skips took; `exact` in minor units by currency, not rounded,
    empty where no rate says.

    `has_unpriced`: some of it was done when no rate was in force.
    """

    n_judgments: int
    active_s: float
    exact: Mapping[str, Decimal] = field(default_factory=dict)
    has_unpriced: bool = False

    @property
    def amounts(self) -> dict[str, Decimal]:
        return {currency: _whole(amount) for currency, amount in self.exact.items()}

    @property
    def hours(self) -> float:
        return self.active_s / 3600

    @property
    def words(self) -> str:
        return " + ".join(
            money.words(amount, currency) for currency, amount in sorted(self.amounts.items())
        )


@dataclass(frozen=True)
class Estimate:
    """Before it starts: from the least to the most judgments, the seconds of one, and where these
    are taken from.
    """

    n_least: int
    n_most: int
    seconds: float
    n_like: int
    """judgments of like campaigns behind `seconds`; 0: taken from reading speed"""
    amount_least: Decimal | None
    amount_most: Decimal | None
    currency: str

    @property
    def hours_least(self) -> float:
        return self.n_least * self.seconds / 3600

    @property
    def hours_most(self) -> float:
        return self.n_most * self.seconds / 3600


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


def spending(*, campaign: Campaign, now: datetime | None = None) -> Spending:
    """Counted from the judgments and skips themselves; with `now`, each priced at the rate of its
    own time, as pay is.

    The database adds them up rate by rate: a pool has few rates, and a campaign may have a million
    judgments.
    """
    rates = _rates_until(campaign, now) if now else []
    periods = {rate.pk: rate for rate in rates}
    judged = _by_rate(
        Judgment.objects.filter(campaign=campaign), rates, "submitted_at", working_time.judged_s()
    )
    skipped = _by_rate(
        working_time.skips(Q(campaign=campaign)), rates, "ended_at", working_time.skipped_s()
    )
    # Before anything is judged, the rate in force says the currency of nothing.
    amounts = {rates[0].currency: Decimal(0)} if rates else {}
    n_judgments, active_s, has_unpriced = 0, 0.0, False
    for rate_id in judged.keys() | skipped.keys():
        (n, judged_s), (_n_skips, skipped_s) = (
            judged.get(rate_id, (0, 0.0)),
            skipped.get(rate_id, (0, 0.0)),
        )
        n_judgments, active_s = n_judgments + n, active_s + judged_s + skipped_s
        rate = periods.get(rate_id or 0)
        if rate is None:
            has_unpriced = True
        else:
            amount = exact_price(rate=rate, n_judgments=n, active_s=judged_s + skipped_s)
            amounts[rate.currency] = amounts.get(rate.currency, Decimal(0)) + amount
    return Spending(n_judgments, active_s, amounts, has_unpriced and bool(amounts))


def _rates_until(campaign: Campaign, now: datetime) -> list[Rate]:
    """What the pool has paid for the campaign's work so far, the newest first."""
    found = Rate.objects.filter(pool=campaign.pool_id, kind=campaign.kind, valid_from__lte=now)
    return list(found.order_by("-valid_from"))


def _by_rate(
    rows: QuerySet[Any], rates: Sequence[Rate], at: str, seconds: Any
) -> dict[int | None, tuple[int, float]]:
    """How many rows and seconds fall under each of `rates` (the newest first); None for those
    before the first.

    Rows are told apart only by rates that began after the first of them, which in most campaigns is
    none.
    """
    first_at = rows.aggregate(first_at=Min(at))["first_at"] if rates else None
    later = [rate for rate in rates if first_at is not None and rate.valid_from > first_at]
    at_first = rates[len(later)].pk if len(later) < len(rates) else None
    if not later:
        row = rows.aggregate(n=Count("pk"), s=Sum(seconds))
        return {at_first: (row["n"], row["s"] or 0.0)} if row["n"] else {}
    periods = [When(**{f"{at}__gte": rate.valid_from}, then=Value(rate.pk)) for rate in later]
    period = Case(*periods, default=Value(at_first), output_field=BigIntegerField())
    found = (
        rows.order_by()
        .annotate(period=period)
        .values("period")
        .annotate(n=Count("pk"), s=Sum(seconds))
    )
    return {row["period"]: (row["n"], row["s"] or 0.0) for row in found}


def is_spent(*, campaign: Campaign, now: datetime) -> bool:
    """Whether not even one judgment more fits into the budget. By the campaign's own counters, so
    that asking costs the same after a million judgments.
    """
    return not _fits(campaign=campaign, n_more=1, now=now)


def has_room(*, campaign: Campaign, now: datetime) -> bool:
    """Whether the budget has room for one item more beside all that raters hold, each at what one
    judgment takes.

    Golds in hand count: they are paid as any other. Lapsed leases count until somebody else takes
    them. The caller holds the campaign's row, so that of two claims the second counts what the
    first took.
    """
    if campaign.budget is None:
        return True
    n_held = Slot.objects.filter(campaign=campaign, state=Slot.State.LEASED).count()
    return _fits(campaign=campaign, n_more=n_held + 1, now=now)


def _fits(*, campaign: Campaign, n_more: int, now: datetime) -> bool:
    """Money: what was done at the rate of its own time, and what is to come at the rate of `now`,
    in whose currency the budget is understood. Amounts in another currency, from before the pool
    came to pay in this one, are not converted and do not count; nor does what was done when no rate
    was in force.
    """
    if campaign.budget is None:
        return True
    if campaign.budget_unit == Campaign.Budget.JUDGMENTS:
        return campaign.spent_judgments + n_more <= campaign.budget
    if campaign.budget_unit == Campaign.Budget.HOURS:
        return campaign.spent_s + n_more * _seconds_so_far(campaign) <= 3600 * float(
            campaign.budget
        )
    rate = rate_of(pool=campaign.pool_id, kind=campaign.kind, now=now)
    if rate is None:
        return True
    active_s = n_more * _seconds_so_far(campaign) if rate.basis == Rate.Basis.HOUR else 0.0
    spent = Decimal(campaign.spent_amounts.get(rate.currency, 0))
    amount = spent + exact_price(rate=rate, n_judgments=n_more, active_s=active_s)
    return money.to_major(_whole(amount), rate.currency) <= campaign.budget


def _seconds_so_far(campaign: Campaign) -> float:
    """What one judgment takes, with its share of skips: the campaign's own mean once it has enough,
    before that an estimate.
    """
    if campaign.spent_judgments >= LIKE_NEEDS:
        return campaign.spent_s / campaign.spent_judgments
    return seconds_of_one(kind=campaign.kind, n_responses=campaign.n_responses)[0]


def seconds_of_one(*, kind: str, n_responses: int | None) -> tuple[float, int]:
    """Seconds of one judgment of that kind, and from how many like it; without enough of them, from
    how long texts are.
    """
    like = Judgment.objects.filter(
        kind=kind,
        campaign__kind=kind,
        campaign__n_responses=n_responses,
        active_s__gt=0,
        is_gold=False,
    )
    latest = like.order_by("-pk").values("active_s")[:LIKE_JUDGMENTS]
    found = latest.aggregate(mean=Avg("active_s"), n=Count("active_s"))
    if found["n"] >= LIKE_NEEDS:
        return found["mean"], found["n"]
    prompt_chars = _mean_chars(
        [
            _chars(messages)
            for messages in Prompt.objects.order_by("-pk").values_list("messages", flat=True)[
                :TEXTS_READ
            ]
        ]
    )
    if n_responses is None:
        return prompt_chars / CHARS_PER_S + WRITING_S, 0
    texts = Response.objects.order_by("-pk").values_list("text", flat=True)[:TEXTS_READ]
    each = _mean_chars([len(text) for text in texts]) / CHARS_PER_S + JUDGING_S
    return prompt_chars / CHARS_PER_S + n_responses * each, 0


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
    """What a campaign of this set-up would take, nothing of it made. Golds are paid like any other
    item.

    A rater gets each of `n_golds` once at most; None: as many as the share asks for.
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
    seconds, n_like = seconds_of_one(kind=kind, n_responses=n_responses)
    rate = rate_of(pool=pool, kind=kind, now=now) if pool else None
    return Estimate(
        n_least=n_least,
        n_most=n_most,
        seconds=seconds,
        n_like=n_like,
        amount_least=price(rate=rate, n_judgments=n_least, active_s=n_least * seconds),
        amount_most=price(rate=rate, n_judgments=n_most, active_s=n_most * seconds),
        currency=rate.currency if rate else "",
    )


def _n_golds(n_others: int, share: int, most: int | None) -> int:
    """Golds that are given along with so many other items, `share` per cent of all."""
    n = round(n_others * share / (100 - share))
    return n if most is None else min(n, most)


def estimate_of(*, campaign: Campaign, now: datetime) -> Estimate:
    return estimate(
        kind=campaign.kind,
        n_responses=campaign.n_responses,
        pool=campaign.pool,
        n_items=campaign.items.filter(repeat_of=None, gold_use=None).count(),
        overlap=campaign.overlap,
        max_overlap=campaign.max_overlap,
        calibration_percent=campaign.calibration_percent,
        repeat_percent=campaign.repeat_percent,
        gold_share=campaign.gold_share,
        n_golds=campaign.golds.filter(gold__retired_at=None).count() or None,
        now=now,
    )


def _chars(messages: list[dict[str, str]]) -> int:
    return sum(len(message["content"]) for message in messages)


def _mean_chars(lengths: list[int]) -> float:
    return sum(lengths) / len(lengths) if lengths else 0.0
