"""Which slot next: the policy, and the one statement behind it.

A campaign's free slots stand in one line, `Slot.queue_rank`, low first:

- slots that were given back or added (rank below zero), in the order in which they came, and behind
  them
- slots that nobody has had yet, item by item (finish first) or round by round (spread).

A repeat for self-agreement stands in no line: its slot is reserved for who judged the original, and
comes before all others once that rater has given REPEAT_AFTER other judgments. The slots of a
calibration item share one rank, so that whoever took one of them is past them all.

Slots leave the line anywhere and join it only behind the returned ones. So a rater who has once
been past a slot need never look at it again, and a QueuePlace remembers how far each rater has
come: a claim costs the same for somebody who has judged the first 100,000 items as for a newcomer.
What this can miss (a slot that was locked while we passed, by a claim that then failed) is found by
a sweep of the whole line, once a minute at most, when a rater would go home empty-handed.

What suits a rater at all (labeling.routing) is part of the same statement. Their place moves past
what does not suit them; when that changes, they start at the head again.

Golds stand in no line: a slot on one is made for a rater whose turn it is, at a place in the
rater's own order of claims that nobody can foresee, and is never free.
"""

import random
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import BigAutoField, Exists, F, OuterRef

from config.compiled import Compiled, Gap, execute, fetch
from labeling import routing
from labeling.models import Campaign, Judgment, Pass, PastLease, QueuePlace, Rater, Response, Slot

RETURNED_FLOOR = -(2**62)
FRESH_FLOOR = -1
"""Below every rank of its part of the line."""
SETTLED_AFTER = timedelta(seconds=60)
"""Returns older than this are committed and in their place; younger ones are looked at again by
every claim.
"""
SWEEP_EVERY = timedelta(seconds=60)
MAX_SLOTS = 100
"""More slots than an item can have: the room between two items' ranks."""
MAX_ITEMS = 2**40
REPEAT_AFTER = 8
"""Judgments that a rater gives between an item and the same item again."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

# OFFSET 0 keeps PostgreSQL from turning these tests into joins over all that the rater has done,
# and "+ 0" from looking through all that the rater has done for one item: an item has few slots, a
# rater has many.
_NOT_MET = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM {table} met WHERE met.item_id = free.item_id"  # noqa: S608  # three names of our own
    " AND met.rater_id + 0 = %(rater)s LIMIT 1 OFFSET 0)"
    for table in ("labeling_slot", "labeling_pass", "labeling_judgment")
)
_FROM_PLACE = {
    "returned": (
        "free.queue_rank > COALESCE((SELECT returned_rank FROM place), %(returned_floor)s) AND"
        " free.queue_rank < 0"
    ),
    "fresh": "free.queue_rank > COALESCE((SELECT fresh_rank FROM place), %(fresh_floor)s)",
}
_FROM_HEAD = {"returned": "free.queue_rank < 0", "fresh": "free.queue_rank >= 0"}
_PART = """
    SELECT free.id FROM labeling_slot free
    WHERE free.campaign_id = %(campaign)s AND free.state = 'free' AND free.reserved_for_id IS NULL AND {bounds} AND {not_met}
    ORDER BY free.queue_rank LIMIT 1 {lock}
"""
# The inner limit stops the count: a veteran's thousands of later judgments are not walked.
_REPEAT = f"""
    SELECT free.id FROM labeling_slot free
    WHERE free.campaign_id = %(campaign)s AND free.state = 'free' AND free.reserved_for_id = %(rater)s AND {{not_met}}
    AND {REPEAT_AFTER} <= (SELECT COUNT(*) FROM (
        SELECT 1 FROM labeling_judgment later
        WHERE later.rater_id = %(rater)s AND later.submitted_at > free.reserved_at AND later.is_current LIMIT {REPEAT_AFTER}
    ) others)
    ORDER BY free.reserved_at LIMIT 1 {{lock}}
"""  # noqa: S608  # a number of ours
_CLAIM = """
WITH place AS (SELECT * FROM labeling_queueplace WHERE campaign_id = %(campaign)s AND rater_id = %(rater)s),
{repeat}
returned AS ({returned}),
fresh AS ({fresh}),
chosen AS ({first_of} SELECT id FROM returned UNION ALL SELECT id FROM fresh LIMIT 1){take}
"""
_TAKE = """
UPDATE labeling_slot
SET state = 'leased', rater_id = %(rater)s, lease = %(lease)s, leased_at = %(now)s, expires_at = %(expires_at)s,
    guideline_version_id = %(guideline_version)s, seed = COALESCE((SELECT seed FROM place), %(seed)s)
WHERE id = (SELECT id FROM chosen)
RETURNING id, item_id, number, seed, queue_rank, reserved_for_id
"""
# Behind the slot just taken; a reserved one stood in no line. A returned slot leaves the place
# among the fresh ones alone.
_REMEMBER = """
INSERT INTO labeling_queueplace (campaign_id, rater_id, seed, returned_rank, fresh_rank, n_claims)
SELECT %(campaign)s, %(rater)s, seed,
    CASE WHEN queue_rank < 0 AND queue_rank < %(settled)s THEN queue_rank ELSE %(settled)s END,
    CASE WHEN queue_rank < 0 THEN %(fresh_floor)s ELSE queue_rank END, 0
FROM {taken} WHERE reserved_for_id IS NULL
ON CONFLICT (campaign_id, rater_id) DO UPDATE SET returned_rank = excluded.returned_rank,
    fresh_rank = CASE WHEN excluded.fresh_rank = %(fresh_floor)s THEN labeling_queueplace.fresh_rank ELSE excluded.fresh_rank END
"""
# In PostgreSQL a claim is one statement with its place; SQLite changes one table at a time.
_TAKE_AND_REMEMBER = (
    ", taken AS ("  # noqa: S608
    + _TAKE
    + "), moved AS ("
    + _REMEMBER.format(taken="taken")
    + ") SELECT * FROM taken"
)
_AS_TAKEN = (
    "(SELECT %(queue_rank)s AS queue_rank, %(place_seed)s AS seed, %(reserved_for)s AS"
    " reserved_for_id) taken"
)

_PROBE = """
WITH place AS (SELECT * FROM labeling_queueplace WHERE campaign_id = %(campaign)s AND rater_id = %(rater)s)
SELECT EXISTS ({returned}) OR EXISTS ({fresh}) OR EXISTS (
    SELECT 1 FROM labeling_slot free
    WHERE free.campaign_id = %(campaign)s AND free.state = 'leased' AND free.expires_at <= %(now)s AND NOT free.is_gold
    AND free.reserved_for_id IS NULL AND {not_met}
) {or_repeat}
"""


_SHOWN = Compiled(
    lambda: (
        Response.objects.filter(item_responses__item=Gap("item", BigAutoField()))
        .only("text")
        .annotate(original=F("item_responses__item__repeat_of"))
        .order_by("pk")
    )
)


def fresh_rank(*, order: str, position: int, number: int) -> int:
    """The rank of a slot that nobody has had: `position` is its item's, `number` its own within the
    item.
    """
    if order == Campaign.Order.SPREAD:
        return number * MAX_ITEMS + position
    return position * MAX_SLOTS + number


def calibration_rank(*, order: str, position: int) -> int:
    """The one rank of all slots of a calibration item that stands at `position`."""
    return fresh_rank(order=order, position=position, number=0)


def returned_rank(now: datetime) -> int:
    """The rank of a slot given back or added at `now`: in front of all fresh ones, behind all that
    came before.
    """
    return RETURNED_FLOOR + (now - _EPOCH) // timedelta(microseconds=1)


def claim_free(
    *, campaign: Campaign, rater: Rater, suits: routing.Fit, now: datetime, is_sweep: bool = False
) -> Slot | None:
    """Lease the first free slot for `rater` and move their place behind it; None when the line has
    none.

    A sweep starts at the line's head. The Slot comes back with `queue_rank` as it was.
    """
    lease = uuid.uuid4()
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "rater": rater.pk,
        "lease": _adapt_uuid(lease),
        "now": _adapt_time(now),
        "expires_at": _adapt_time(now + timedelta(minutes=campaign.lease_minutes)),
        "guideline_version": campaign.guideline_version_id,
        "seed": _new_seed(),
        "returned_floor": RETURNED_FLOOR,
        "fresh_floor": FRESH_FLOOR,
        "settled": returned_rank(now - SETTLED_AFTER),
    }
    statement = _claim_statement(
        is_sweep=is_sweep, has_repeats=campaign.repeat_percent > 0, suits=suits
    )
    row = _claimed(statement, values | suits.values)
    if row is None:
        return None
    pk, item_id, number, seed, queue_rank, reserved_for_id = row
    slot = Slot(
        pk=pk,
        item_id=item_id,
        campaign=campaign,
        number=number,
        state=Slot.State.LEASED,
        rater=rater,
        lease=lease,
        leased_at=now,
        expires_at=now + timedelta(minutes=campaign.lease_minutes),
        seed=seed,
        guideline_version_id=campaign.guideline_version_id,
        queue_rank=queue_rank,
        reserved_for_id=reserved_for_id,
    )
    slot._state.adding = False
    slot._state.db = "default"
    return slot


def _claimed(statement: str, values: dict[str, Any]) -> Sequence[Any] | None:
    if connection.vendor == "postgresql":
        return next(iter(fetch(statement, values)), None)
    with transaction.atomic():
        for row in fetch(statement, values):
            _pk, _item_id, _number, seed, queue_rank, reserved_for_id = row
            taken = {"queue_rank": queue_rank, "place_seed": seed, "reserved_for": reserved_for_id}
            execute(_REMEMBER.format(taken=_AS_TAKEN), values | taken)
            return row
    return None


def has_work(*, campaign: Campaign, rater: Rater, now: datetime) -> bool:
    """Whether a claim would find something now, short of a sweep. Reads what a claim reads, and
    takes nothing.
    """
    values = {
        "campaign": campaign.pk,
        "rater": rater.pk,
        "now": _adapt_time(now),
        "returned_floor": RETURNED_FLOOR,
        "fresh_floor": FRESH_FLOOR,
    }
    suits = routing.fit(campaign=campaign, rater=rater)
    fits = _NOT_MET + suits.sql
    parts = {
        name: _PART.format(bounds=bounds, not_met=fits, lock="")
        for name, bounds in _FROM_PLACE.items()
    }
    or_repeat = (
        f"OR EXISTS ({_REPEAT.format(not_met=_NOT_MET + suits.care_sql, lock='')})"
        if campaign.repeat_percent
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _PROBE.format(not_met=fits, or_repeat=or_repeat, **parts), values | suits.values
        )
        return bool(cursor.fetchone()[0])


def n_free(*, campaign: Campaign, most: int) -> int:
    """Free slots, counted as far as `most`: a number that costs the same however many there are."""
    free = Slot.objects.filter(
        campaign=campaign, state=Slot.State.FREE, reserved_for=None
    ).order_by("queue_rank")
    return free.values("queue_rank")[:most].count()


def lock_lapsed(
    *, campaign: Campaign, rater: Rater, suits: routing.Fit, now: datetime
) -> Slot | None:
    """The slot whose lease lapsed longest ago and that `rater` may have, locked. There is at most
    one for each other rater.
    """
    met = [
        Exists(table.objects.filter(item=OuterRef("item"), rater=rater))
        for table in (Slot, Pass, Judgment)
    ]
    lapsed = Slot.objects.filter(
        campaign=campaign, state=Slot.State.LEASED, expires_at__lte=now, is_gold=False
    )
    lapsed = lapsed.filter(suits.condition, reserved_for=None, item__held_at=None)
    for meeting in met:
        lapsed = lapsed.exclude(meeting)
    return lapsed.select_for_update(skip_locked=True, of=("self",)).order_by("expires_at").first()


def lease_to(*, slot: Slot, campaign: Campaign, rater: Rater, now: datetime) -> Slot:
    """Lease a locked slot to `rater`. Who has never been given anything from the line has their
    place at its head.
    """
    at_head = {"seed": _new_seed(), "fresh_rank": FRESH_FLOOR, "returned_rank": RETURNED_FLOOR}
    place, _is_new = QueuePlace.objects.get_or_create(
        campaign=campaign, rater=rater, defaults=at_head
    )
    fill_lease(slot=slot, campaign=campaign, rater=rater, seed=place.seed, now=now)
    slot.save(
        update_fields=[
            "rater",
            "state",
            "lease",
            "leased_at",
            "expires_at",
            "guideline_version",
            "seed",
        ]
    )
    return slot


def fill_lease(*, slot: Slot, campaign: Campaign, rater: Rater, seed: int, now: datetime) -> None:
    """What a lease says, put into a slot that is not saved yet."""
    slot.rater, slot.state = rater, Slot.State.LEASED
    slot.lease, slot.leased_at = uuid.uuid4(), now
    slot.expires_at = now + timedelta(minutes=campaign.lease_minutes)
    slot.guideline_version_id = campaign.guideline_version_id
    slot.seed = seed


def is_gold_turn(*, seed: int, n: int, share: int) -> bool:
    """Whether the claim number `n` (from 0) of a rater is a gold's, for a gold share in percent (at
    most 50).

    Each block of 100 / share claims holds exactly one, at a place drawn by the rater's seed; the
    very first claim never is.
    """
    if share <= 0:
        return False
    block = n * share // 100
    while (block + 1) * 100 // share <= n:
        block += 1
    start, end = block * 100 // share, (block + 1) * 100 // share
    place = random.Random(f"{seed}:gold:{block}").randrange(max(start, 1), end)  # noqa: S311  # an order, not a secret
    return n == place


def count_claim(*, campaign: Campaign, rater: Rater) -> None:
    QueuePlace.objects.filter(campaign=campaign, rater=rater).update(n_claims=F("n_claims") + 1)


def is_sweep_due(*, campaign: Campaign, rater: Rater, now: datetime) -> bool:
    """Whether the rater's place may hide something, and the last look at the whole line is long
    enough ago.
    """
    places = QueuePlace.objects.filter(campaign=campaign, rater=rater)
    return not places.filter(swept_at__gt=now - SWEEP_EVERY).exists()


def remember_empty(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    """The whole line holds nothing for this rater: only what comes back from now on can."""
    place = QueuePlace(
        campaign=campaign,
        rater=rater,
        seed=_new_seed(),
        fresh_rank=MAX_ITEMS * MAX_SLOTS,
        returned_rank=returned_rank(now - SETTLED_AFTER),
        swept_at=now,
    )
    moved = ["fresh_rank", "returned_rank", "swept_at"]
    QueuePlace.objects.bulk_create(
        [place], update_conflicts=True, unique_fields=["campaign", "rater"], update_fields=moved
    )


def presented(lease: Slot | PastLease) -> list[Response]:
    """The item's responses in the order this rater sees them: A, B, C… Fixed by the lease's seed;
    no id tells the order.

    A repeat shows its original's order from the end.
    """
    rows = _SHOWN.all(item=lease.item_id)
    original_id: int | None = rows[0].original if rows else None
    order = shuffled(rows, seed=lease.seed or 0, item_id=original_id or lease.item_id)
    return order[::-1] if original_id else order


def shuffled(responses: Sequence[Response], *, seed: int, item_id: int) -> list[Response]:
    """`responses` (sorted by id) in the order that `seed` gives them in this item."""
    order = list(responses)
    random.Random(f"{seed}:{item_id}").shuffle(order)  # noqa: S311  # an order, not a secret
    return order


def forget_places(*, campaign: Campaign) -> None:
    """Slots were put into the middle of the line: everybody looks through it from its head once
    more.
    """
    QueuePlace.objects.filter(campaign=campaign).update(
        fresh_rank=FRESH_FLOOR, returned_rank=RETURNED_FLOOR, swept_at=None
    )


def _claim_statement(*, is_sweep: bool, has_repeats: bool, suits: routing.Fit) -> str:
    is_postgresql = connection.vendor == "postgresql"
    lock = "FOR UPDATE OF free SKIP LOCKED" if is_postgresql else ""
    take = _TAKE_AND_REMEMBER if is_postgresql else _TAKE
    parts = {
        name: _PART.format(
            bounds=_FROM_HEAD[name] if is_sweep else _FROM_PLACE[name],
            not_met=_NOT_MET + suits.sql,
            lock=lock,
        )
        for name in ("returned", "fresh")
    }
    repeat = (
        f"repeat AS ({_REPEAT.format(not_met=_NOT_MET + suits.care_sql, lock=lock)}),"
        if has_repeats
        else ""
    )
    first_of = "SELECT id FROM repeat UNION ALL" if has_repeats else ""
    return _CLAIM.format(repeat=repeat, first_of=first_of, take=take, **parts)


def _new_seed() -> int:
    return secrets.randbits(62)


def _adapt_uuid(value: uuid.UUID) -> uuid.UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


def _adapt_time(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
