"""Whether a campaign has something for a rater, and how many slots are free. Takes nothing."""

from datetime import datetime

from django.db import connection

from labeling.models import Campaign, Rater, Slot
from labeling.queue.claiming import claim_sql, order, routing


def has_work(
    *, campaign: Campaign, rater: Rater, fit: routing.Fit | None = None, now: datetime
) -> bool:
    """Whether a claim would find something now without a sweep. Reads what a claim reads."""
    fit = fit or routing.fit(campaign=campaign, rater=rater)
    test = fit.claim_test
    statement = claim_sql.probe(
        fits=test.on("free.item_id"),
        repeat_fits=fit.repeat_test.on("free.item_id") if campaign.repeat_percent else None,
    )
    values = {
        "campaign": campaign.pk,
        "rater": rater.pk,
        "now": connection.ops.adapt_datetimefield_value(now),
        "returned_floor": order.RETURNED_FLOOR,
        "fresh_floor": order.FRESH_FLOOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, {**test.values, **values})
        return bool(cursor.fetchone()[0])


def n_free(*, campaign: Campaign, most: int) -> int:
    """Free slots, counted up to `most`: the cost does not depend on how many there are."""
    free = Slot.objects.filter(
        campaign=campaign, state=Slot.State.FREE, reserved_for=None
    ).order_by("queue_rank")
    return free.values("queue_rank")[:most].count()
