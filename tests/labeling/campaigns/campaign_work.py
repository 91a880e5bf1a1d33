"""Form data, answers and skips for the tests of campaign pages."""

from datetime import datetime
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue import slots
from labeling.queue.claiming import claim, order
from tests.cast import NOON


def comparing(pool: Pool, guideline: Guideline, **fields: Any) -> dict[str, Any]:
    """What the form posts."""
    return {
        "name": "Which is better",
        "kind": "comparison",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "n_responses": 4,
        "overlap": 2,
        "order": "finish_first",
        "lease_minutes": 30,
        "asks_reason": "on",
        "is_unused": "on",
    } | fields


def judge(campaign: Campaign, rater: Rater, *, active_s: float = 60.0) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    places = range(len(order.presented(slot)))
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(
            ranks={place: place + 1 for place in places},
            ratings={place: {"overall": 4} for place in places},
        ),
        recorded=Recorded(active_s=active_s),
        now=NOON,
    )


def rank_next(
    campaign: Campaign,
    rater: Rater,
    *,
    ranks: dict[int, int | None] | None = None,
    now: datetime,
    **given: Any,
) -> Judgment:
    """The rater claims what comes next and ranks it: first to fourth as shown, unless `ranks` says
    otherwise.
    """
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(
            ranks=ranks or {0: 1, 1: 2, 2: 3, 3: 4},
            ratings={position: {"overall": 4} for position in range(4)},
            **given,
        ),
        now=now,
    )


def write_next(
    campaign: Campaign, rater: Rater, *, text: str = "An answer.", now: datetime
) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease, rater=rater, answer=DemonstrationAnswer(text=text), now=now
    )


def skip_next(campaign: Campaign, rater: Rater, *, reason: str, now: datetime) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    slots.skip(lease=slot.lease, rater=rater, reason=reason, now=now)
