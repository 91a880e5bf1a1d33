"""Campaigns with known raters."""

import random

import pytest

from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.quality.judging import as_shown, judge_all
from tests.tooling import scenes


@pytest.fixture
def day_shift(db: None, request: pytest.FixtureRequest) -> Pool:
    """The one of the scene, if the test has one."""
    there = Pool.objects.filter(name="Day shift").first()
    return there or request.getfixturevalue("day_shift")


@pytest.fixture
def guideline(db: None, request: pytest.FixtureRequest) -> Guideline:
    """The one of the scene, if the test has one."""
    there = Guideline.objects.filter(name="Helpful answers").first()
    return there or request.getfixturevalue("guideline")


@pytest.fixture
def crowd(db: None, request: pytest.FixtureRequest) -> tuple[Campaign, Rater]:
    """Thirty items by five: four mostly see the responses alike, the fifth puts the first-shown one
    on top.
    """
    scenes.made_once("crowd", lambda: _make_crowd(*map(request.getfixturevalue, SETTING)))
    return Campaign.objects.get(), Rater.objects.get(user__name="Habit")


@pytest.fixture
def ten(db: None, request: pytest.FixtureRequest) -> tuple[Campaign, list[Rater]]:
    """Ten raters on four items of four: the first five rank as shown, the others by what they
    read.
    """
    scenes.made_once("ten", lambda: _make_ten(*map(request.getfixturevalue, SETTING)))
    return Campaign.objects.get(), list(Rater.objects.order_by("pk"))


SETTING = ("day_shift", "guideline")


def _make_crowd(pool: Pool, guideline: Guideline) -> None:
    chance = random.Random(3)
    campaign = open_comparison_campaign(pool=pool, guideline=guideline, n_items=30, overlap=5)
    for number in range(4):
        rater = rater_called(f"Honest {number}", pool=pool)
        judge_all(
            campaign, rater, by=lambda shown, place: shown[place].number + chance.gauss(0, 0.8)
        )
    judge_all(campaign, rater_called("Habit", pool=pool), by=as_shown)


def _make_ten(pool: Pool, guideline: Guideline) -> None:
    campaign = open_comparison_campaign(pool=pool, guideline=guideline, n_items=4, overlap=10)
    raters = [rater_called(f"Rater {number}", pool=pool) for number in range(10)]
    for rater in raters[:5]:
        judge_all(campaign, rater, by=as_shown)
    for rater in raters[5:]:
        judge_all(campaign, rater)


@pytest.fixture
def measured(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> Campaign:
    """Rosa ranks by what she reads, Raul as shown; the report is up to date."""
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul, by=as_shown)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)
    return comparison_campaign
