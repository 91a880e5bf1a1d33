"""Shared data of the gold tests: orders, raters who rank by them, and a file of golds."""

import io
import json
from datetime import timedelta
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, Case, Item, Judgment, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from tests.cast import NOON
from tests.tooling.recordings import recorded

RIGHT, WRONG = [0, 1, 2, 3], [3, 2, 1, 0]


def rank_by(
    slot: Slot, order: list[int], *, rater: Rater, at: int = 0, active_s: float = 40
) -> Judgment:
    """Rank the responses of a slot by their numbers in `order`, best first."""
    shown = claiming_order.presented(slot)
    ranks: dict[int, int | None] = {
        place: order.index(response.number) + 1 for place, response in enumerate(shown)
    }
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(ranks=ranks, ratings={place: {"overall": 4} for place in ranks}),
        recorded=Recorded(active_s=active_s),
        now=NOON + timedelta(minutes=at),
    )


def gold_order(item: Item) -> dict[int, int | None]:
    return {response.pk: response.number + 1 for response in item.responses.all()}


@recorded
def work_through(
    campaign: Campaign, rater: Rater, *, n: int, on_gold: list[int], at: int = 0
) -> list[Judgment]:
    given = []
    for number in range(n):
        now = NOON + timedelta(minutes=at + number)
        slot = claim.claim(campaign=campaign, rater=rater, now=now)
        assert slot is not None
        given.append(rank_by(slot, on_gold if slot.is_gold else RIGHT, rater=rater, at=at + number))
    return given


@recorded
def next_gold(campaign: Campaign, rater: Rater) -> Slot:
    """The first gold this rater is given, ordinary items judged on the way."""
    for number in range(20):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
        assert slot is not None
        if slot.is_gold:
            return slot
        rank_by(slot, RIGHT, rater=rater, at=number)
    raise AssertionError("no gold came")


def skip_as_offensive(slot: Slot | None, rater: Rater) -> Case:
    assert slot is not None
    assert slot.lease is not None
    slots.skip(lease=slot.lease, rater=rater, reason="offensive", now=NOON)
    return Case.objects.get(item=slot.item_id)


def lines(*rows: Any) -> io.BytesIO:
    """A file of golds."""
    return io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows))


GOOD = {
    "prompt": "What is 2 + 2?",
    "responses": ["4", "5", "six", "I do not know"],
    "ranks": [1, 2, 3, 3],
    "note": "Sums.",
}
