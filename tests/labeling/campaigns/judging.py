"""Comparison campaigns with raters who judge them, for tests."""

from datetime import datetime
from typing import Any

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater, Slot
from labeling.people.pools import services as pools_services
from labeling.queue import items
from labeling.queue.claiming import claim, order
from tests.cast import NOON, open_comparison_campaign
from tests.tooling.recordings import recorded


def comparing(
    pool: Pool,
    guideline: Guideline,
    *,
    n_items: int = 1,
    overlap: int = 2,
    **fields: Any,
) -> Campaign:
    values: dict[str, Any] = {"n_responses": 2, "overlap": overlap} | fields
    return open_comparison_campaign(pool=pool, guideline=guideline, n_items=n_items, **values)


@recorded
def raters_in(pool: Pool, n: int) -> list[Rater]:
    names = [f"rater {number}" for number in range(n)]
    users = User.objects.bulk_create(
        User(email=f"{name.replace(' ', '')}@example.org", name=name, is_rater=True)
        for name in names
    )
    raters = Rater.everyone.bulk_create(Rater(alias=user.name, user=user) for user in users)
    pools_services.add_raters(pool=pool, raters=raters, by=None, now=NOON)
    return raters


def prefer(
    slot: Slot | None,
    *,
    number: int | None = 0,
    now: datetime = NOON,
    active_s: float | None = None,
) -> Judgment:
    """Whoever holds the slot puts response `number` first; None ties all."""
    assert slot is not None
    assert slot.lease is not None
    assert slot.rater is not None
    shown = order.presented(slot)
    ranks: dict[int, int | None] = {
        place: 1 if number in (None, response.number) else 2 for place, response in enumerate(shown)
    }
    ratings = {place: {"overall": 4} for place in ranks}
    return submit.submit(
        lease=slot.lease,
        rater=slot.rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        recorded=Recorded(active_s=active_s),
        now=now,
    )


def judge_one(
    campaign: Campaign, rater: Rater, *, number: int | None = 0, now: datetime = NOON
) -> Judgment | None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    return prefer(slot, number=number, now=now) if slot else None


def add_repeat(campaign: Campaign) -> None:
    """A judged item is asked about again."""
    first = campaign.items.order_by("pk")[0]
    again = campaign.items.create(prompt=first.prompt, position=1_000, repeat_of=first)
    items.add_slots(item_id=again.pk, campaign=campaign, n=1, now=NOON)
