"""Judgments to review, for tests."""

from datetime import timedelta

from labeling.models import Campaign, Item, Judgment, Rater
from labeling.queue.claiming import claim
from labeling.review import selectors as review_selectors
from tests.cast import NOON
from tests.labeling.queue.gold.scene import rank_by
from tests.tooling.recordings import recorded


@recorded
def judge(
    campaign: Campaign,
    rater: Rater,
    orders: list[list[int]],
    *,
    active_s: list[float] | None = None,
) -> list[Judgment]:
    """One judgment after the other, each by its order of response numbers."""
    given = []
    for number, order in enumerate(orders):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
        assert slot is not None
        seconds = active_s[number] if active_s else 40
        given.append(rank_by(slot, order, rater=rater, at=number, active_s=seconds))
    return given


def queued(campaign: Campaign, order: str) -> list[int]:
    return [row.item_id for row in review_selectors.review_queue(campaign=campaign, order=order)]


def item_at(campaign: Campaign, place: int) -> Item:
    return campaign.items.order_by("position")[place]
