"""Whether a campaign has something for a rater, and how many slots are free. Takes nothing."""

from datetime import datetime, timedelta

from django.db import connection

from labeling.models import Campaign, ConversationTurn, Item, Rater, Slot, TurnRequest
from labeling.queue.claiming import claim_sql, order, routing

UNCLAIMED = timedelta(seconds=20)
"""A request for an answer that nobody has claimed for this long: no model is answering."""
FAILED_LATELY = timedelta(minutes=10)
"""Afterwards somebody may try again whether the models answer."""


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


def n_items(
    *, campaign: Campaign, rater: Rater, fit: routing.Fit | None = None, most: int
) -> int | None:
    """The items that a rater can still get, besides one they hold. None where the campaign has more
    than `most` free slots: they are not searched, so the cost does not depend on how many there
    are.
    """
    free = Slot.objects.filter(campaign=campaign, state=Slot.State.FREE, reserved_for=None)
    if free.order_by("queue_rank").values("queue_rank")[: most + 1].count() > most:
        return None
    fit = fit or routing.fit(campaign=campaign, rater=rater)
    # An item with two free slots is still one item for one rater.
    items = Item.objects.filter(pk__in=free.values("item"), held_at=None)
    return items.filter(fit.claim_test.of("pk")).count()


def is_unanswered(*, campaign: Campaign, now: datetime) -> bool:
    """Whether no model answers in a conversation campaign now: a request waits for too long, or
    the latest turn has failed a few minutes ago.
    """
    if not campaign.about.talks:
        return False
    turns = ConversationTurn.objects.filter(conversation__item__campaign=campaign)
    latest = turns.order_by("-pk").first()
    if latest is not None and latest.state == ConversationTurn.State.FAILED:
        return latest.created_at > now - FAILED_LATELY
    waiting = turns.filter(state=ConversationTurn.State.WAITING)
    return TurnRequest.objects.filter(
        turn__in=waiting, state=TurnRequest.State.QUEUED, created_at__lt=now - UNCLAIMED
    ).exists()
