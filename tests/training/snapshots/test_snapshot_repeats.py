"""Repeats measure self-agreement; they are only trained on if requested."""

from datetime import timedelta

import pytest

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Guideline, Pool, Rater
from labeling.queue.claiming import claim, order
from tests.cast import NOON, open_comparison_campaign
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db


def test_a_repeat_is_cut_only_when_it_is_asked_for(
    noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    n_items = order.REPEAT_AFTER + 1
    campaign = open_comparison_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=n_items,
        overlap=1,
        n_responses=2,
        repeat_percent=1,
    )
    for number in range(n_items + 1):
        now = NOON + timedelta(minutes=number)
        slot = claim.claim(campaign=campaign, rater=rosa, now=now)
        assert slot is not None
        assert slot.lease is not None
        ratings = {place: {"overall": 4} for place in range(2)}
        submit.submit(
            lease=slot.lease,
            rater=rosa,
            answer=ComparisonAnswer(ranks={0: 1, 1: 2}, ratings=ratings),
            now=now,
        )

    usual = snapshots_services.create_snapshot(
        kind="comparisons", name="usual", filters=Filters(), by=noor, now=NOON
    )
    whole = snapshots_services.create_snapshot(
        kind="comparisons", name="whole", filters=Filters(includes_repeats=True), by=noor, now=NOON
    )

    assert (usual.n_rows, whole.n_rows) == (n_items, n_items + 1)
