"""Updates that follow a judgment or a skip, in the same transaction: extra slots, repeats, and the
budget. The effects of golds are in labeling.queue.gold.scores.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from jobs import guard
from labeling.kinds import registry
from labeling.models import Campaign, Item, Judgment, PastLease, Pool, Slot
from labeling.queue import items, webhook_events
from labeling.queue.claiming import order
from labeling.queue.spending import budgets, prices, working_time
from labeling.votes.item_consensus import certainty_of

SPENT = ["spent_judgments", "spent_s", "spent_amounts"]


def after_submit(
    *, judgment: Judgment, campaign: Campaign, held: Slot | PastLease, now: datetime
) -> None:
    """`held` is the lease the judgment was given under. If it had ended with a skip, the judgment
    is counted in place of the skip.
    """
    if judgment.slot_id is not None and judgment.item_id is not None and not judgment.is_gold:
        if campaign.max_overlap is not None:
            adjust_slots(item_id=judgment.item_id, campaign=campaign, now=now)
        if campaign.repeat_percent:
            _reserve_repeat(judgment=judgment, campaign=campaign, now=now)
    if campaign.budget_unit:
        work_items = [_WorkDone(1, _worked_s(judgment, campaign), judgment.submitted_at)]
        if isinstance(held, PastLease) and held.end == PastLease.End.SKIPPED:
            work_items.append(_WorkDone(0, -_skipped_s(held, campaign), held.ended_at))
        _stop_when_spent(campaign=_add_work(*work_items, campaign=campaign), now=now)


def after_skip(*, lease: PastLease, campaign: Campaign, now: datetime) -> None:
    """The time spent on a skipped item counts against the budget too."""
    if campaign.budget_unit:
        work = _WorkDone(0, _skipped_s(lease, campaign), lease.ended_at)
        _stop_when_spent(campaign=_add_work(work, campaign=campaign), now=now)


def after_correction(*, judgment: Judgment, campaign: Campaign, now: datetime) -> None:
    """Adds the correction's time to the budget, and adjusts slots, because raters may agree now who
    did not before, or the other way round.
    """
    if campaign.budget_unit and judgment.supersedes is not None:
        seconds = _worked_s(judgment, campaign) - _worked_s(judgment.supersedes, campaign)
        work = _WorkDone(0, seconds, judgment.submitted_at)
        _stop_when_spent(campaign=_add_work(work, campaign=campaign), now=now)
    if (
        judgment.slot_id is not None
        and judgment.item_id is not None
        and not judgment.is_gold
        and campaign.max_overlap is not None
    ):
        adjust_slots(item_id=judgment.item_id, campaign=campaign, now=now)


def before_undo(*, judgment: Judgment) -> None:
    campaign = judgment.campaign
    if campaign is None:
        return
    if not judgment.is_gold:
        repeats = Slot.objects.filter(
            item__repeat_of=judgment.item_id, reserved_for=judgment.rater_id
        )
        items.free_slots(repeats).delete()
    if campaign.budget_unit:
        assert judgment.lease is not None  # judgments are looked up by lease to be undone
        work_items = [_WorkDone(-1, -_worked_s(judgment, campaign), judgment.submitted_at)]
        for skipped in PastLease.objects.filter(lease=judgment.lease, end=PastLease.End.SKIPPED):
            work_items.append(_WorkDone(0, _skipped_s(skipped, campaign), skipped.ended_at))
        _add_work(*work_items, campaign=campaign)


def adjust_slots(*, item_id: int, campaign: Campaign, now: datetime) -> None:
    """Add a slot if all slots are judged, raters do not agree enough, the right order is not known,
    and the item is below max_overlap. Once raters agree (after a correction), delete free slots
    beyond the overlap.

    Reads only this item's judgments. Its row is locked: if two raters fill the last two slots at
    once, the second sees the first's judgment, and only one slot is added.
    """
    assert campaign.max_overlap is not None
    item = Item.objects.select_for_update(no_key=True).get(
        pk=item_id
    )  # no_key, because items.level_calibration inserts slots of it meanwhile
    if item.is_calibration or item.repeat_of_id is not None or item.held_at is not None:
        return
    states = list(Slot.objects.filter(item=item, is_gold=False).values_list("state", flat=True))
    n_judged, n_free = states.count(Slot.State.SUBMITTED), states.count(Slot.State.FREE)
    is_whole = n_judged == len(states)
    if n_judged < campaign.overlap or not (is_whole or n_free):
        return
    is_sure = certainty_of(item=item) >= campaign.confidence
    is_doubtful = is_whole and not is_sure and n_judged < campaign.max_overlap
    if is_doubtful and not items.is_decided(item_id=item.pk):
        items.add_slots(item_id=item.pk, campaign=campaign, n=1, now=now)
    elif is_sure and n_free:
        surplus = Slot.objects.filter(item=item, is_gold=False, state=Slot.State.FREE).order_by(
            "-number"
        )
        beyond = list(surplus.values_list("pk", flat=True)[: len(states) - campaign.overlap])
        items.free_slots(Slot.objects.filter(pk__in=beyond)).delete()


def _reserve_repeat(*, judgment: Judgment, campaign: Campaign, now: datetime) -> None:
    repeat = (
        Item.objects.select_for_update().filter(repeat_of=judgment.item_id, held_at=None).first()
    )
    if repeat is None or Slot.objects.filter(item=repeat, reserved_for=judgment.rater_id).exists():
        return
    last = Slot.objects.filter(item=repeat).aggregate(last=Max("number"))["last"]
    Slot.objects.create(
        item=repeat,
        campaign=campaign,
        number=0 if last is None else last + 1,
        queue_rank=order.returned_rank(now),
        reserved_for_id=judgment.rater_id,
        reserved_at=now,
    )


# --- budget ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _WorkDone:
    """Work to add to the budget: `n` judgments (extras and golds included) and their seconds.
    Negative to take work back.
    """

    n: int
    seconds: float
    at: datetime
    """When it was done, which decides its rate: a judgment's first version, a skip's end."""


def recount_spending(*, campaign: Campaign, now: datetime) -> None:
    """When a budget is set, count the work so far. Later work is added one piece at a time.

    The caller holds the lock on the campaign's row, as every addition does, so that each judgment
    is counted once.
    """
    is_money = campaign.budget_unit == Campaign.Budget.MONEY
    spent = budgets.spending(campaign=campaign, now=now if is_money else None)
    campaign.spent_judgments, campaign.spent_s = spent.n_judgments, spent.active_s
    campaign.spent_amounts = {currency: str(amount) for currency, amount in spent.exact.items()}
    campaign.save(update_fields=SPENT)


def after_rate(*, pool: Pool, kind: str, now: datetime) -> None:
    """A rate that has just taken effect can price earlier work, and can leave too little for
    another judgment.
    """
    kinds = registry.with_answer(kind)
    in_money = Campaign.objects.filter(pool=pool, kind__in=kinds, budget_unit=Campaign.Budget.MONEY)
    for campaign in in_money.select_for_update(no_key=True).order_by("pk"):
        recount_spending(campaign=campaign, now=now)
        _stop_when_spent(campaign=campaign, now=now)


def _add_work(*work_items: _WorkDone, campaign: Campaign) -> Campaign:
    """Add work to the campaign's counters. Returns the stored row.

    The row is locked before the rate is read: a rate set at the same moment either counts this work
    itself or is visible here.
    """
    stored = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    for work in work_items:
        stored.spent_judgments += work.n
        stored.spent_s += work.seconds
        if stored.budget_unit == Campaign.Budget.MONEY:
            _add_cost(work, campaign=stored)
    stored.save(update_fields=SPENT)
    return stored


def _add_cost(work: _WorkDone, *, campaign: Campaign) -> None:
    """Adds nothing if no rate was in force."""
    rate = prices.rate_of(pool=campaign.pool_id, kind=campaign.about.answer, now=work.at)
    if rate is not None:
        amount = prices.exact_price(rate=rate, n_judgments=work.n, active_s=work.seconds)
        spent = Decimal(campaign.spent_amounts.get(rate.currency, 0))
        campaign.spent_amounts[rate.currency] = str(spent + amount)


def _skipped_s(lease: PastLease, campaign: Campaign) -> float:
    return working_time.worked_s(
        active_s=lease.active_s,
        leased_at=lease.leased_at,
        ended_at=lease.ended_at,
        lease_minutes=campaign.lease_minutes,
    )


def _worked_s(judgment: Judgment, campaign: Campaign) -> float:
    return working_time.worked_s(
        active_s=judgment.active_s,
        leased_at=judgment.leased_at,
        ended_at=judgment.corrected_at or judgment.submitted_at,
        lease_minutes=campaign.lease_minutes,
    )


def _stop_when_spent(*, campaign: Campaign, now: datetime) -> None:
    """Pause the campaign if its budget is spent. `campaign` is the stored row."""
    if not budgets.is_spent(campaign=campaign, now=now):
        return
    if not guard.update_one(
        Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.OPEN),
        state=Campaign.State.PAUSED,
    ):
        return
    after = {"state": Campaign.State.PAUSED, "reason": "budget"}
    audit_log.record(
        None, "state:paused", campaign, before={"state": campaign.state}, after=after, now=now
    )
    webhook_events.queue_campaign_event(
        campaign=campaign, state=Campaign.State.PAUSED, before=campaign.state, now=now
    )
    notices_services.notify(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=f"budget:{campaign.pk}:{now.isoformat()}",
        kind=Notice.Kind.PAUSED,
        words=lambda: _("“%(name)s” has spent its budget and is paused.") % {"name": campaign.name},
        path=reverse("campaign", args=[campaign.pk]),
        now=now,
    )
