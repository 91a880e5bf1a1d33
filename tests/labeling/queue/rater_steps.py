"""Single steps of a rater in the queue, for tests: claim an item, write or compare."""

from datetime import datetime, timedelta
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer
from labeling.models import Campaign, Judgment, Rater, Slot
from labeling.queue.claiming import claim as claiming_claim
from tests.cast import NOON, lease_of

ALL_RANKED: dict[str, Any] = {
    "ranks": {0: 1, 1: 2, 2: 3, 3: 4},
    "ratings": {n: {"overall": "4"} for n in range(4)},
}


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def claim(campaign: Campaign, rater: Rater, now: datetime = NOON) -> Slot:
    slot = claiming_claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    return slot


def write(campaign: Campaign, rater: Rater, now: datetime = NOON) -> Judgment:
    slot = claim(campaign, rater, now)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text="Four."), now=now
    )


def judge(slot: Slot, rater: Rater, **given: Any) -> Judgment:
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=ComparisonAnswer(**ALL_RANKED | given), now=NOON
    )
