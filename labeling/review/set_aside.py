"""Excludes judgments from measures, training and exports, and includes them again. Nothing is
deleted, and pay does not change.

A judgment that is set aside gives up its slot, so that another rater judges the item instead and it
still reaches its overlap. The campaign's own rules decide whether the slot is given out: not while
it is paused or closed, and not when its budget is spent.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts import audit_log
from accounts.models import User
from labeling.models import Item, Judgment, JudgmentEvent, QualityReport, Rater, SetAside, Slot
from labeling.queue import admission, after_judgment, items, slots
from labeling.queue.claiming import order
from labeling.review import decisions, judgment_events


def set_aside(*, judgment: Judgment, reason: str, by: User | None, now: datetime) -> bool:
    """Exclude the judgment from agreement, consensus, snapshots and exports from now on. False when
    it was excluded already.

    Existing snapshots do not change. A later correction by the rater is a new judgment and counts.
    """
    with transaction.atomic():
        held = _locked(judgment)
        stored, is_new = SetAside.objects.get_or_create(
            judgment=held, defaults={"reason": reason, "by": by, "at": now}
        )
        if is_new:
            _hand_out_again(judgment=held, now=now)
            audit_log.record(
                by, "set_aside", stored, after=_about(held) | {"reason": reason}, now=now
            )
            decisions.notify_set_aside(judgment=held, by=by, now=now)
            _record(held, JudgmentEvent.Kind.SET_ASIDE, now=now)
            outdate(campaign_id=held.campaign_id)
    return is_new


def take_back(*, judgment: Judgment, by: User | None, now: datetime) -> Judgment | None:
    """Make the judgment count again, as an extra if others have filled the item's slots since. None
    when it was not set aside.
    """
    with transaction.atomic():
        # Their withdrawal waits, so that take_slot gives no slot to a judgment that does not count.
        admission.has_withdrawn(rater_id=judgment.rater_id)
        held = _locked(judgment)
        stored = SetAside.objects.filter(judgment=held).first()
        if stored is None:
            return None
        before = _about(held) | {"reason": stored.reason}
        audit_log.record(by, "take_back", stored, before=before, now=now)
        stored.delete()
        take_slot(judgment=held, now=now)
        decisions.notify_counts_again(judgment=held, now=now)
        _record(held, JudgmentEvent.Kind.RESTORED, now=now)
        outdate(campaign_id=held.campaign_id)
    return held


def outdate(*, campaign_id: int | None) -> None:
    """Mark the campaign's quality report as outdated although no judgment is new; the beat
    recomputes it.
    """
    QualityReport.objects.filter(campaign=campaign_id).update(is_outdated=True)


def new_slot_for(*, judgment: Judgment, now: datetime) -> int | None:
    """A free slot of the item for a judgment that has given up its own; None when there is none.

    Adds a slot if the item has fewer than it may have: its free one may have been deleted because
    raters came to agree.
    """
    campaign = judgment.campaign
    if judgment.item_id is None or campaign is None:
        return None
    slot = slots.fill_another(item_id=judgment.item_id, rater=judgment.rater)
    if slot is not None:
        return slot.pk
    item = Item.objects.select_for_update().get(pk=judgment.item_id)
    standing = Slot.objects.filter(item=item)
    if standing.filter(is_gold=False).count() >= (campaign.max_overlap or campaign.overlap):
        return None
    last = standing.aggregate(last=Max("number"))["last"]
    added = Slot.objects.create(
        item=item,
        campaign=campaign,
        number=0 if last is None else last + 1,
        state=Slot.State.SUBMITTED,
        rater=judgment.rater,
        queue_rank=order.returned_rank(now),
    )
    return added.pk


def _locked(judgment: Judgment) -> Judgment:
    """Locks the row first and then reads it. If it were joined in the locking statement, its slot
    would be the one from before the wait.
    """
    Judgment.versions_of_everyone.select_for_update().only("pk").get(pk=judgment.pk)
    return Judgment.versions_of_everyone.select_related(
        "campaign", "item", "slot__item", "rater__user"
    ).get(pk=judgment.pk)


def _hand_out_again(*, judgment: Judgment, now: datetime) -> None:
    """Hand the slot to another rater. Not for calibration items, a rater's repeat, or an item that
    became a gold.
    """
    item, campaign, slot = judgment.item, judgment.campaign, judgment.slot
    if item is None or campaign is None or slot is None:
        return
    if item.is_calibration or item.repeat_of_id is not None or items.is_decided(item_id=item.pk):
        return
    Judgment.versions_of_everyone.filter(pk=judgment.pk).update(slot=None)
    slots.vacate(slot=slot, now=now)
    if campaign.max_overlap is not None:
        after_judgment.adjust_slots(item_id=item.pk, campaign=campaign, now=now)


def take_slot(*, judgment: Judgment, now: datetime) -> None:
    """Give a judgment that counts again a slot of its item. With none free, it becomes an extra."""
    if (
        judgment.rater.withdrawn_at is not None
        or judgment.slot_id is not None
        or judgment.is_extra
        or judgment.item_id is None
        or not judgment.is_current
    ):
        return
    judgment.slot_id = new_slot_for(judgment=judgment, now=now)
    judgment.is_extra = judgment.slot_id is None
    judgment.save(update_fields=["slot", "is_extra"])
    if judgment.campaign is not None and judgment.campaign.max_overlap is not None:
        after_judgment.adjust_slots(item_id=judgment.item_id, campaign=judgment.campaign, now=now)


def _record(judgment: Judgment, kind: JudgmentEvent.Kind, *, now: datetime) -> None:
    """Not for a rater who has withdrawn: their judgments count neither before nor after."""
    rater = Rater.everyone.get(pk=judgment.rater_id)
    if judgment.is_current and rater.withdrawn_at is None:
        judgment_events.record(kind=kind, judgments=[judgment.pk], rater_alias=rater.alias, now=now)


def _about(judgment: Judgment) -> dict[str, object]:
    return {
        "judgment": judgment.pk,
        "rater": judgment.rater.alias,
        "campaign": str(judgment.campaign or ""),
    }
