"""A conversation campaign as its admin sees it at a glance."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.board import known_board
from labeling.campaigns.pages.curve import progress_chart
from labeling.conversations import turns
from labeling.models import Campaign, Conversation, Rater
from labeling.people.withdrawals import withdrawal
from labeling.quality import services as quality_services
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import answered, rated, started

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def talk(conversation: Conversation) -> None:
    """Two turns, to its end."""
    now = timezone.now()
    rated(answered(conversation, now=now))
    turns.write(conversation=conversation, number=2, text="And then?", now=now)
    rated(answered(conversation, now=now))
    turns.finish(conversation=conversation, now=now)


def title(campaign: Campaign) -> str:
    board = known_board(campaign=campaign, now=timezone.now())
    assert board is not None
    chart = progress_chart(board=board, unit=campaign.about.unit, is_open=False, now=timezone.now())
    assert chart is not None
    assert board.curve[-1].n == board.progress.n_submitted
    return str(chart.title)


def test_the_first_line_and_the_chart_count_conversations_and_not_their_turns(
    campaign: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    talk(started(campaign=campaign, rater=rosa))
    talk(started(campaign=campaign, rater=raul))

    assert "2 of 3 conversations</a>" in words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))
    assert title(campaign) == "2 conversations so far"

    talk(started(campaign=campaign, rater=rosa))

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))
    assert "All 3 conversations</a> are in." in page
    assert title(campaign) == "All 3 conversations are in"


def test_a_conversation_of_somebody_who_has_withdrawn_is_in_neither(
    campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    for rater in (rosa, raul):
        talk(started(campaign=campaign, rater=rater))
    withdrawal.withdraw_rater(rater=raul, by=alice, now=NOON)

    assert title(campaign) == "1 conversation so far"


def test_no_figure_is_shown_that_a_conversation_can_not_have(
    campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    talk(started(campaign=campaign, rater=rosa))
    campaigns_services.close_campaign(campaign=campaign, by=alice, now=timezone.now())
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    client = signed_in(alice)

    for path in (f"/campaigns/{campaign.pk}/", f"/campaigns/{campaign.pk}/quality/"):
        page = words(client.get(path))
        assert ("Position bias" in page, "Length bias" in page) == (True, True)
        assert "Krippendorff" not in page
        assert "Agreement (ties count" not in page
