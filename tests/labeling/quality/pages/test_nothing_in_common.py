"""The agreement page of campaigns where nothing was answered twice: no empty tables, and what to do
about it.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from labeling.review import services as review_services
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
)
from tests.labeling.quality.judging import judge_all

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


@pytest.fixture
def agreement(alice: User, signed_in: SignedIn) -> Callable[[Campaign], str]:
    """agreement(campaign) computes its quality and returns the page."""

    def read(campaign: Campaign) -> str:
        quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
        return words(signed_in(alice).get(f"/campaigns/{campaign.pk}/agreement/"))

    return read


@pytest.mark.parametrize(
    ("overlap", "sentence", "button"),
    [
        (1, "One rater answers each item.", "See its setup"),
        (2, "as soon as two raters have answered the same item; 2 are asked", "See the items"),
    ],
)
def test_a_comparison_with_one_answer_each_says_what_to_do(
    overlap: int,
    sentence: str,
    button: str,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    agreement: Callable[[Campaign], str],
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=3, n_responses=2, overlap=overlap
    )
    judge_all(campaign, rosa)

    page = agreement(campaign)

    assert (page.count('class="empty"'), page.count("<table")) == (1, 0)
    assert sentence in page
    assert button in page


def test_a_conversation_is_reviewed_to_learn_how_good_its_raters_are(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    alice: User,
    agreement: Callable[[Campaign], str],
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    conversation = started(campaign=campaign, rater=rosa)
    judged: Any = rated(answered(conversation))

    page = agreement(campaign)

    assert (page.count('class="empty"'), page.count("<table")) == (1, 0)
    assert "judges answers that nobody else sees" in page
    assert f'href="/campaigns/{campaign.pk}/review/?order=random"' in page

    ranks = {ranked.response_id: ranked.rank for ranked in judged.comparison.ranked.all()}
    review_services.adjudicate(
        item=judged.item, ranks=ranks, reason="rater_error", by=alice, now=NOON
    )
    page = agreement(campaign)

    assert 'class="empty"' not in page
    [table] = re.findall(r"<table.*?</table>", page)
    assert "With the adjudicated ranking" in table
    assert "With gold items" not in table


def test_measures_of_nothing_are_no_rows_of_a_table(
    measured: Campaign, agreement: Callable[[Campaign], str]
) -> None:
    page = agreement(measured)

    tables = " ".join(re.findall(r"<table.*?</table>", page, re.DOTALL))
    for name in ("Self-agreement", "With gold items", "With other pools"):
        assert name in page
        assert name not in tables
    assert "Nothing has been rated twice yet." in page
    assert "have nothing to count yet" in page
