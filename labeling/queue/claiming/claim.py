"""A claim: how a rater gets the next item. Read it from top to bottom; nothing below calls back up:

admission       may this rater get anything now?
routing         which items match them?
gold.turns      a gold, if it is time for one
free_slots      else the first free slot of the queue that matches
lapsed_leases   else a slot whose rater has gone away
"""

from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.refusals import Refusal
from labeling.models import Campaign, PoolMembership, QueuePlace, Rater, Slot
from labeling.queue import admission
from labeling.queue.claiming import free_slots, lapsed_leases, routing
from labeling.queue.gold import turns
from labeling.queue.spending import budgets


class UnableToClaim(Refusal):
    """Raised when the rater gets nothing now: the pool or the rater is paused, a quota is full, or
    onboarding is not complete.
    """

    def __init__(self, blocker: admission.Blocker) -> None:
        super().__init__(blocker.sentence)
        self.blocker = blocker


def claim(
    *, campaign: Campaign, rater: Rater, entry: admission.Entry | None = None, now: datetime
) -> Slot | None:
    """The rater's next item, leased to them; None when the campaign has nothing for them.

    A rater has at most one item per campaign, so an item they hold already is returned first, even
    if its lease has lapsed. Raises UnableToClaim. Pass `entry` if admission was asked already.
    """
    entry = entry or admission.entry(rater=rater, campaign=campaign)
    held = _held(campaign=campaign, rater=rater, now=now) if entry.holds else None
    if held is not None or campaign.state != Campaign.State.OPEN:
        return held
    try:
        return _take(campaign=campaign, rater=rater, entry=entry, now=now)
    except IntegrityError:
        # The rater is claiming in another tab at this moment, and the database allows one lease per
        # campaign and rater, and one slot per item. If that tab got an item, return it; if not, try
        # again, because the queue has moved on.
        return _held(campaign=campaign, rater=rater, now=now) or _take(
            campaign=campaign, rater=rater, entry=entry, now=now
        )


def _held(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    """The item this rater holds in the campaign. A lapsed lease is extended."""
    slot = (
        Slot.objects.filter(campaign=campaign, rater=rater, state=Slot.State.LEASED)
        .order_by()
        .first()
    )
    if slot is None or (slot.expires_at is not None and slot.expires_at > now):
        return slot
    expires_at = now + timedelta(minutes=campaign.lease_minutes)
    revived = Slot.objects.filter(pk=slot.pk, lease=slot.lease, state=Slot.State.LEASED).update(
        expires_at=expires_at
    )
    slot.expires_at = expires_at
    return slot if revived == 1 else None


def _take(
    *, campaign: Campaign, rater: Rater, entry: admission.Entry, now: datetime
) -> Slot | None:
    is_counted = entry.has_quota or campaign.budget_unit or campaign.gold_share
    with transaction.atomic() if is_counted else nullcontext():
        _admit(campaign=campaign, rater=rater, entry=entry, now=now)
        fit = routing.fit(
            campaign=campaign, rater=rater, pool=entry.pool, is_author=entry.is_author
        )
        if campaign.budget_unit and not _has_room(campaign=campaign, now=now):
            return _take_within_budget(campaign=campaign, rater=rater, fit=fit, now=now)
        if not campaign.gold_share:
            return _take_ordinary(campaign=campaign, rater=rater, fit=fit, now=now)
        slot = turns.take(campaign=campaign, rater=rater, fit=fit, now=now) or _take_ordinary(
            campaign=campaign, rater=rater, fit=fit, now=now
        )
        if slot is not None:
            _count_towards_golds(campaign=campaign, rater=rater)
        return slot


def _admit(*, campaign: Campaign, rater: Rater, entry: admission.Entry, now: datetime) -> None:
    """Raises UnableToClaim. Quotas count the rater's own items, so their membership is locked: two
    tabs cannot both get the last item.
    """
    blocker = entry.blocker
    if blocker is None and entry.has_quota:
        PoolMembership.objects.select_for_update().filter(
            pool=campaign.pool_id, rater=rater
        ).values_list("pk").first()
        blocker = admission.blockers(rater=rater, pool_ids=[campaign.pool_id], now=now).get(
            campaign.pool_id
        )
    if blocker is not None:
        raise UnableToClaim(blocker)


def _has_room(*, campaign: Campaign, now: datetime) -> bool:
    """Locks the campaign's row, so that the second of two concurrent claims counts what the first
    took.
    """
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    return budgets.has_room(campaign=stored, now=now)


def _take_within_budget(
    *, campaign: Campaign, rater: Rater, fit: routing.Fit, now: datetime
) -> Slot:
    """When items that others hold take the rest of the budget: a lapsed lease is part of the
    reserved budget, so it can move to this rater.
    """
    slot = lapsed_leases.take_over(campaign=campaign, rater=rater, fit=fit, now=now)
    if slot is None:
        raise UnableToClaim(admission.budget_reserved(campaign=campaign))
    return slot


def _take_ordinary(
    *, campaign: Campaign, rater: Rater, fit: routing.Fit, now: datetime
) -> Slot | None:
    taken = free_slots.take(campaign=campaign, rater=rater, fit=fit, now=now)
    if taken.slot is not None:
        return taken.slot
    return lapsed_leases.take_over(
        campaign=campaign, rater=rater, fit=fit, is_queue_empty=taken.has_swept, now=now
    )


def _count_towards_golds(*, campaign: Campaign, rater: Rater) -> None:
    """The rater's number of claims decides when they get a gold."""
    QueuePlace.objects.filter(campaign=campaign, rater=rater).update(n_claims=F("n_claims") + 1)
