"""A written answer to review, and a campaign of one item."""

import pytest

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON, open_demonstration_campaign
from tests.tooling.recordings import recorded


@pytest.fixture
@recorded
def written(demonstration_campaign: Campaign, rosa: Rater) -> Judgment:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Four, since two and two are four."),
        recorded=Recorded(
            presentation={"typing": {"typed": 10, "pasted": 30, "n_pastes": 1}}, active_s=20
        ),
        now=NOON,
    )


@pytest.fixture
@recorded
def one_item(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, one item, overlap 2."""
    return open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=2)
