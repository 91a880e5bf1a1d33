"""The order in which a campaign's slots are handed out, and how far each rater has come in it.

A campaign's free slots form one queue, ordered by `Slot.queue_rank`, lowest first:

- slots that were returned or added (rank below zero), in the order in which they came, then
- fresh slots that nobody has had, item by item (finish first) or round by round (spread).

Repeats for self-agreement are not in the queue: such a slot is reserved for the rater who judged
the original, and comes before all others once that rater has given REPEAT_AFTER other judgments.
The slots of a calibration item share one rank, so a rater who took one of them has passed them all.
Golds are not in the queue either: a slot is created when it is time for a gold
(labeling.queue.gold.turns).

A slot can leave the queue anywhere, but it only joins behind the returned ones. So a rater never
has to look again at slots they have passed, and a QueuePlace stores how far each rater has come: a
claim costs the same after 100,000 judgments as for a newcomer. A claim can miss a slot that was
locked by another claim which then failed. Before the page says that nothing is left, a sweep
searches the whole queue, at most once a minute.

When a rater's skills or agreements change (see routing), they start at the head again.
"""

import random
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import BigAutoField, F, QuerySet

from config.performance.compiled import Compiled
from labeling.models import Campaign, PastLease, Pool, Prompt, QueuePlace, Rater, Response, Slot
from labeling.votes import counting

RETURNED_FLOOR = -(2**62)
FRESH_FLOOR = -1
"""Below every rank of its part of the queue."""
AT_HEAD = {"returned_rank": RETURNED_FLOOR, "fresh_rank": FRESH_FLOOR}
"""The place of a rater who starts at the head of the queue."""
SETTLED_AFTER = timedelta(seconds=60)
"""Slots returned longer ago than this are committed and in their final place. Every claim looks
again at younger ones.
"""
SWEEP_EVERY = timedelta(seconds=60)
MAX_SLOTS = 100
"""Gap between two items' ranks; more than an item can have slots."""
MAX_ITEMS = 2**40
REPEAT_AFTER = 8
"""Number of judgments that a rater gives between an item and its repeat."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

_SHOWN = Compiled(
    lambda item: (
        Response.objects.filter(item_responses__item=item)
        .only("text", "reasoning_content", "tool_calls")
        .annotate(
            original=F("item_responses__item__repeat_of"), is_withdrawn=counting.by_withdrawn()
        )
        .order_by("pk")
    ),
    item=BigAutoField(),
)


def fresh_rank(*, order: str, position: int, number: int) -> int:
    """The rank of a slot that nobody has had. `position` is its item's, `number` its own in the
    item.
    """
    if order == Campaign.Order.SPREAD:
        return number * MAX_ITEMS + position
    return position * MAX_SLOTS + number


def calibration_rank(*, order: str, position: int) -> int:
    """The shared rank of all slots of a calibration item at `position`."""
    return fresh_rank(order=order, position=position, number=0)


def returned_rank(now: datetime) -> int:
    """The rank of a slot returned or added at `now`: before all fresh ones, behind all that were
    returned earlier.
    """
    return RETURNED_FLOOR + (now - _EPOCH) // timedelta(microseconds=1)


# --- a rater's place ------------------------------------------------------------------------------


def new_seed() -> int:
    return secrets.randbits(62)


def settled_rank(now: datetime) -> int:
    """Among returned slots, a place moves up to this rank and no further: see SETTLED_AFTER."""
    return returned_rank(now - SETTLED_AFTER)


def is_sweep_due(*, campaign: Campaign, rater: Rater, now: datetime) -> bool:
    """Whether enough time has passed since the last search of the whole queue."""
    places = QueuePlace.objects.filter(campaign=campaign, rater=rater)
    return not places.filter(swept_at__gt=now - SWEEP_EVERY).exists()


def remember_empty(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    """The whole queue has nothing for this rater: from now on, look only at slots that come
    back.
    """
    place = QueuePlace(
        campaign=campaign,
        rater=rater,
        seed=new_seed(),
        fresh_rank=MAX_ITEMS * MAX_SLOTS,
        returned_rank=settled_rank(now),
        swept_at=now,
    )
    moved = ["fresh_rank", "returned_rank", "swept_at"]
    QueuePlace.objects.bulk_create(
        [place], update_conflicts=True, unique_fields=["campaign", "rater"], update_fields=moved
    )


def restart_rater(rater: Rater) -> None:
    """Call when the rater's skills or agreements change: their next claims start at the head."""
    _restart(QueuePlace.objects.filter(rater=rater))


def restart_pool(pool: Pool) -> None:
    """Call when the pool's routing changes."""
    _restart(QueuePlace.objects.filter(campaign__pool=pool))


def restart_campaign(campaign: Campaign) -> None:
    """Call when slots were put into the middle of the queue."""
    _restart(QueuePlace.objects.filter(campaign=campaign))


def restart_campaigns_with(prompt: Prompt) -> None:
    """Call when the prompt's language, category or content kinds change."""
    with_prompt = Campaign.objects.filter(items__prompt=prompt)
    _restart(QueuePlace.objects.filter(campaign__in=with_prompt))


def _restart(places: "QuerySet[QueuePlace]") -> None:
    places.update(**AT_HEAD, swept_at=None)


# --- what a rater is shown ------------------------------------------------------------------------


def presented(lease: Slot | PastLease) -> list[Response]:
    """The item's responses in the order in which this rater sees them: A, B, C… The order comes
    from the lease's seed, so response ids do not reveal it.

    A repeat shows its original's order reversed.
    """
    rows = _SHOWN.all(item=lease.item_id)
    original_id: int | None = rows[0].original if rows else None
    order = shuffled(rows, seed=lease.seed or 0, item_id=original_id or lease.item_id)
    return order[::-1] if original_id else order


def shuffled(responses: Sequence[Response], *, seed: int, item_id: int) -> list[Response]:
    """`responses` (sorted by id) in the order that `seed` gives for this item."""
    order = list(responses)
    random.Random(f"{seed}:{item_id}").shuffle(order)  # noqa: S311  # an order, not a secret
    return order
