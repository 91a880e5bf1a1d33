"""Taking an item, staying with it, giving it back, judging it."""

from datetime import timedelta

import pytest

from labeling import services
from labeling.models import Campaign, Rater
from tests.cast import NOON

pytestmark = pytest.mark.django_db


def test_the_first_claim_gets_the_first_item(demonstration_campaign: Campaign, rosa: Rater) -> None:
    slot = services.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)

    assert slot is not None
    assert slot.item.position == 0
    assert slot.expires_at == NOON + timedelta(minutes=30)


def test_a_submit_stores_the_text(demonstration_campaign: Campaign, rosa: Rater) -> None:
    slot = services.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    judgment = services.submit_demonstration(lease=slot.lease, rater=rosa, text="Four.", now=NOON)
    assert judgment.demonstration.text == "Four."
    assert not judgment.is_extra
