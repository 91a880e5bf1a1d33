"""A repeat tells how far a rater agrees with themselves; it trains only when that is asked for."""

from datetime import timedelta

import pytest

from accounts.models import User
from labeling import queue
from labeling import services as labeling
from labeling.answers import ComparisonAnswer
from labeling.models import Guideline, Pool, Rater
from labeling.services import Effort
from tests.cast import NOON, open_comparison_campaign
from training import services
from training.services import Filters

pytestmark = pytest.mark.django_db


def test_a_repeat_is_cut_only_when_it_is_asked_for(
    noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    n_items = queue.REPEAT_AFTER + 1
    effort = Effort(repeat_percent=1)
    campaign = open_comparison_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=n_items,
        overlap=1,
        n_responses=2,
        effort=effort,
    )
    for number in range(n_items + 1):
        now = NOON + timedelta(minutes=number)
        slot = labeling.claim(campaign=campaign, rater=rosa, now=now)
        assert slot is not None
        assert slot.lease is not None
        ratings = {place: {"overall": 4} for place in range(2)}
        labeling.submit(
            lease=slot.lease,
            rater=rosa,
            answer=ComparisonAnswer(ranks={0: 1, 1: 2}, ratings=ratings),
            now=now,
        )

    usual = services.cut_snapshot(
        kind="comparisons", name="usual", filters=Filters(), by=noor, now=NOON
    )
    whole = services.cut_snapshot(
        kind="comparisons", name="whole", filters=Filters(includes_repeats=True), by=noor, now=NOON
    )

    assert (usual.n_rows, whole.n_rows) == (n_items, n_items + 1)
