"""Fixtures for the tests of golds."""

import pytest

from labeling.models import Campaign, Gold, Guideline, Pool
from labeling.queue.gold import services as gold_services
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.queue.gold.scene import gold_order
from tests.tooling.recordings import recorded


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, 20 items of 4 responses, overlap 3, half of what raters get may be golds; the first six
    items are golds.
    """
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=20)
    gold_services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    for item in campaign.items.order_by("position")[:6]:
        gold_services.make_gold(
            item=item, ranks=gold_order(item), origin=Gold.Origin.ADJUDICATION, by=None, now=NOON
        )
    return campaign
