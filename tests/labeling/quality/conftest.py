"""Campaigns with known raters."""

import random

import pytest

from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.quality.judging import as_shown, judge_all
from tests.tooling.recordings import recorded


@pytest.fixture
@recorded
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
    habit = rater_called("Habit", pool=day_shift)
    judge_all(campaign, habit, by=as_shown)
    return campaign, habit


@pytest.fixture
@recorded
def ten(day_shift: Pool, guideline: Guideline) -> tuple[Campaign, list[Rater]]:
    """Ten raters on four items of four: the first five rank as shown, the others by what they
    read.
    """
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=4, overlap=10)
    raters = [rater_called(f"Rater {number}", pool=day_shift) for number in range(10)]
    for rater in raters[:5]:
        judge_all(campaign, rater, by=as_shown)
    for rater in raters[5:]:
        judge_all(campaign, rater)
    return campaign, raters


@pytest.fixture
@recorded
def measured(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> Campaign:
    """Rosa ranks by what she reads, Raul as shown; the report is up to date."""
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul, by=as_shown)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)
    return comparison_campaign
