"""The SQL of a claim, and of the check whether a claim would find something. Only the statements:
they run in labeling.queue.claiming.free_slots and labeling.queue.claiming.work_left.

docs/adr/0003-the-queue-is-sql.md explains why this is SQL, and which lines look useless but are
not. Comments are stripped before a statement is sent (item_tests.without_comments).
"""

from functools import lru_cache

from labeling.queue.claiming.item_tests import without_comments
from labeling.queue.claiming.order import REPEAT_AFTER

# One part of the queue: the first slot in it that the rater may have.
_PART = without_comments("""
    SELECT free.id FROM labeling_slot free
    -- these three are the condition of the partial index slot_free_queue
    WHERE free.campaign_id = %(campaign)s AND free.state = 'free' AND free.reserved_for_id IS NULL
    -- from the rater's place on; a sweep starts at the head
    AND {bounds}
    -- not met before, and matches the rater: see item_tests and routing
    AND {fits}
    -- the index has this order, so the search stops at the first match
    ORDER BY free.queue_rank LIMIT 1
    -- two concurrent claims take two slots, and neither waits
    {lock}
""")
_FROM_PLACE = {
    "returned": without_comments("""
        -- a rater without a place starts below every rank
        free.queue_rank > COALESCE((SELECT returned_rank FROM place), %(returned_floor)s)
        -- returned slots have ranks below zero, fresh ones from zero on
        AND free.queue_rank < 0
    """),
    "fresh": "free.queue_rank > COALESCE((SELECT fresh_rank FROM place), %(fresh_floor)s)",
}
_FROM_HEAD = {"returned": "free.queue_rank < 0", "fresh": "free.queue_rank >= 0"}

# The rater's oldest waiting repeat, once they have given enough other judgments in between.
_REPEAT = without_comments(
    f"""
    SELECT free.id FROM labeling_slot free
    -- the condition of the partial index slot_reserved
    WHERE free.campaign_id = %(campaign)s AND free.state = 'free'
    AND free.reserved_for_id = %(rater)s
    AND {{fits}}
    -- at least this many other judgments since the original
    AND {REPEAT_AFTER} <= (
        SELECT COUNT(*) FROM (
            SELECT 1 FROM labeling_judgment later
            WHERE later.rater_id = %(rater)s AND later.submitted_at > free.reserved_at
            AND later.is_current
            -- stop counting there: a veteran has thousands of later judgments
            LIMIT {REPEAT_AFTER}
        ) others
    )
    ORDER BY free.reserved_at LIMIT 1
    {{lock}}
    """  # noqa: S608  # our own number
)

# How far the rater has come, if they have had anything from this queue.
_PLACE = without_comments("""
    place AS (
        SELECT * FROM labeling_queueplace
        WHERE campaign_id = %(campaign)s AND rater_id = %(rater)s
    )
""")

# The claim. A repeat comes first, then returned slots, then fresh ones. PostgreSQL evaluates a
# branch of the UNION only if those before it are empty, so no slot is locked for nothing.
_CLAIM = without_comments("""
    WITH {place},
    {repeat}
    returned AS ({returned}),
    fresh AS ({fresh}),
    chosen AS (
        {first_of} SELECT id FROM returned UNION ALL SELECT id FROM fresh LIMIT 1
    )
    {take}
""")

# Leases the chosen slot.
_TAKE = without_comments("""
    UPDATE labeling_slot
    SET state = 'leased', rater_id = %(rater)s, lease = %(lease)s,
        leased_at = %(now)s, expires_at = %(expires_at)s,
        -- the current guideline, even if it changes while the rater works
        guideline_version_id = %(guideline_version)s,
        -- one seed per rater and campaign, so an item always has the same order
        seed = COALESCE((SELECT seed FROM place), %(seed)s)
    WHERE id = (SELECT id FROM chosen)
    -- queue_rank is not changed: it says where in the queue the slot was
    RETURNING id, item_id, number, seed, queue_rank, reserved_for_id
""")

# Moves the rater's place past the slot just taken.
_REMEMBER = without_comments("""
    INSERT INTO labeling_queueplace
        (campaign_id, rater_id, seed, returned_rank, fresh_rank, n_claims)
    SELECT %(campaign)s, %(rater)s, seed,
        -- never past the settled returned slots: a younger one may commit late,
        -- and would then lie behind the place
        CASE WHEN queue_rank < 0 AND queue_rank < %(settled)s THEN queue_rank
            ELSE %(settled)s END,
        -- a fresh slot moves the place to its rank; for a returned one this is a mark, see below
        CASE WHEN queue_rank < 0 THEN %(fresh_floor)s ELSE queue_rank END,
        0
    FROM {taken}
    -- a repeat is not in the queue, so the place stays
    WHERE reserved_for_id IS NULL
    ON CONFLICT (campaign_id, rater_id) DO UPDATE SET
        returned_rank = excluded.returned_rank,
        -- the mark of a returned slot: keep the place among the fresh ones
        fresh_rank = CASE WHEN excluded.fresh_rank = %(fresh_floor)s
            THEN labeling_queueplace.fresh_rank ELSE excluded.fresh_rank END
""")

# PostgreSQL changes the lease and the place in one statement. SQLite changes one table per
# statement, so there the second statement gets the taken slot as values.
_TAKE_AND_REMEMBER = without_comments(f"""
    , taken AS ({_TAKE}),
    moved AS ({_REMEMBER.format(taken="taken")})
    SELECT * FROM taken
""")  # noqa: S608  # texts from above
REMEMBER = _REMEMBER.format(
    taken=without_comments("""
        (
            SELECT %(queue_rank)s AS queue_rank, %(place_seed)s AS seed,
                %(reserved_for)s AS reserved_for_id
        ) taken
    """)
)

# Whether a claim without a sweep would find something. Locks nothing.
_PROBE = without_comments("""
    WITH {place}
    SELECT EXISTS ({returned})
    OR EXISTS ({fresh})
    -- a lapsed lease goes to the next rater who asks
    OR EXISTS (
        SELECT 1 FROM labeling_slot free
        WHERE free.campaign_id = %(campaign)s AND free.state = 'leased'
        AND free.expires_at <= %(now)s
        AND NOT free.is_gold AND free.reserved_for_id IS NULL
        AND {fits}
    )
    {or_repeat}
""")


@lru_cache(maxsize=256)
def claim(
    *, fits: str, repeat_fits: str | None, is_sweep: bool = False, is_postgresql: bool
) -> str:
    """`fits` and `repeat_fits` are conditions on free.item_id: for a slot of the queue, and for a
    repeat (None if the campaign has none). A sweep starts at the head of the queue.
    """
    lock = "FOR UPDATE OF free SKIP LOCKED" if is_postgresql else ""
    repeat = ""
    if repeat_fits is not None:
        repeat = f"repeat AS ({_REPEAT.format(fits=repeat_fits, lock=lock)}),"
    return _CLAIM.format(
        place=_PLACE,
        repeat=repeat,
        first_of="SELECT id FROM repeat UNION ALL" if repeat else "",
        take=_TAKE_AND_REMEMBER if is_postgresql else _TAKE,
        **_parts(bounds=_FROM_HEAD if is_sweep else _FROM_PLACE, fits=fits, lock=lock),
    )


def probe(*, fits: str, repeat_fits: str | None) -> str:
    or_repeat = ""
    if repeat_fits is not None:
        or_repeat = f"OR EXISTS ({_REPEAT.format(fits=repeat_fits, lock='')})"
    parts = _parts(bounds=_FROM_PLACE, fits=fits, lock="")
    return _PROBE.format(place=_PLACE, fits=fits, or_repeat=or_repeat, **parts)


def _parts(*, bounds: dict[str, str], fits: str, lock: str) -> dict[str, str]:
    return {
        name: _PART.format(bounds=bound, fits=fits, lock=lock) for name, bound in bounds.items()
    }
