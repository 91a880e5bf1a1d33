"""Campaigns with known raters."""

import random

import pytest

from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.quality.judging import as_shown, judge_all


@pytest.fixture
def crowd(day_shift: Pool, guideline: Guideline) -> tuple[Campaign, Rater]:
    """Thirty items by five: four mostly see the responses alike, the fifth puts the first-shown one
    on top.
    """
    chance = random.Random(3)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=30, overlap=5)
    for number in range(4):
        rater = rater_called(f"Honest {number}", pool=day_shift)
        judge_all(
            campaign, rater, by=lambda shown, place: shown[place].number + chance.gauss(0, 0.8)
        )
    habitual = rater_called("Habit", pool=day_shift)
    judge_all(campaign, habitual, by=as_shown)
    return campaign, habitual


@pytest.fixture
def measured(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> Campaign:
    """Rosa ranks by what she reads, Raul as shown; the report is up to date."""
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul, by=as_shown)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)
    return comparison_campaign
