"""Demonstrations that reviewers set aside, and how many count for each item, for tests."""

from collections import Counter
from datetime import datetime, timedelta

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Judgment, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def written(
    campaign: Campaign, rater: Rater, *, text: str = "Four.", minutes: float = 0
) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=after(minutes))
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=after(minutes)
    )


def counted(campaign: Campaign) -> dict[int, int]:
    """By item, the judgments that fill its overlap."""
    found = Judgment.of_people.filter(
        campaign=campaign, is_extra=False, set_aside=None
    ).values_list("item_id", flat=True)
    return dict(Counter(pk for pk in found if pk is not None))
