"""What the visits through a crowd link have earned, at the rates that timesheets use."""

import datetime as dt
from decimal import Decimal

from django.db.models import OuterRef, Q, Subquery
from django.db.models.lookups import Exact

from labeling.models import CrowdLink, CrowdVisit, Payment
from labeling.pay.timesheets.counted import lines_of


def earned_through(*, link: CrowdLink, currency: str) -> dict[int, Decimal]:
    """Rater → what they earned in their visit, in minor units of this currency. Work belongs to
    the latest visit that began before it. Work without a rate, or in another currency, counts 0.
    """
    campaign = Q(campaign=link.campaign_id, rater__in=link.visits.values("rater"))
    in_pool = Q(step__pool=link.campaign.pool_id, rater__in=link.visits.values("rater"))
    lines = lines_of(
        judged=campaign & _in_visit(link, "submitted_at"),
        skipped=campaign & _in_visit(link, "ended_at"),
        learned=in_pool & _in_visit(link, "submitted_at"),
    )
    earned: dict[int, Decimal] = {}
    for line in lines:
        if line.amount is not None and line.currency == currency:
            earned[line.rater_id] = earned.get(line.rater_id, Decimal(0)) + line.amount
    return earned


def paid_days(*, link: CrowdLink) -> dict[int, list[tuple[dt.date, dt.date]]]:
    """Rater → the periods that are marked as paid."""
    days: dict[int, list[tuple[dt.date, dt.date]]] = {}
    payments = Payment.objects.filter(rater__in=link.visits.values("rater"))
    for rater_id, since, until in payments.values_list("rater_id", "since", "until"):
        days.setdefault(rater_id, []).append((since, until))
    return days


def _in_visit(link: CrowdLink, at: str) -> Q:
    latest = (
        CrowdVisit.objects.filter(rater=OuterRef("rater"), started_at__lte=OuterRef(at))
        .order_by("-started_at", "-pk")
        .values("link")
    )
    return Q(Exact(Subquery(latest[:1]), link.pk))
