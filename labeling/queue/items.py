"""Items of a campaign after it was made: held and released, filled up to their overlap, given to
all raters of a pool.

Slots that are added later join the line behind those that were given back, so that every rater's
place in it stays right.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from labeling.models import Campaign, Gold, Item, ItemResponse, Pool, Prompt, Rater, Slot
from labeling.queue import admission, order
from labeling.queue.item_tests import met

BATCH = 2_000


def hold(*, item_ids: Collection[int], now: datetime) -> None:
    """Stop giving these out. Raters can still submit what they hold; a slot that they give back is
    deleted.
    """
    Item.objects.filter(pk__in=item_ids, held_at=None).update(held_at=now)
    free_slots(Slot.objects.filter(item__in=item_ids)).delete()


def let_go(*, item_ids: Collection[int], now: datetime) -> None:
    """Give these out again, up to their overlap, unless their prompt was retired. (The prompt of an
    imported gold was retired from the start.)
    """
    in_use = Q(prompt__retired_at=None) | Q(gold_use__gold__origin=Gold.Origin.IMPORT)
    found = Item.objects.filter(in_use, pk__in=item_ids).exclude(held_at=None)
    freed = list(found.select_related("campaign"))
    Item.objects.filter(pk__in=[item.pk for item in freed]).update(held_at=None)
    for item in freed:
        fill(item=item, campaign=item.campaign, now=now)


def fill(*, item: Item, campaign: Campaign, now: datetime) -> None:
    """Add slots up to the campaign's overlap. `level` does that for a calibration item; a decided
    item gets none.
    """
    if item.is_calibration:
        level(campaign=campaign, now=now, item_ids=[item.pk])
    elif item.repeat_of_id is None and not is_decided(item_id=item.pk):
        n_missing = campaign.overlap - Slot.objects.filter(item=item).count()
        add_slots(item_id=item.pk, campaign=campaign, n=n_missing, now=now)


def undecided(rows: QuerySet[Item]) -> QuerySet[Item]:
    """Items that ask raters for the right order: not golds, and not items that a gold in use was
    made of.
    """
    became_gold = Gold.objects.filter(made_from=OuterRef("pk"), retired_at=None)
    return rows.filter(~Exists(became_gold), gold_use=None)


def is_decided(*, item_id: int) -> bool:
    """Whether the right order is known: the item takes no more judgments."""
    return not undecided(Item.objects.filter(pk=item_id)).exists()


def add_slots(*, item_id: int, campaign: Campaign, n: int, now: datetime) -> None:
    """Where two could add at once, the caller locks the item's row. The constraint on numbers
    catches the rest.
    """
    last = Slot.objects.filter(item=item_id).aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    rank = order.returned_rank(now)
    Slot.objects.bulk_create(
        Slot(item_id=item_id, campaign=campaign, number=number, queue_rank=rank)
        for number in range(first, first + max(0, n))
    )


def free_slots(slots: QuerySet[Slot]) -> QuerySet[Slot]:
    """Those that nobody holds, locked. A slot that a claim is taking right now is left out."""
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
    """After raters joined or left: in each of the pool's campaigns that is not closed, calibration
    is for the raters who are at work now.
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
    """Give every undecided calibration item as many free slots as there are raters at work who have
    not met it.

    Before the campaign opens, these stand in the line at their item's place; later, at the front. A
    closed campaign is levelled when it is opened again.
    """
    if not campaign.calibration_percent or campaign.state == Campaign.State.CLOSED:
        return
    # One leveling after the other. no_key, because others insert rows of this campaign meanwhile,
    # and a submit that pauses its rater may be one of them.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    found = undecided(Item.objects.filter(campaign=campaign, is_calibration=True, held_at=None))
    found = found if item_ids is None else found.filter(pk__in=item_ids)
    items = list(found.only("pk", "position"))
    raters = set(admission.at_work(campaign=campaign).values_list("pk", flat=True))
    pairs = met(item_ids=[item.pk for item in items], rater_ids=raters)
    n_met = Counter(item_id for item_id, _rater_id in pairs)
    counted = Slot.objects.filter(item__in=[item.pk for item in items]).values("item_id")
    slots = {
        row["item_id"]: row
        for row in counted.annotate(last=Max("number"), n_free=Count("pk", filter=Q(state="free")))
    }
    new, surplus = [], []
    for item in items:
        standing = slots.get(item.pk, {"last": -1, "n_free": 0})
        n_more = len(raters) - n_met[item.pk] - standing["n_free"]
        rank = order.returned_rank(now)
        if campaign.opened_at is None:
            rank = order.calibration_rank(order=campaign.order, position=item.position)
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


# --- another version of a prompt ------------------------------------------------------------------


def ask_again(*, old: Prompt, new: Prompt, now: datetime) -> int:
    """Ask for the judgments that items of `old` still lack with `new` instead, in campaigns that
    are not closed; how many items were added.

    The old items stay, with what was judged on them. An item of a comparison comes back only when
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
    """An item that is held, or has slots left."""
    return (
        item.held_at is not None
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


def fit_overlap(*, campaign: Campaign) -> None:
    """Make each item's slots as many as the campaign's overlap is now: delete free ones beyond it,
    add missing ones. What was judged stays.
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
            rank = order.fresh_rank(order=campaign.order, position=position, number=number)
            new.append(Slot(item_id=pk, campaign=campaign, number=number, queue_rank=rank))
        if len(new) >= BATCH:
            n_added += len(Slot.objects.bulk_create(new))
            new = []
    n_added += len(Slot.objects.bulk_create(new))
    if n_added:
        order.restart_campaign(campaign)
