"""What a rater does with an item before judging it: take it, stay with it, give it back."""

import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.refusals import Refusal
from labeling import queue, routing
from labeling.models import (
    Campaign,
    Draft,
    Item,
    Judgment,
    Pass,
    PastLease,
    PoolMembership,
    Rater,
    Slot,
)
from labeling.selectors import admission, costs
from labeling.services import cases, consequences, golds, items

FREE: dict[str, Any] = {
    "state": Slot.State.FREE,
    "rater": None,
    "lease": None,
    "leased_at": None,
    "expires_at": None,
    "seed": None,
    "guideline_version": None,
}
"""What a slot holds that nobody has."""


class UnableToClaim(Refusal):
    """The pool gives this rater nothing now: it or they are paused, a quota is full, or onboarding
    is not over.
    """

    def __init__(self, hindrance: admission.Hindrance) -> None:
        super().__init__(hindrance.sentence)
        self.hindrance = hindrance


def claim(
    *, campaign: Campaign, rater: Rater, entry: admission.Entry | None = None, now: datetime
) -> Slot | None:
    """The item this rater works on next, leased to them; None when the campaign has nothing for
    them.

    An item they already hold comes first, its lease lapsed or not: there is one at a time in a
    campaign. Then a gold where it is one's turn, free slots in the queue's order, and slots whose
    lease has lapsed. Raises UnableToClaim where their pool gives them nothing now, or they are
    paused in the campaign. `entry` is how they stand to it, where the caller has just asked.
    """
    entry = entry or admission.entry(rater=rater, campaign=campaign)
    held = _held(campaign=campaign, rater=rater, now=now) if entry.holds else None
    if held is not None or campaign.state != Campaign.State.OPEN:
        return held
    try:
        return _take(campaign=campaign, rater=rater, entry=entry, now=now)
    except IntegrityError:
        # The same rater is at work in another tab at this very moment, and the database allows one
        # lease a campaign and one slot an item. What that tab took is there now; failing that, the
        # queue has moved on.
        return _held(campaign=campaign, rater=rater, now=now) or _take(
            campaign=campaign, rater=rater, entry=entry, now=now
        )


def heartbeat(*, lease: uuid.UUID, rater: Rater, now: datetime) -> datetime | None:
    """Until when the item stays with the rater, counted from `now`; None when the lease is theirs
    no more.

    A lease that lapsed and that nobody took lives again.
    """
    minutes = (
        Slot.objects.filter(lease=lease, rater=rater)
        .values_list("campaign__lease_minutes", flat=True)
        .first()
    )
    if minutes is None:
        return None
    expires_at = now + timedelta(minutes=minutes)
    beaten = Slot.objects.filter(lease=lease, rater=rater, state=Slot.State.LEASED).update(
        expires_at=expires_at
    )
    return expires_at if beaten == 1 else None


def release(*, lease: uuid.UUID, rater: Rater, now: datetime) -> bool:
    """Give the item back for anybody, this rater included. False when the lease was theirs no
    more.
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
    """Give the item back and never see it again. False when the lease was theirs no more.

    `active_s` is how long the rater was at it: where hours are paid, these are too.
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
        consequences.after_skip(lease=ended, campaign=slot.campaign, now=now)
        cases.open_case(item=slot.item, reason=reason, now=now)
        return True


def save_draft(
    *, item: Item, rater: Rater, content: Mapping[str, Any], now: datetime
) -> Draft | None:
    """Keep what is typed so far. None when the item is judged already: a save that arrives late
    must not bring a draft back.

    Nor one that arrives while the answer is being stored: it waits for the row that a submit locks,
    the slot or the past lease.
    """
    with transaction.atomic():
        if not _holds(item=item, rater=rater):
            list(
                PastLease.objects.select_for_update()
                .filter(item=item, rater=rater)
                .order_by("pk")
                .values_list("pk")
            )
            if Judgment.objects.filter(item=item, rater=rater).exists():
                return None
        return store_draft(item_id=item.pk, rater=rater, content=content, now=now)


def _holds(*, item: Item, rater: Rater) -> bool:
    """Whether the rater has the item in hand, and so has not judged it. Their slot is locked."""
    mine = Slot.objects.select_for_update().filter(item=item, rater=rater)
    return any(state == Slot.State.LEASED for state in mine.values_list("state", flat=True))


# --- claiming -------------------------------------------------------------------------------------


def _held(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    """The item this rater holds in the campaign, its lease extended when it had lapsed."""
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
        suits = routing.fit(
            campaign=campaign, rater=rater, pool=entry.pool, is_author=entry.is_author
        )
        if campaign.budget_unit and not _has_room(campaign=campaign, now=now):
            return _take_lapsed(
                campaign=campaign, rater=rater, suits=suits, now=now
            ) or _refuse_for_budget(campaign)
        slot = (
            golds.take(campaign=campaign, rater=rater, suits=suits, now=now)
            if campaign.gold_share
            else None
        )
        slot = slot or _take_free(campaign=campaign, rater=rater, suits=suits, now=now)
        slot = slot or _take_lapsed(campaign=campaign, rater=rater, suits=suits, now=now)
        if slot is not None and campaign.gold_share:
            queue.count_claim(campaign=campaign, rater=rater)
        return slot


def _admit(*, campaign: Campaign, rater: Rater, entry: admission.Entry, now: datetime) -> None:
    """Raises UnableToClaim. Where a quota counts what this rater has, their membership is locked:
    two tabs, one count.
    """
    hindrance = entry.hindrance
    if hindrance is None and entry.has_quota:
        PoolMembership.objects.select_for_update().filter(
            pool=campaign.pool_id, rater=rater
        ).values_list("pk").first()
        hindrance = admission.hindrances(rater=rater, pool_ids=[campaign.pool_id], now=now).get(
            campaign.pool_id
        )
    if hindrance is not None:
        raise UnableToClaim(hindrance)


def _has_room(*, campaign: Campaign, now: datetime) -> bool:
    """Locks the campaign's row: of two who claim at once, the second counts what the first took."""
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    return costs.has_room(campaign=stored, now=now)


def _refuse_for_budget(campaign: Campaign) -> NoReturn:
    raise UnableToClaim(admission.budget_in_hand(campaign=campaign))


def _take_free(
    *, campaign: Campaign, rater: Rater, suits: routing.Fit, now: datetime
) -> Slot | None:
    slot = queue.claim_free(campaign=campaign, rater=rater, suits=suits, now=now)
    if slot is None and queue.is_sweep_due(campaign=campaign, rater=rater, now=now):
        slot = queue.claim_free(campaign=campaign, rater=rater, suits=suits, now=now, is_sweep=True)
        if slot is None:
            queue.remember_empty(campaign=campaign, rater=rater, now=now)
            if campaign.calibration_percent:
                _drop_forgotten(campaign=campaign, now=now)
    return slot


def _drop_forgotten(*, campaign: Campaign, now: datetime) -> None:
    """Lapsed leases on calibration items of raters who come no more: these slots were for them and
    wait for nobody else.
    """
    lapsed = Slot.objects.filter(
        campaign=campaign, state=Slot.State.LEASED, expires_at__lte=now, item__is_calibration=True
    )
    gone = lapsed.exclude(rater__in=admission.at_work(campaign=campaign))
    with transaction.atomic():
        for slot in gone.select_for_update(skip_locked=True, of=("self",)):
            _end_lease(slot=slot, end=PastLease.End.LAPSED, now=now)
            Slot.objects.filter(pk=slot.pk).delete()


def _take_lapsed(
    *, campaign: Campaign, rater: Rater, suits: routing.Fit, now: datetime
) -> Slot | None:
    with transaction.atomic():
        while (
            slot := queue.lock_lapsed(campaign=campaign, rater=rater, suits=suits, now=now)
        ) is not None:
            _end_lease(slot=slot, end=PastLease.End.LAPSED, now=now)
            if not items.is_decided(item_id=slot.item_id):
                return queue.lease_to(slot=slot, campaign=campaign, rater=rater, now=now)
            Slot.objects.filter(pk=slot.pk).delete()
        return None


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
    """The lease ends and the slot is free, or is gone where it waits for nobody: a gold's, a
    skipped repeat's, a held item's, that of an item which became a gold.
    """
    ended = _end_lease(slot=slot, end=end, active_s=active_s, now=now)
    is_mine = slot.item.is_calibration or slot.reserved_for_id is not None
    waits_for_nobody = (
        slot.is_gold or slot.item.held_at is not None or (is_mine and end == PastLease.End.SKIPPED)
    )
    if waits_for_nobody or items.is_decided(item_id=slot.item_id):
        Slot.objects.filter(pk=slot.pk, lease=slot.lease).delete()
    else:
        Slot.objects.filter(pk=slot.pk, lease=slot.lease).update(
            **FREE, queue_rank=queue.returned_rank(now)
        )
    return ended


def vacate(*, slot: Slot, now: datetime) -> None:
    """The slot of a judgment that counts no more is free for another rater, or is gone where its
    item is held.

    What was shown under its lease stays known. The judgment has let go of the slot before.
    """
    if slot.lease is not None:
        _end_lease(slot=slot, end=PastLease.End.RELEASED, now=now)
    mine = Slot.objects.filter(pk=slot.pk)
    if slot.item.held_at is not None:
        mine.delete()
    else:
        mine.update(**FREE, queue_rank=queue.returned_rank(now))


def fill_another(*, item_id: int, rater: Rater) -> Slot | None:
    """A slot of the item, now filled, for a judgment whose own is gone: the one this rater took
    anew, else any free one.
    """
    slots = Slot.objects.select_for_update().filter(item_id=item_id)
    taken_anew = slots.filter(rater=rater, state=Slot.State.LEASED).first()
    for_me = Q(reserved_for=None) | Q(reserved_for=rater)
    slot = taken_anew or slots.filter(for_me, state=Slot.State.FREE).order_by("number").first()
    if slot is not None:
        Slot.objects.filter(pk=slot.pk).update(
            state=Slot.State.SUBMITTED, rater=rater, expires_at=None
        )
    return slot


def _end_lease(
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
    *, item_id: int, rater: Rater, version: int = 0, content: Mapping[str, Any], now: datetime
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
