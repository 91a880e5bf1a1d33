"""Frees lapsed leases. No timer does this: a rater who finds no free slot takes the slot over, and
until then its rater can come back to it.
"""

from datetime import datetime

from django.db import transaction

from labeling.models import Campaign, PastLease, QueuePlace, Rater, Slot
from labeling.queue import admission, items, slots
from labeling.queue.claiming import order, routing


def take_over(
    *,
    campaign: Campaign,
    rater: Rater,
    fit: routing.Fit,
    is_queue_empty: bool = False,
    now: datetime,
) -> Slot | None:
    """Lease the slot whose lease lapsed longest ago and that matches `rater` to them.

    With `is_queue_empty`, the whole queue was just searched for this rater. Then lapsed slots on
    calibration items of raters who have left are dropped too.
    """
    if is_queue_empty and campaign.calibration_percent:
        _drop_forgotten(campaign=campaign, now=now)
    with transaction.atomic():
        while (slot := _lock_oldest(campaign=campaign, fit=fit, now=now)) is not None:
            slots.end_lease(slot=slot, end=PastLease.End.LAPSED, now=now)
            if not items.is_decided(item_id=slot.item_id):
                return _lease(slot=slot, campaign=campaign, rater=rater, now=now)
            Slot.objects.filter(pk=slot.pk).delete()
        return None


def _lock_oldest(*, campaign: Campaign, fit: routing.Fit, now: datetime) -> Slot | None:
    """Each rater holds at most one slot per campaign, so there are few."""
    lapsed = Slot.objects.filter(
        fit.claim_test.of("item"),
        campaign=campaign,
        state=Slot.State.LEASED,
        expires_at__lte=now,
        is_gold=False,
        reserved_for=None,
        item__held_at=None,
    )
    return lapsed.select_for_update(skip_locked=True, of=("self",)).order_by("expires_at").first()


def _lease(*, slot: Slot, campaign: Campaign, rater: Rater, now: datetime) -> Slot:
    """A rater who has never had anything from the queue gets a place at its head."""
    place, _is_new = QueuePlace.objects.get_or_create(
        campaign=campaign, rater=rater, defaults={"seed": order.new_seed(), **order.AT_HEAD}
    )
    slot.lease_to(campaign=campaign, rater=rater, seed=place.seed, now=now)
    slot.save(
        update_fields=[
            "rater",
            "state",
            "lease",
            "leased_at",
            "expires_at",
            "guideline_version",
            "seed",
        ]
    )
    return slot


def _drop_forgotten(*, campaign: Campaign, now: datetime) -> None:
    """Delete lapsed leases on calibration items of raters who have left: these slots were for them,
    and nobody else needs them.
    """
    lapsed = Slot.objects.filter(
        campaign=campaign, state=Slot.State.LEASED, expires_at__lte=now, item__is_calibration=True
    )
    gone = lapsed.exclude(rater__in=admission.raters_at_work(campaign=campaign))
    with transaction.atomic():
        for slot in gone.select_for_update(skip_locked=True, of=("self",)):
            slots.end_lease(slot=slot, end=PastLease.End.LAPSED, now=now)
            Slot.objects.filter(pk=slot.pk).delete()
