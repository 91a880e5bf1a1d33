"""What a rater does with an item they hold before judging it: extend the lease, save a draft,
release or skip it.

labeling.queue.claiming.claim is how they get it.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from labeling.models import Draft, Item, Judgment, Pass, PastLease, Rater, Slot
from labeling.queue import after_judgment, items
from labeling.queue.cases import services as cases_services
from labeling.queue.claiming import order

FREE: dict[str, object] = {
    "state": Slot.State.FREE,
    "rater": None,
    "lease": None,
    "leased_at": None,
    "expires_at": None,
    "seed": None,
    "guideline_version": None,
}
"""The fields of a slot that nobody holds."""


def heartbeat(*, lease: uuid.UUID, rater: Rater, now: datetime) -> datetime | None:
    """Extend the lease from `now`. Returns when it expires, or None if the slot is no longer
    theirs, or they have withdrawn.

    A lapsed lease that nobody has taken over is extended too.
    """
    minutes = (
        Slot.objects.filter(lease=lease, rater=rater, rater__withdrawn_at=None)
        .values_list("campaign__lease_minutes", flat=True)
        .first()
    )
    if minutes is None:
        return None
    expires_at = now + timedelta(minutes=minutes)
    n_updated = Slot.objects.filter(lease=lease, rater=rater, state=Slot.State.LEASED).update(
        expires_at=expires_at
    )
    return expires_at if n_updated == 1 else None


def release(*, lease: uuid.UUID, rater: Rater, now: datetime) -> bool:
    """Put the item back into the queue for everybody, including this rater. False when the lease
    was no longer theirs.
    """
    with transaction.atomic():
        slot = locked(lease=lease, rater=rater)
        if slot is None or slot.state != Slot.State.LEASED:
            return False
        set_free(slot=slot, end=PastLease.End.RELEASED, now=now)
        return True


def skip(
    *,
    lease: uuid.UUID,
    rater: Rater,
    reason: str,
    note: str = "",
    active_s: float | None = None,
    now: datetime,
) -> bool:
    """Put the item back; this rater never sees it again. False when the lease was no longer theirs.

    `active_s` is how long the rater worked on it: hourly pay includes this time.
    """
    with transaction.atomic():
        slot = locked(lease=lease, rater=rater)
        if slot is None or slot.state != Slot.State.LEASED:
            return False
        passed = Pass(
            item_id=slot.item_id, rater=rater, reason=Pass.Reason(reason), note=note, created_at=now
        )
        Pass.objects.bulk_create([passed], ignore_conflicts=True)
        ended = set_free(slot=slot, end=PastLease.End.SKIPPED, active_s=active_s, now=now)
        after_judgment.after_skip(lease=ended, campaign=slot.campaign, now=now)
        cases_services.open_case(item=slot.item, reason=reason, now=now)
        return True


def save_draft(
    *, item: Item, rater: Rater, content: Mapping[str, object], now: datetime
) -> Draft | None:
    """Save a draft. None when the item is judged already, so that a late save does not bring a
    draft back.

    A submit locks the slot or the past lease. A save waits for that row, so it cannot slip in while
    the answer is being stored.
    """
    with transaction.atomic():
        if not _holds(item=item, rater=rater):
            list(
                PastLease.objects.select_for_update()
                .filter(item=item, rater=rater)
                .order_by("pk")
                .values_list("pk")
            )
            if Judgment.of_everyone.filter(item=item, rater=rater).exists():
                return None
        return store_draft(item_id=item.pk, rater=rater, content=content, now=now)


def _holds(*, item: Item, rater: Rater) -> bool:
    """Whether the rater holds the item, and so has not judged it. Locks their slot."""
    mine = Slot.objects.select_for_update().filter(item=item, rater=rater)
    return any(state == Slot.State.LEASED for state in mine.values_list("state", flat=True))


# --- ending a lease -------------------------------------------------------------------------------


def locked(*, lease: uuid.UUID, rater: Rater) -> Slot | None:
    return (
        Slot.objects.select_for_update(of=("self",))
        .select_related("campaign", "item__gold_use")
        .filter(lease=lease, rater=rater)
        .first()
    )


def set_free(
    *, slot: Slot, end: PastLease.End, active_s: float | None = None, now: datetime
) -> PastLease:
    """End the lease and free the slot. A slot that nobody else needs is deleted: that of a gold, a
    skipped repeat or calibration item, a held item, or an item that became a gold.
    """
    ended = end_lease(slot=slot, end=end, active_s=active_s, now=now)
    is_mine = slot.item.is_calibration or slot.reserved_for_id is not None
    waits_for_nobody = (
        slot.is_gold or slot.item.held_at is not None or (is_mine and end == PastLease.End.SKIPPED)
    )
    if waits_for_nobody or items.is_decided(item_id=slot.item_id):
        Slot.objects.filter(pk=slot.pk, lease=slot.lease).delete()
    else:
        Slot.objects.filter(pk=slot.pk, lease=slot.lease).update(
            **FREE, queue_rank=order.returned_rank(now)
        )
    return ended


def vacate(*, slot: Slot, now: datetime) -> None:
    """Free the slot of a judgment that no longer counts, or delete the slot if its item is held.

    The lease is kept as a PastLease. The caller has detached the judgment from the slot.
    """
    if slot.lease is not None:
        end_lease(slot=slot, end=PastLease.End.RELEASED, now=now)
    mine = Slot.objects.filter(pk=slot.pk)
    if slot.item.held_at is not None:
        mine.delete()
    else:
        mine.update(**FREE, queue_rank=order.returned_rank(now))


def fill_another(*, item_id: int, rater: Rater) -> Slot | None:
    """Fill another slot of the item for a judgment that has lost its own: one that this rater holds
    since, or any free one.
    """
    slots = Slot.objects.select_for_update().filter(item_id=item_id)
    taken_since = slots.filter(rater=rater, state=Slot.State.LEASED).first()
    for_me = Q(reserved_for=None) | Q(reserved_for=rater)
    slot = taken_since or slots.filter(for_me, state=Slot.State.FREE).order_by("number").first()
    if slot is not None:
        Slot.objects.filter(pk=slot.pk).update(
            state=Slot.State.SUBMITTED, rater=rater, expires_at=None
        )
    return slot


def end_lease(
    *, slot: Slot, end: PastLease.End, active_s: float | None = None, now: datetime
) -> PastLease:
    assert slot.lease is not None
    assert slot.rater_id is not None  # both by slot_free_has_no_rater: the slot is leased
    return PastLease.objects.create(
        lease=slot.lease,
        item_id=slot.item_id,
        campaign_id=slot.campaign_id,
        rater_id=slot.rater_id,
        guideline_version_id=slot.guideline_version_id,
        seed=slot.seed,
        leased_at=slot.leased_at,
        ended_at=now,
        end=end,
        active_s=active_s,
    )


# --- drafts ---------------------------------------------------------------------------------------


def store_draft(
    *, item_id: int, rater: Rater, version: int = 0, content: Mapping[str, object], now: datetime
) -> Draft:
    draft = Draft(
        item_id=item_id, rater=rater, version=version, content=dict(content), saved_at=now
    )
    Draft.objects.bulk_create(
        [draft],
        update_conflicts=True,
        unique_fields=["rater", "item", "version"],
        update_fields=["content", "saved_at"],
    )
    return draft
