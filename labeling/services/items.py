"""Items of a campaign after it was made: held and let go, filled up to their overlap, put to all
raters of a pool.

Slots that come later join the line behind those that were given back, so that no rater's place in
it is wrong.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from labeling import queue
from labeling.models import (
    Campaign,
    Gold,
    Item,
    ItemResponse,
    Judgment,
    Pass,
    Pool,
    Prompt,
    Rater,
    Slot,
)
from labeling.selectors import admission

BATCH = 2_000


def hold(*, item_ids: Collection[int], now: datetime) -> None:
    """Hand these out no more. What raters have in hand can still be submitted; what they give back
    is gone.
    """
    Item.objects.filter(pk__in=item_ids, held_at=None).update(held_at=now)
    free_slots(Slot.objects.filter(item__in=item_ids)).delete()


def let_go(*, item_ids: Collection[int], now: datetime) -> None:
    """Hand these out again, up to their overlap, unless their prompt was retired. An imported
    gold's was from the start.
    """
    in_use = Q(prompt__retired_at=None) | Q(gold_use__gold__origin=Gold.Origin.IMPORT)
    found = Item.objects.filter(in_use, pk__in=item_ids).exclude(held_at=None)
    freed = list(found.select_related("campaign"))
    Item.objects.filter(pk__in=[item.pk for item in freed]).update(held_at=None)
    for item in freed:
        fill(item=item, campaign=item.campaign, now=now)


def fill(*, item: Item, campaign: Campaign, now: datetime) -> None:
    """As many slots as the campaign's overlap asks for; a calibration item is left to `level`, and
    what is decided gets none.
    """
    if item.is_calibration:
        level(campaign=campaign, now=now, item_ids=[item.pk])
    elif item.repeat_of_id is None and not is_decided(item_id=item.pk):
        n_missing = campaign.overlap - Slot.objects.filter(item=item).count()
        add_slots(item_id=item.pk, campaign=campaign, n=n_missing, now=now)


def undecided(rows: QuerySet[Item]) -> QuerySet[Item]:
    """Those that ask raters for the right order: no golds, and none that a gold in use was made
    of.
    """
    became_gold = Gold.objects.filter(made_from=OuterRef("pk"), retired_at=None)
    return rows.filter(~Exists(became_gold), gold_use=None)


def is_decided(*, item_id: int) -> bool:
    """Whether the right order is known, so that the item takes no more judgments."""
    return not undecided(Item.objects.filter(pk=item_id)).exists()


def add_slots(*, item_id: int, campaign: Campaign, n: int, now: datetime) -> None:
    """The item's row is the caller's to lock where two could add at once; the constraint on numbers
    is the last word.
    """
    last = Slot.objects.filter(item=item_id).aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    rank = queue.returned_rank(now)
    Slot.objects.bulk_create(
        Slot(item_id=item_id, campaign=campaign, number=number, queue_rank=rank)
        for number in range(first, first + max(0, n))
    )


def free_slots(slots: QuerySet[Slot]) -> QuerySet[Slot]:
    """Those that nobody holds, locked: a slot that a claim is just taking is left out."""
    free = slots.filter(state=Slot.State.FREE)
    locked = (
        free.select_for_update(skip_locked=True)
        if connection.features.has_select_for_update_skip_locked
        else free
    )
    return Slot.objects.filter(
        pk__in=list(locked.values_list("pk", flat=True)), state=Slot.State.FREE
    )


# --- calibration ----------------------------------------------------------------------------------


def level_pool(*, pool: Pool, now: datetime) -> None:
    """After raters came or went: in each campaign of the pool that goes on, calibration is for
    those who are at work now.
    """
    for campaign in Campaign.objects.filter(pool=pool, calibration_percent__gt=0).exclude(
        state=Campaign.State.CLOSED
    ):
        level(campaign=campaign, now=now)


def level_pools_of(*, raters: Iterable[Rater], now: datetime) -> None:
    """The same in every pool that these raters are in."""
    for pool in (
        Pool.objects.filter(memberships__rater__in=list(raters), memberships__is_active=True)
        .distinct()
        .order_by("pk")
    ):
        level_pool(pool=pool, now=now)


def level(*, campaign: Campaign, now: datetime, item_ids: Collection[int] | None = None) -> None:
    """On every calibration item that is not decided as many free slots as there are raters at work
    who have not met it.

    Before the campaign has handed out anything these stand in the line at their item's place, later
    in front. A closed campaign is levelled when it is opened again.
    """
    if not campaign.calibration_percent or campaign.state == Campaign.State.CLOSED:
        return
    # One leveling after the other; a submit that pauses its rater may be under way, and others
    # insert below this campaign.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    found = undecided(Item.objects.filter(campaign=campaign, is_calibration=True, held_at=None))
    found = found if item_ids is None else found.filter(pk__in=item_ids)
    items = list(found.only("pk", "position"))
    raters = set(admission.at_work(campaign=campaign).values_list("pk", flat=True))
    met = _met(item_ids=[item.pk for item in items], raters=raters)
    counted = Slot.objects.filter(item__in=[item.pk for item in items]).values("item_id")
    slots = {
        row["item_id"]: row
        for row in counted.annotate(last=Max("number"), n_free=Count("pk", filter=Q(state="free")))
    }
    new, surplus = [], []
    for item in items:
        standing = slots.get(item.pk, {"last": -1, "n_free": 0})
        n_more = len(raters) - met.get(item.pk, 0) - standing["n_free"]
        rank = queue.returned_rank(now)
        if campaign.opened_at is None:
            rank = queue.calibration_rank(order=campaign.order, position=item.position)
        numbers = range(standing["last"] + 1, standing["last"] + 1 + max(0, n_more))
        new += [
            Slot(item=item, campaign=campaign, number=number, queue_rank=rank) for number in numbers
        ]
        if n_more < 0:
            free = (
                Slot.objects.filter(item=item, state=Slot.State.FREE)
                .order_by("-number")
                .values_list("pk", flat=True)
            )
            surplus += list(free[:-n_more])
    Slot.objects.bulk_create(new, batch_size=BATCH)
    free_slots(Slot.objects.filter(pk__in=surplus)).delete()


def _met(*, item_ids: Sequence[int], raters: set[int]) -> dict[int, int]:
    """How many of these raters have each item behind them, or in hand."""
    pairs: set[tuple[int, int]] = set()
    for rows in (Slot.objects.exclude(rater=None), Pass.objects.all(), Judgment.objects.all()):
        pairs.update(
            rows.filter(item__in=item_ids, rater__in=raters).values_list("item_id", "rater_id")
        )
    counts: dict[int, int] = {}
    for item_id, _rater_id in pairs:
        counts[item_id] = counts.get(item_id, 0) + 1
    return counts


# --- another version of a prompt ------------------------------------------------------------------


def ask_again(*, old: Prompt, new: Prompt, now: datetime) -> int:
    """The items of `old` that still wanted judgments, in campaigns that go on, with `new` in its
    place; how many.

    The old items stay with what was judged on them. An item of a comparison comes back only when
    the new version has all of its responses. Raters who skipped or judged the old version may be
    given the new one.
    """
    going = (Campaign.State.DRAFT, Campaign.State.OPEN, Campaign.State.PAUSED)
    wanted = Item.objects.filter(
        prompt=old, campaign__state__in=going, repeat_of=None, gold_use=None
    )
    replaced = [
        item
        for item in wanted.select_related("campaign").order_by("campaign_id", "position")
        if _wants_more(item)
    ]
    numbers = {
        (response.source_id, response.number): response.pk for response in new.responses.all()
    }
    n_back = 0
    for item in replaced:
        chosen = [numbers.get(key) for key in item.responses.values_list("source_id", "number")]
        if item.campaign.kind == Campaign.Kind.COMPARISON and (not chosen or None in chosen):
            continue
        Campaign.objects.select_for_update().get(
            pk=item.campaign_id
        )  # one position after the other
        last = Item.objects.filter(campaign=item.campaign_id).aggregate(last=Max("position"))[
            "last"
        ]
        back = Item.objects.create(
            campaign=item.campaign,
            prompt=new,
            position=last + 1,
            is_calibration=item.is_calibration,
            created_at=now,
        )
        ItemResponse.objects.bulk_create(
            ItemResponse(item=back, response_id=pk) for pk in chosen if pk is not None
        )
        fill(item=back, campaign=item.campaign, now=now)
        n_back += 1
    return n_back


def _wants_more(item: Item) -> bool:
    """An item under question, or with slots left."""
    return (
        item.held_at is not None
        or Slot.objects.filter(item=item).exclude(state=Slot.State.SUBMITTED).exists()
    )


# --- another overlap ------------------------------------------------------------------------------

_SURPLUS = """
DELETE FROM labeling_slot WHERE state = 'free' AND id IN (
    SELECT id FROM (
        SELECT s.id, s.state, ROW_NUMBER() OVER (PARTITION BY s.item_id ORDER BY s.state = 'free', s.number) AS place
        FROM labeling_slot s JOIN labeling_item i ON i.id = s.item_id
        WHERE s.campaign_id = %(campaign)s AND NOT i.is_calibration AND i.repeat_of_id IS NULL AND NOT s.is_gold
    ) ranked
    WHERE ranked.state = 'free' AND ranked.place > %(overlap)s
)
"""


def fit_overlap(*, campaign: Campaign) -> None:
    """Slots for the campaign's overlap of now: free ones beyond it go, missing ones come. What was
    judged stays.

    The outer `state = 'free'` is tested again on a row that a claim has just taken, so that no
    lease is ever deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SURPLUS, {"campaign": campaign.pk, "overlap": campaign.overlap})
    plain = undecided(
        Item.objects.filter(campaign=campaign, is_calibration=False, repeat_of=None, held_at=None)
    )
    short = plain.annotate(n=Count("slots"), last=Max("slots__number")).filter(
        n__lt=campaign.overlap
    )
    new: list[Slot] = []
    n_added = 0
    for pk, position, n, last in short.values_list("pk", "position", "n", "last").iterator(
        chunk_size=BATCH
    ):
        first = 0 if last is None else last + 1
        for number in range(first, first + campaign.overlap - n):
            rank = queue.fresh_rank(order=campaign.order, position=position, number=number)
            new.append(Slot(item_id=pk, campaign=campaign, number=number, queue_rank=rank))
        if len(new) >= BATCH:
            n_added += len(Slot.objects.bulk_create(new))
            new = []
    n_added += len(Slot.objects.bulk_create(new))
    if n_added:
        queue.forget_places(campaign=campaign)
