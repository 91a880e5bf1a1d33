"""Timesheets and pay, computed from the records each time. Paid days show what was paid, and what
was added later.
"""

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from labeling.models import Campaign, PayDispute, Payment, Pool, Rate, Rater
from labeling.pay.timesheets import receipts
from labeling.pay.timesheets.counted import counted_lines, lines_of
from labeling.pay.timesheets.paid import with_payments
from labeling.pay.timesheets.sheets import (
    PayRow,
    Timesheet,
    TimesheetLine,
    sums_in_words,
)


def timesheet(*, rater: Rater, since: dt.date, until: dt.date) -> Timesheet:
    settled = _settled(since=since, until=until, rater=rater)
    lines = _shown(settled, since=since, raters={rater.pk})
    pools = rater.memberships.values("pool")
    return Timesheet(since, until, lines, usual_currency(rates=Rate.objects.filter(pool__in=pools)))


def usual_currency(*, rates: QuerySet[Rate]) -> str:
    """Of the newest of these rates; that of the site if there is none."""
    newest = rates.order_by("-valid_from", "-pk").values_list("currency", flat=True).first()
    return newest or settings.CURRENCY


def pay_rows(*, since: dt.date, until: dt.date) -> list[PayRow]:
    """A row for every rater with work in these days, in a constant number of queries."""
    settled = _settled(since=since, until=until)
    raters = (
        Rater.people.filter(pk__in={line.rater_id for line in settled if line.day >= since})
        .select_related("user")
        .annotate(has_receipts=Exists(receipts.submissions(rater=OuterRef("pk"))))
        .order_by("alias")
    )
    from_prolific = {rater.pk for rater in raters if rater.has_receipts}
    by_rater: dict[int, list[TimesheetLine]] = {}
    for line in _shown(settled, since=since, raters=from_prolific):
        by_rater.setdefault(line.rater_id, []).append(line)
    currency = usual_currency(rates=Rate.objects.all())
    return [
        PayRow(rater, Timesheet(since, until, by_rater[rater.pk], currency)) for rater in raters
    ]


def earned_with(*, judgments: Q) -> Timesheet:
    """What people earned with these judgments alone. Imported ones earn nothing."""
    nothing = Q(pk__in=[])
    lines = lines_of(judged=judgments, skipped=nothing, learned=nothing)
    currency = usual_currency(rates=Rate.objects.all())
    return Timesheet(dt.date.min, dt.date.max, lines, currency)


def payments_of(*, rater: Rater) -> QuerySet[Payment]:
    return rater.payments.select_related("paid_by").order_by("-since")


def disputes_of(*, rater: Rater) -> QuerySet[PayDispute]:
    return rater.disputes.select_related("answered_by").order_by("-raised_at", "-pk")


def open_disputes() -> QuerySet[PayDispute]:
    """Oldest first."""
    return (
        PayDispute.objects.filter(answered_at=None)
        .select_related("rater__user")
        .order_by("raised_at", "pk")
    )


def rates_of(*, pool: Pool) -> QuerySet[Rate]:
    """By kind, newest first."""
    return pool.rates.select_related("created_by").order_by("kind", "-valid_from")


def kind_to_price(*, pool: Pool) -> str:
    """The kind of work that most likely needs a rate: that of the pool's newest campaign whose kind
    has none.
    """
    campaigns = Campaign.objects.filter(pool=pool).order_by("-pk").only("kind")
    kinds = [
        *dict.fromkeys(campaign.about.answer for campaign in campaigns),
        Rate.Kind.COMPARISON,
        Rate.Kind.DEMONSTRATION,
    ]
    priced = set(pool.rates.values_list("kind", flat=True))
    return next((kind for kind in kinds if kind not in priced), kinds[0])


def payment_words(payment: Payment) -> str:
    sums = {currency: Decimal(amount) for currency, amount in payment.totals.items()}
    return sums_in_words(sums, settings.CURRENCY)


def _settled(*, since: dt.date, until: dt.date, rater: Rater | None = None) -> list[TimesheetLine]:
    """From the day before, since a visit to a study may run on past midnight: Prolific pays it as
    a whole.
    """
    before = since if since == dt.date.min else since - dt.timedelta(days=1)
    lines = counted_lines(since=before, until=until, rater=rater)
    return with_payments(lines, since=before, until=until, rater=rater)


def _shown(
    settled: list[TimesheetLine], *, since: dt.date, raters: set[int]
) -> list[TimesheetLine]:
    """`raters`: those whom Prolific may have paid."""
    lines = receipts.with_receipts(settled, raters=raters)
    return sorted(
        (line for line in lines if line.day >= since),
        key=lambda line: (line.day, line.pool, line.kind, not line.is_paid, line.rate_order),
    )
