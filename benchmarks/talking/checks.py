"""What the tables show of conversations at the end: turns lost, stored twice, or never ended.
Import it after django.setup().
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

WHOLE = """
SELECT count(*) FROM labeling_conversationturn t
JOIN labeling_judgment j ON j.lease = t.lease
JOIN labeling_response r ON r.id = t.chosen_id
WHERE t.lease = ANY(%s::uuid[]) AND t.state = 'rated'
AND 2 = (SELECT count(*) FROM labeling_rankedresponse x
  WHERE x.comparison_id = j.id AND x.rank IS NOT NULL)
AND EXISTS (SELECT FROM labeling_rankedresponse x
  WHERE x.comparison_id = j.id AND x.response_id = r.id AND x.rank = 1)
AND NOT EXISTS (SELECT FROM labeling_conversationturn n
  JOIN labeling_prompt p ON p.id = n.prompt_id
  WHERE n.conversation_id = t.conversation_id AND n.number = t.number + 1
  AND p.messages->-2->>'content' <> r.text)
"""
TWICE = (
    # More than one comparison of a turn, or more than two answers shown.
    "SELECT count(*) FROM labeling_conversationturn t WHERE 1 <"
    " (SELECT count(*) FROM labeling_judgment j WHERE j.item_id = t.item_id)",
    "SELECT count(*) FROM labeling_conversationturn t WHERE 2 <"
    " (SELECT count(*) FROM labeling_itemresponse r WHERE r.item_id = t.item_id)",
    # Two answers at one place, two turns of one number, answers that nobody asked for.
    "SELECT count(*) FROM (SELECT FROM labeling_turnrequest WHERE state = 'answered'"
    " GROUP BY turn_id, round, place HAVING count(*) > 1) x",
    "SELECT count(*) FROM (SELECT FROM labeling_conversationturn"
    " GROUP BY conversation_id, number HAVING count(*) > 1) x",
    "SELECT count(*) FROM labeling_response r JOIN labeling_source s ON s.id = r.source_id"
    " WHERE s.kind = 'model' AND NOT EXISTS"
    " (SELECT FROM labeling_turnrequest q WHERE q.response_id = r.id)",
)
STUCK = (
    "SELECT count(*) FROM labeling_turnrequest WHERE state IN ('queued', 'claimed')",
    "SELECT count(*) FROM labeling_conversationturn WHERE state = 'waiting'",
    "SELECT count(*) FROM labeling_slot s JOIN labeling_campaign c ON c.id = s.campaign_id"
    " WHERE c.kind = 'conversation' AND s.state = 'leased'",
)


def n_lost(leases: Sequence[str]) -> int:
    """Turns reported as saved that are not stored whole, or whose better answer did not go on."""
    return len(set(leases)) - _count(WHOLE, [list(leases)])


def n_double() -> int:
    return sum(_count(statement) for statement in TWICE)


def n_stuck() -> int:
    """Requests and turns that still wait, and openings that are still held, when all have left."""
    return sum(_count(statement) for statement in STUCK)


def _count(statement: str, values: Sequence[Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])
