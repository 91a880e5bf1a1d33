"""What a campaign has spent, and whether its budget has room for another judgment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import BigIntegerField, Case, Count, Min, Model, Q, QuerySet, Sum, Value, When

from labeling.models import Campaign, Judgment, Rate, Slot
from labeling.queue.spending import money, working_time
from labeling.queue.spending.prices import exact_price, rate_of, round_amount
from labeling.queue.spending.time_estimates import seconds_per_judgment


@dataclass(frozen=True)
class Spending:
    """The cost of a campaign's judgments and skips. `exact` is in minor units by currency, not
    rounded, and empty if no rate applies.

    `has_unpriced`: some of the work was done when no rate was in force.
    """

    n_judgments: int
    active_s: float
    exact: Mapping[str, Decimal] = field(default_factory=dict)
    has_unpriced: bool = False

    @property
    def amounts(self) -> dict[str, Decimal]:
        return {currency: round_amount(amount) for currency, amount in self.exact.items()}

    @property
    def hours(self) -> float:
        return self.active_s / 3600

    @property
    def words(self) -> str:
        return " + ".join(
            money.words(amount, currency) for currency, amount in sorted(self.amounts.items())
        )


def spending(*, campaign: Campaign, now: datetime | None = None) -> Spending:
    """Counted from the judgments and skips themselves. With `now`, each is priced at the rate that
    was in force at its time, as for pay.

    The database adds up by rate, because a pool has few rates, and a campaign may have a million
    judgments.
    """
    rates = _rates_until(campaign, now) if now else []
    periods = {rate.pk: rate for rate in rates}
    judged = _by_rate(
        Judgment.of_people.filter(campaign=campaign), rates, "submitted_at", working_time.judged_s()
    )
    skipped = _by_rate(
        working_time.skips(Q(campaign=campaign)), rates, "ended_at", working_time.skipped_s()
    )
    # Before anything is judged, the rate in force gives the currency of a zero.
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
    """The pool's rates for this kind of work until now, newest first."""
    rates = Rate.objects.filter(
        pool=campaign.pool_id, kind=campaign.about.answer, valid_from__lte=now
    )
    return list(rates.order_by("-valid_from"))


def _by_rate(
    rows: QuerySet[Model], rates: Sequence[Rate], at: str, seconds: object
) -> dict[int | None, tuple[int, float]]:
    """Number of rows and seconds under each of `rates` (newest first); None for rows before the
    first rate.

    The query distinguishes only rates that began after the first row; most campaigns have none.
    """
    first_at = rows.aggregate(first_at=Min(at))["first_at"] if rates else None
    later = [rate for rate in rates if first_at is not None and rate.valid_from > first_at]
    at_first = rates[len(later)].pk if len(later) < len(rates) else None
    if not later:
        row = rows.aggregate(n=Count("pk"), s=Sum(seconds))
        return {at_first: (row["n"], row["s"] or 0.0)} if row["n"] else {}
    periods = [When(**{f"{at}__gte": rate.valid_from}, then=Value(rate.pk)) for rate in later]
    period = Case(*periods, default=Value(at_first), output_field=BigIntegerField())
    queryset = (
        rows.order_by()
        .annotate(period=period)
        .values("period")
        .annotate(n=Count("pk"), s=Sum(seconds))
    )
    return {row["period"]: (row["n"], row["s"] or 0.0) for row in queryset}


def is_spent(*, campaign: Campaign, now: datetime) -> bool:
    """Whether the budget has no room for even one more judgment. Reads the campaign's own counters,
    so the cost does not grow with the number of judgments.
    """
    return not _fits(campaign=campaign, n_more=1, now=now)


def has_room(*, campaign: Campaign, now: datetime) -> bool:
    """Whether the budget has room for one more item in addition to all that raters hold, each at
    the average cost of a judgment.

    Held golds count, because they are paid like any other item. Lapsed leases count until somebody
    else takes them. The caller holds the campaign's row, so that the second of two claims counts
    what the first took.
    """
    if campaign.budget is None:
        return True
    n_held = Slot.objects.filter(campaign=campaign, state=Slot.State.LEASED).count()
    return _fits(campaign=campaign, n_more=n_held + 1, now=now)


def _fits(*, campaign: Campaign, n_more: int, now: datetime) -> bool:
    """For money: past work at the rate of its own time, and future work at the rate of `now`, whose
    currency is the budget's. Amounts in another currency, from before the pool switched, are not
    converted and do not count; neither does work done while no rate was in force.
    """
    if campaign.budget is None:
        return True
    if campaign.budget_unit == Campaign.Budget.JUDGMENTS:
        return campaign.spent_judgments + n_more <= campaign.budget
    if campaign.budget_unit == Campaign.Budget.HOURS:
        return campaign.spent_s + n_more * seconds_per_judgment(campaign) <= 3600 * float(
            campaign.budget
        )
    rate = rate_of(pool=campaign.pool_id, kind=campaign.about.answer, now=now)
    if rate is None:
        return True
    active_s = n_more * seconds_per_judgment(campaign) if rate.basis == Rate.Basis.HOUR else 0.0
    spent = Decimal(campaign.spent_amounts.get(rate.currency, 0))
    amount = spent + exact_price(rate=rate, n_judgments=n_more, active_s=active_s)
    return money.to_major(round_amount(amount), rate.currency) <= campaign.budget
