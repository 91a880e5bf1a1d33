"""Fixtures for the tests of the desk."""

import pytest

from labeling.models import Campaign, Guideline, Pool
from tests.browser.desk.hands import telling_texts
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.trainer.smollm2 import smollm2_folder  # noqa: F401  # a fixture


@pytest.fixture
def comparing(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Helpful answers")
    telling_texts(campaign)
    return campaign


@pytest.fixture
def writing(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, name="Write an answer"
    )
    telling_texts(campaign)
    return campaign
