"""A conversation campaign, and Rosa's conversation in it."""

import pytest

from labeling.models import Campaign, Conversation, Guideline, Pool, Rater
from tests.labeling.desk.conversations.talking import open_conversation_campaign, started


@pytest.fixture
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open: two answers a turn from two sources, 2 to 4 turns."""
    return open_conversation_campaign(pool=day_shift, guideline=guideline)


@pytest.fixture
def conversation(campaign: Campaign, rosa: Rater) -> Conversation:
    """Rosa's, with the opening prompt as its first message."""
    return started(campaign=campaign, rater=rosa)
