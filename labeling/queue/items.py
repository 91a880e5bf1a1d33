"""Changes to items of an existing campaign: hold them, add slots up to the overlap, and give
calibration items to all raters.

Slots that are added later go behind the returned slots, so that every rater's place in the queue
stays valid.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from labeling.models import Campaign, Gold, Item, ItemResponse, Pool, Prompt, Rater, Slot
from labeling.queue import admission
from labeling.queue.claiming import order
from labeling.queue.claiming.item_tests import met

BATCH = 2_000


def hold(*, item_ids: Collection[int], now: datetime) -> None:
    """Stop handing out these items. Raters can still submit items they hold; a slot that they
    release is deleted.
    """
    Item.objects.filter(pk__in=item_ids, held_at=None).update(held_at=now)
    free_slots(Slot.objects.filter(item__in=item_ids)).delete()


def keep_for_later(*, item_ids: Collection[int], now: datetime) -> None:
    """Hold these items whatever else holds them or lets them go, until `no_longer_for_later`."""
    Item.objects.filter(pk__in=item_ids).update(is_for_later=True)
    hold(item_ids=item_ids, now=now)


def no_longer_for_later(*, item_ids: Collection[int]) -> None:
    """From here on only other reasons hold these items."""
    Item.objects.filter(pk__in=item_ids).update(is_for_later=False)


def end_hold(*, item_ids: Collection[int], now: datetime) -> None:
    """Hand these items out again, with slots up to their overlap, unless their prompt was retired
    or they are kept for later. (The prompts of imported golds are retired from the start.)
    """
    in_use = Q(prompt__retired_at=None) | Q(gold_use__gold__origin=Gold.Origin.IMPORT)
    held = Item.objects.filter(in_use, pk__in=item_ids, is_for_later=False).exclude(held_at=None)
    freed = list(held.select_related("campaign"))
    Item.objects.filter(pk__in=[item.pk for item in freed]).update(held_at=None)
    for item in freed:
        fill_slots(item=item, campaign=item.campaign, now=now)


def spare(*, item_ids: Collection[int], now: datetime) -> None:
    """Ask nobody any more about these items, except for those that are held, decided, repeats, or
    for all raters. Raters can still submit items they hold; a slot that they release is deleted.
    """
    plain = Item.objects.filter(is_calibration=False, repeat_of=None, held_at=None)
    for ids in _batches(item_ids):
        undecided(plain.filter(pk__in=ids)).update(spared_at=now)
        # Also of those that were spared before: a release at that moment freed another one.
        spared = Item.objects.filter(pk__in=ids, spared_at__isnull=False)
        free_slots(Slot.objects.filter(item__in=spared)).delete()


def end_spare(*, campaign: Campaign, item_ids: Collection[int], now: datetime) -> list[int]:
    """Ask about these items of the campaign again, up to the overlap; about those that are held,
    once nothing holds them. Returns the items that were spared.
    """
    found: list[int] = []
    for ids in _batches(item_ids):
        spared = Item.objects.filter(campaign=campaign, pk__in=ids, spared_at__isnull=False)
        # Whoever comes second waits for these rows, and then finds none.
        ended = list(
            spared.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
        )
        Item.objects.filter(pk__in=ended).update(spared_at=None)
        rank = order.returned_rank(now)
        Slot.objects.bulk_create(
            Slot(item_id=pk, campaign=campaign, number=number, queue_rank=rank)
            for pk, _position, number in _missing(Item.objects.filter(pk__in=ended), campaign)
        )
        found += ended
    return found


def _batches(item_ids: Collection[int]) -> Iterator[list[int]]:
    ids = sorted(item_ids)
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def fill_slots(*, item: Item, campaign: Campaign, now: datetime) -> None:
    """Add slots up to the campaign's overlap. A calibration item gets a slot for every rater
    instead; an item with a known right order gets none.
    """
    if item.is_calibration:
        level_calibration(campaign=campaign, now=now, item_ids=[item.pk])
    elif item.repeat_of_id is None and not is_decided(item_id=item.pk):
        n_missing = campaign.overlap - Slot.objects.filter(item=item).count()
        add_slots(item_id=item.pk, campaign=campaign, n=n_missing, now=now)


def undecided(rows: QuerySet[Item]) -> QuerySet[Item]:
    """Items that can still need judgments: not golds, not made into a gold that is in use, not
    turns of a conversation, which belong to one rater, and not spared.
    """
    became_gold = Gold.objects.filter(made_from=OuterRef("pk"), retired_at=None)
    return rows.filter(~Exists(became_gold), gold_use=None, is_turn=False, spared_at=None)


def is_decided(*, item_id: int) -> bool:
    """Whether the item takes no more judgments: the right order is known, it is a turn of a
    conversation, or raters are spared it.
    """
    return not undecided(Item.objects.filter(pk=item_id)).exists()


def add_slots(*, item_id: int, campaign: Campaign, n: int, now: datetime) -> None:
    """If two could add slots at once, the caller locks the item's row. The unique constraint on
    slot numbers catches the rest.
    """
    last = Slot.objects.filter(item=item_id).aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    rank = order.returned_rank(now)
    Slot.objects.bulk_create(
        Slot(item_id=item_id, campaign=campaign, number=number, queue_rank=rank)
        for number in range(first, first + max(0, n))
    )


def ask_first(*, item_ids: Sequence[int], now: datetime) -> None:
    """One free slot of each of these items that nobody has answered goes before the fresh ones, in
    this order.
    """
    taken = Slot.objects.filter(item=OuterRef("item")).exclude(state=Slot.State.FREE)
    free = Slot.objects.filter(~Exists(taken), item__in=item_ids, reserved_for=None)
    first: dict[int, Slot] = {}
    for slot in free_slots(free).order_by("number"):
        first.setdefault(slot.item_id, slot)
    rank = order.returned_rank(now)
    moved = [first[item] for item in item_ids if item in first]
    for place, slot in enumerate(moved):
        slot.queue_rank = rank + place
    Slot.objects.bulk_update(moved, ["queue_rank"], batch_size=BATCH)


def free_slots(slots: QuerySet[Slot]) -> QuerySet[Slot]:
    """The free slots among these, locked. Leaves out a slot that a claim is taking right now."""
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


def level_pool_calibration(*, pool: Pool, now: datetime) -> None:
    """After raters joined or left: adjust calibration in each campaign of the pool that is not
    closed.
    """
    for campaign in Campaign.objects.filter(pool=pool, calibration_percent__gt=0).exclude(
        state=Campaign.State.CLOSED
    ):
        level_calibration(campaign=campaign, now=now)


def level_calibration_for(*, raters: Iterable[Rater], now: datetime) -> None:
    """The same for every pool that these raters are in."""
    for pool in (
        Pool.objects.filter(memberships__rater__in=list(raters), memberships__is_active=True)
        .distinct()
        .order_by("pk")
    ):
        level_pool_calibration(pool=pool, now=now)


def level_calibration(
    *, campaign: Campaign, now: datetime, item_ids: Collection[int] | None = None
) -> None:
    """Give every calibration item as many free slots as there are active raters who have not met
    it. Items with a known right order are left out.

    Before the campaign opens, the slots get their item's place in the queue; later, they go to the
    front. For a closed campaign, this runs when it is opened again.
    """
    if not campaign.calibration_percent or campaign.state == Campaign.State.CLOSED:
        return
    # One at a time per campaign. no_key, because others insert rows of this campaign meanwhile, and
    # one of them may be a submit that pauses its rater and waits for this.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    calibration_items = undecided(
        Item.objects.filter(campaign=campaign, is_calibration=True, held_at=None)
    )
    calibration_items = (
        calibration_items if item_ids is None else calibration_items.filter(pk__in=item_ids)
    )
    items = list(calibration_items.only("pk", "position"))
    raters = set(admission.raters_at_work(campaign=campaign).values_list("pk", flat=True))
    pairs = met(item_ids=[item.pk for item in items], rater_ids=raters)
    n_met = Counter(item_id for item_id, _rater_id in pairs)
    counted = Slot.objects.filter(item__in=[item.pk for item in items]).values("item_id")
    slots = {
        row["item_id"]: row
        for row in counted.annotate(last=Max("number"), n_free=Count("pk", filter=Q(state="free")))
    }
    new, surplus = [], []
    for item in items:
        counts = slots.get(item.pk, {"last": -1, "n_free": 0})
        n_more = len(raters) - n_met[item.pk] - counts["n_free"]
        rank = order.returned_rank(now)
        if campaign.opened_at is None:
            rank = order.calibration_rank(order=campaign.order, position=item.position)
        numbers = range(counts["last"] + 1, counts["last"] + 1 + max(0, n_more))
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


# --- another version of a prompt ------------------------------------------------------------------


def reissue(*, old: Prompt, new: Prompt, now: datetime) -> int:
    """After `old` was edited into `new`: ask for the missing judgments on `new` instead, in
    campaigns that are not closed. Returns how many items were added.

    The old items stay, with their judgments. A comparison item is added only if the new version has
    all of its responses. Raters who skipped or judged the old version may get the new one.
    """
    running = (Campaign.State.DRAFT, Campaign.State.OPEN, Campaign.State.PAUSED)
    open_items = Item.objects.filter(
        prompt=old, campaign__state__in=running, repeat_of=None, gold_use=None
    )
    replaced = [
        item
        for item in open_items.select_related("campaign").order_by("campaign_id", "position")
        if _needs_judgments(item)
    ]
    numbers = {
        (response.source_id, response.number): response.pk for response in new.responses.all()
    }
    n_back = 0
    for item in replaced:
        chosen = [numbers.get(key) for key in item.responses.values_list("source_id", "number")]
        if item.campaign.about.compares_stored and (not chosen or None in chosen):
            continue
        Campaign.objects.select_for_update().get(pk=item.campaign_id)  # one position at a time
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
        fill_slots(item=back, campaign=item.campaign, now=now)
        n_back += 1
    return n_back


def _needs_judgments(item: Item) -> bool:
    """Whether the item is held or spared, or has slots that are not judged."""
    return (
        item.held_at is not None
        or item.spared_at is not None
        or Slot.objects.filter(item=item).exclude(state=Slot.State.SUBMITTED).exists()
    )


# --- another overlap ------------------------------------------------------------------------------

_SURPLUS = """
DELETE FROM labeling_slot
-- tested again on a row that a claim has just taken: no lease is ever deleted
WHERE state = 'free' AND id IN (
    SELECT id FROM (
        SELECT
            s.id,
            s.state,
            -- number each item's slots, those in use first, so that the free ones come last
            ROW_NUMBER() OVER (
                PARTITION BY s.item_id ORDER BY s.state = 'free', s.number
            ) AS place
        FROM labeling_slot s
        JOIN labeling_item i ON i.id = s.item_id
        WHERE s.campaign_id = %(campaign)s
        -- calibration items, repeats and golds do not follow the overlap
        AND NOT i.is_calibration AND i.repeat_of_id IS NULL AND NOT s.is_gold
    ) ranked
    -- free slots beyond the overlap
    WHERE ranked.state = 'free' AND ranked.place > %(overlap)s
)
"""


def adjust_to_overlap(*, campaign: Campaign) -> None:
    """Adjust each item's slots to the campaign's new overlap: delete free ones beyond it, add
    missing ones. Judged slots stay.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SURPLUS, {"campaign": campaign.pk, "overlap": campaign.overlap})
    slots = (
        Slot(
            item_id=pk,
            campaign=campaign,
            number=number,
            queue_rank=order.fresh_rank(order=campaign.order, position=position, number=number),
        )
        for pk, position, number in _missing(Item.objects.filter(campaign=campaign), campaign)
    )
    n_added = 0
    while new := list(islice(slots, BATCH)):
        n_added += len(Slot.objects.bulk_create(new))
    if n_added:
        order.restart_campaign(campaign)


def _missing(rows: QuerySet[Item], campaign: Campaign) -> Iterator[tuple[int, int, int]]:
    """(item, its position, the slot's number) of each slot that the campaign's overlap asks for."""
    plain = undecided(rows.filter(is_calibration=False, repeat_of=None, held_at=None))
    short = plain.annotate(n=Count("slots"), last=Max("slots__number")).filter(
        n__lt=campaign.overlap
    )
    for pk, position, n, last in short.values_list("pk", "position", "n", "last").iterator(
        chunk_size=BATCH
    ):
        first = 0 if last is None else last + 1
        for number in range(first, first + campaign.overlap - n):
            yield pk, position, number
