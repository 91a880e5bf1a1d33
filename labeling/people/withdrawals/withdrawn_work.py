"""What a rater's withdrawal does to the queue: their slots are free again, nobody is given a text
that they wrote, and golds made of their answers are retired. Also the way back, after a withdrawal
that was a mistake.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from labeling.access import prompts_written_by, withdrawn_prompt_ids
from labeling.models import (
    Case,
    Conversation,
    Draft,
    Gold,
    Item,
    ItemResponse,
    Judgment,
    PastLease,
    Rater,
    Slot,
    TurnRequest,
)
from labeling.queue import after_judgment, items, slots
from labeling.queue.claiming import order
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from labeling.votes import counting

BATCH = 1_000


def give_up_slots(*, rater: Rater, now: datetime) -> None:
    """Free every slot of the rater, so that others judge those items instead. Except for
    calibration items and repeats, which nobody else can take over, and items whose order is known.
    """
    leased = Slot.objects.select_for_update(of=("self",), no_key=True).filter(
        rater=rater, state=Slot.State.LEASED
    )
    # Answers under way have committed: withdraw_rater has waited for them at the rater's row.
    for slot in leased.select_related("item__gold_use"):
        slots.set_free(slot=slot, end=PastLease.End.RELEASED, now=now)
    items.free_slots(Slot.objects.filter(reserved_for=rater)).delete()
    _free_openings(rater, now=now)
    judged = Judgment.of_everyone.filter(
        rater=rater,
        slot__isnull=False,
        is_gold=False,
        item__in=items.undecided(Item.objects.filter(is_calibration=False, repeat_of=None)),
    )
    while batch := list(judged.select_for_update(of=("self",), no_key=True).order_by("pk")[:BATCH]):
        _vacate([judgment.pk for judgment in batch], now=now)
        for judgment in batch:
            _adjust_slots(judgment, now=now)


def retire_golds(*, rater: Rater, by: User | None, now: datetime) -> None:
    """Retire the golds that are this rater's answers. Others' results on them no longer count; who
    is paused because of one stays so until an admin decides.
    """
    theirs = Exists(Judgment.versions_of_everyone.filter(item=OuterRef("made_from"), rater=rater))
    made = list(Gold.objects.filter(theirs, retired_at=None).select_related("made_from__campaign"))
    withdrawn = gold_selectors.withdrawn_golds(golds=made)
    for gold in made:
        if gold.pk in withdrawn:
            gold_services.retire_gold(gold=gold, by=by, now=now)


def bring_back_golds(
    *, rater: Rater, withdrawn_at: datetime, by: User | None, now: datetime
) -> None:
    """Use the golds again that this rater's withdrawal has retired."""
    theirs = Exists(Judgment.versions_of_everyone.filter(item=OuterRef("made_from"), rater=rater))
    for gold in Gold.objects.filter(
        theirs, origin=Gold.Origin.EXPERT, retired_at=withdrawn_at
    ).order_by("pk"):
        gold_services.bring_back_gold(gold=gold, by=by, now=now)


def hold_texts(*, rater: Rater, now: datetime) -> None:
    """Stop giving out items that show a text by this rater, golds and attacks among them."""
    items.hold(item_ids=_showing(rater), now=now)


def drop_unfinished(*, rater: Rater) -> None:
    """Delete what the rater typed and did not submit, and ask no model for answers to them any
    more.
    """
    Draft.objects.filter(rater=rater).delete()
    wanted = (TurnRequest.State.QUEUED, TurnRequest.State.CLAIMED)
    requests = TurnRequest.objects.filter(turn__conversation__rater=rater, state__in=wanted)
    requests.update(state=TurnRequest.State.DROPPED, expires_at=None)


def judged_by_others(*, rater: Rater) -> QuerySet[Judgment]:
    """Others' judgments on prompts by this rater, those that count as far as their own raters and
    reviewers say.
    """
    judged = Judgment.of_people.filter(prompt__in=prompts_written_by(rater)).exclude(rater=rater)
    return judged.filter(rater__withdrawn_at=None, set_aside=None, is_gold=False)


def end_hold_of_texts(*, rater: Rater, now: datetime) -> None:
    """Give those items out again, except for those that are held for another reason."""
    waiting = Case.objects.filter(item=OuterRef("pk"), settled_at=None)
    withdrawn = ItemResponse.objects.filter(
        counting.by_withdrawn("response__"), item=OuterRef("pk")
    )
    shown = Item.objects.filter(pk__in=_showing(rater))
    free = shown.filter(~Exists(waiting), ~Exists(withdrawn)).exclude(
        prompt__in=withdrawn_prompt_ids()
    )
    items.end_hold(item_ids=list(free.values_list("pk", flat=True)), now=now)


def _showing(rater: Rater) -> list[int]:
    """Items with a response or a prompt by this rater, but for the turns of their conversations,
    which nobody else is given.
    """
    theirs = counting.written_by([rater], "response__")
    shown = Item.objects.filter(Exists(ItemResponse.objects.filter(theirs, item=OuterRef("pk"))))
    asked = Item.objects.filter(prompt__in=prompts_written_by(rater), is_turn=False)
    return sorted({*shown.values_list("pk", flat=True), *asked.values_list("pk", flat=True)})


def _free_openings(rater: Rater, *, now: datetime) -> None:
    """Somebody else has these conversations instead. Their slots have no judgment: each turn has
    its own.
    """
    held = Slot.objects.filter(
        rater=rater,
        state=Slot.State.SUBMITTED,
        item__is_turn=False,
        item__conversations__rater=rater,
    )
    ids = list(held.values_list("pk", flat=True))
    Slot.objects.filter(pk__in=ids, item__held_at__isnull=False).delete()
    Slot.objects.filter(pk__in=ids).update(**slots.FREE, queue_rank=order.returned_rank(now))


def take_back_openings(*, rater: Rater) -> None:
    """Of the conversations that the rater has finished, as far as nobody else has them by now."""
    for item in Conversation.objects.filter(
        rater=rater, state=Conversation.State.FINISHED
    ).values_list("item", flat=True):
        slots.fill_another(item_id=item, rater=rater)


def _vacate(judgments: Collection[int], *, now: datetime) -> None:
    given_up = list(
        Slot.objects.filter(judgment__in=judgments).select_related("item").order_by("pk")
    )
    PastLease.objects.bulk_create(
        (
            PastLease(
                lease=slot.lease,
                item_id=slot.item_id,
                campaign_id=slot.campaign_id,
                rater_id=slot.rater_id,
                guideline_version_id=slot.guideline_version_id,
                seed=slot.seed,
                leased_at=slot.leased_at,
                ended_at=now,
                end=PastLease.End.RELEASED,
            )
            for slot in given_up
            if slot.lease is not None and slot.rater_id is not None
        ),
        ignore_conflicts=True,
    )
    Judgment.versions_of_everyone.filter(pk__in=judgments).update(slot=None)
    held = [slot.pk for slot in given_up if slot.item.held_at is not None]
    free = [slot.pk for slot in given_up if slot.item.held_at is None]
    Slot.objects.filter(pk__in=held).delete()
    Slot.objects.filter(pk__in=free).update(**slots.FREE, queue_rank=order.returned_rank(now))


def _adjust_slots(judgment: Judgment, *, now: datetime) -> None:
    """Where the overlap is adaptive, the others may agree well enough without this judgment."""
    campaign = judgment.campaign
    if campaign is not None and judgment.item_id is not None and campaign.max_overlap is not None:
        after_judgment.adjust_slots(item_id=judgment.item_id, campaign=campaign, now=now)
