"""Tells consumers which judgments stopped counting, or count again: rows for the API, and webhook
events.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import takewhile

from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from labeling.models import Judgment, JudgmentEvent
from labeling.queue.feed import SETTLED_AFTER

IDS_AT_ONCE = 1_000
"""Judgments per webhook message: a rater may withdraw tens of thousands at once."""

BATCH = 2_000
_EVENTS = {
    JudgmentEvent.Kind.WITHDRAWN: Event.JUDGMENT_WITHDRAWN,
    JudgmentEvent.Kind.SET_ASIDE: Event.JUDGMENT_SET_ASIDE,
    JudgmentEvent.Kind.RESTORED: Event.JUDGMENT_RESTORED,
}


def record(
    *, kind: JudgmentEvent.Kind, judgments: Collection[int], rater_alias: str, now: datetime
) -> None:
    """Record that these judgments of one rater changed; call it in the transaction of the change.
    Golds have no events, because no consumer gets them.
    """
    of_consumers = Judgment.of_people.filter(pk__in=judgments, is_gold=False)
    ids = sorted(of_consumers.values_list("pk", flat=True))
    JudgmentEvent.objects.bulk_create(
        (JudgmentEvent(judgment_id=pk, kind=kind, at=now) for pk in ids), batch_size=BATCH
    )
    for start in range(0, len(ids), IDS_AT_ONCE):
        chunk = ids[start : start + IDS_AT_ONCE]
        webhooks_services.send_event(
            event=_EVENTS[kind],
            key=f"judgments-{kind}-{chunk[0]}-{now.timestamp()}",
            data={"rater": rater_alias, "judgments": chunk},
            now=now,
        )


def event_feed(*, after_id: int = 0, n: int, now: datetime) -> list[JudgmentEvent]:
    """At most `n` events after the cursor, oldest first. Like the feed of judgments, it ends before
    events that are younger than SETTLED_AFTER, so that no cursor passes one that is still being
    written.
    """
    events = (
        JudgmentEvent.objects.filter(pk__gt=after_id, judgment__is_gold=False)
        .select_related("judgment__rater")
        .order_by("pk")[:n]
    )
    return list(takewhile(lambda event: event.at <= now - SETTLED_AFTER, events))
