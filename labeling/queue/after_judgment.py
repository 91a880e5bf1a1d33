"""What follows from a judgment or a skip, in its transaction: one more slot, a repeat, the end of
the budget. What follows from golds is in labeling.queue.gold.scores.
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
from labeling.models import Campaign, Item, Judgment, PastLease, Pool, Slot
from labeling.quality.votes.item_consensus import certainty_of
from labeling.queue import items, order, webhook_events
from labeling.queue.spending import budgets, prices, working_time

SPENT = ["spent_judgments", "spent_s", "spent_amounts"]


def after_submit(
    *, judgment: Judgment, campaign: Campaign, held: Slot | PastLease, now: datetime
) -> None:
    """`held` is the lease it was given under. Where that had ended with a skip, the judgment is
    counted in its place.
    """
    if judgment.slot_id is not None and judgment.item_id is not None and not judgment.is_gold:
        if campaign.max_overlap is not None:
            fit_item(item_id=judgment.item_id, campaign=campaign, now=now)
        if campaign.repeat_percent:
            _reserve_repeat(judgment=judgment, campaign=campaign, now=now)
    if campaign.budget_unit:
        works = [_Work(1, _worked_s(judgment, campaign), judgment.submitted_at)]
        if isinstance(held, PastLease) and held.end == PastLease.End.SKIPPED:
            works.append(_Work(0, -_skipped_s(held, campaign), held.ended_at))
        _stop_when_spent(campaign=_spend(*works, campaign=campaign), now=now)


def after_skip(*, lease: PastLease, campaign: Campaign, now: datetime) -> None:
    """The time that a skipped item took is work too."""
    if campaign.budget_unit:
        work = _Work(0, _skipped_s(lease, campaign), lease.ended_at)
        _stop_when_spent(campaign=_spend(work, campaign=campaign), now=now)


def after_correction(*, judgment: Judgment, campaign: Campaign, now: datetime) -> None:
    """The time it took counts; and raters may agree now who did not before, and the other way
    around.
    """
    if campaign.budget_unit and judgment.supersedes is not None:
        seconds = _worked_s(judgment, campaign) - _worked_s(judgment.supersedes, campaign)
        work = _Work(0, seconds, judgment.submitted_at)
        _stop_when_spent(campaign=_spend(work, campaign=campaign), now=now)
    if (
        judgment.slot_id is not None
        and judgment.item_id is not None
        and not judgment.is_gold
        and campaign.max_overlap is not None
    ):
        fit_item(item_id=judgment.item_id, campaign=campaign, now=now)


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
        assert judgment.lease is not None  # what can be undone is found by it
        works = [_Work(-1, -_worked_s(judgment, campaign), judgment.submitted_at)]
        for skipped in PastLease.objects.filter(lease=judgment.lease, end=PastLease.End.SKIPPED):
            works.append(_Work(0, _skipped_s(skipped, campaign), skipped.ended_at))
        _spend(*works, campaign=campaign)


def fit_item(*, item_id: int, campaign: Campaign, now: datetime) -> None:
    """One slot more where every slot is judged, raters are not sure enough, nobody has decided it,
    and the most is not reached.

    Reads this item's judgments and nothing else. Its row is locked, so that of two raters who fill
    the last two slots at once the second sees the first's judgment, and so that no two slots are
    added for one doubt. Slots beyond the overlap that nobody has taken go when raters have come to
    agree (after a correction).
    """
    assert campaign.max_overlap is not None
    item = Item.objects.select_for_update(no_key=True).get(
        pk=item_id
    )  # as items.level inserts slots below it
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


# --- the budget -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Work:
    """`n` judgments, an extra and a gold as any other, with their seconds; less than nothing for
    what is taken back.
    """

    n: int
    seconds: float
    at: datetime
    """When it was done, which says its rate: a judgment's first version, a skip's end."""


def recount_spending(*, campaign: Campaign, now: datetime) -> None:
    """When a budget is set: what its judgments have taken so far. Later ones are added one by one.

    The caller holds the campaign's row, as who adds one does: so that each is counted once.
    """
    is_money = campaign.budget_unit == Campaign.Budget.MONEY
    spent = budgets.spending(campaign=campaign, now=now if is_money else None)
    campaign.spent_judgments, campaign.spent_s = spent.n_judgments, spent.active_s
    campaign.spent_amounts = {currency: str(amount) for currency, amount in spent.exact.items()}
    campaign.save(update_fields=SPENT)


def after_rate(*, pool: Pool, kind: str, now: datetime) -> None:
    """A rate that has begun may price what was done already, and may leave too little for one
    judgment more.
    """
    in_money = Campaign.objects.filter(pool=pool, kind=kind, budget_unit=Campaign.Budget.MONEY)
    for campaign in in_money.select_for_update(no_key=True).order_by("pk"):
        recount_spending(campaign=campaign, now=now)
        _stop_when_spent(campaign=campaign, now=now)


def _spend(*works: _Work, campaign: Campaign) -> Campaign:
    """The campaign as it is stored now. Its row is locked before the rate is read: a rate that is
    set at this moment either counts this work itself or is known here.
    """
    stored = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    for work in works:
        stored.spent_judgments += work.n
        stored.spent_s += work.seconds
        if stored.budget_unit == Campaign.Budget.MONEY:
            _pay(work, campaign=stored)
    stored.save(update_fields=SPENT)
    return stored


def _pay(work: _Work, *, campaign: Campaign) -> None:
    """Nothing where no rate was in force."""
    rate = prices.rate_of(pool=campaign.pool_id, kind=campaign.kind, now=work.at)
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
    """`campaign` as it is stored now."""
    if not budgets.is_spent(campaign=campaign, now=now):
        return
    if (
        Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.OPEN).update(
            state=Campaign.State.PAUSED
        )
        != 1
    ):
        return
    after = {"state": Campaign.State.PAUSED, "reason": "budget"}
    audit_log.record(
        by=None,
        action="state:paused",
        target=campaign,
        before={"state": campaign.state},
        after=after,
        now=now,
    )
    webhook_events.tell_of_campaign(
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
