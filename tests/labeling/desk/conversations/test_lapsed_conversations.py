"""A rater whose lease lapsed, and whose conversation another rater has: what they still give is
kept, and an opening never has more conversations than its overlap.
"""

import random
from datetime import datetime, timedelta

import pytest

from labeling.conversations import turns
from labeling.models import (
    Campaign,
    Conversation,
    Guideline,
    Judgment,
    Pool,
    Rater,
    Slot,
)
from labeling.queue import slots
from labeling.queue.claiming.claim import claim
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)
from tests.labeling.desk.conversations.test_conversation_pages import rating
from tests.labeling.desk.posting import SignedIn

LATER = NOON + timedelta(hours=5)


@pytest.fixture
def lapsed(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater) -> Conversation:
    """Rosa's, with answers to her first message; Raul has the only place by now."""
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, n_items=1)
    conversation = started(campaign=campaign, rater=rosa)
    answered(conversation)
    assert claim(campaign=campaign, rater=raul, now=LATER) is not None
    return conversation


def test_a_rating_after_another_has_the_conversation_is_an_extra(lapsed: Conversation) -> None:
    judgment = rated(turn_of(lapsed), now=LATER)

    assert judgment.is_extra
    assert judgment.slot is None
    assert not Slot.objects.filter(item=judgment.item_id).exists()


def test_the_rater_reads_that_it_was_an_extra_and_can_open_it_later(
    lapsed: Conversation, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    turn = turn_of(lapsed)
    assert "someone else has this item now" in words(client.get(f"/desk/turns/{turn.lease}/"))

    answer = client.post(f"/desk/turns/{turn.lease}/submit", rating(step="stop"), follow=True)

    assert "your rating was saved as an extra" in words(answer)
    assert "Saved" in words(client.get(f"/desk/item/{turn.lease}/"))


@pytest.mark.parametrize("act", ["skip", "release", "ask", "regenerate"])
def test_what_else_is_posted_then_is_answered_with_a_sentence(
    lapsed: Conversation, rosa: Rater, signed_in: SignedIn, act: str
) -> None:
    posted = {"reason": "not_my_field", "question": "Why?", "round": "1"}

    answer = signed_in(rosa).post(f"/desk/turns/{turn_of(lapsed).lease}/{act}", posted, follow=True)

    assert answer.status_code == 200
    assert "no longer reserved for you" in words(answer)
    assert turn_of(lapsed).round == 1


def test_a_conversation_without_a_place_ends_with_a_sentence_and_keeps_what_was_said(
    lapsed: Conversation,
) -> None:
    rated(turn_of(lapsed), now=NOON)
    Conversation.objects.update(n_turns=2)

    with pytest.raises(turns.UnableToConverse, match="ends here without being counted"):
        turns.finish(conversation=lapsed, goal_rating=6, remark="Nice.", now=LATER)

    lapsed.refresh_from_db()
    assert lapsed.state == Conversation.State.OPEN
    assert (lapsed.goal_rating, lapsed.remark) == (6, "Nice.")


def test_with_a_free_place_the_rating_counts_as_usual(campaign: Campaign, rosa: Rater) -> None:
    conversation = started(campaign=campaign, rater=rosa)
    answered(conversation)
    lease = Slot.objects.get(item=conversation.item, rater=rosa).lease
    assert lease is not None
    slots.release(lease=lease, rater=rosa, now=NOON)

    assert not rated(turn_of(conversation)).is_extra


@pytest.mark.parametrize("seed", range(6))
def test_however_leases_lapse_no_opening_has_more_conversations_than_its_overlap(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater, seed: int
) -> None:
    rng = random.Random(seed)
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=2)
    raters, now = [rosa, raul, rita], NOON
    for _step in range(40):
        now += timedelta(minutes=rng.choice([1, 10, 90]))
        rater = rng.choice(raters)
        mine = Conversation.objects.filter(rater=rater, state=Conversation.State.OPEN)
        slot = claim(campaign=campaign, rater=rater, now=now)
        if slot is not None and slot.lease is not None and rng.random() < 0.6:
            turns.start(lease=slot.lease, rater=rater, now=now)
        for conversation in mine:
            go_on(conversation, now=now)

    finished = Conversation.objects.filter(state=Conversation.State.FINISHED)
    for item in campaign.items.filter(is_turn=False):
        assert finished.filter(item=item).count() <= 2
        filled = Slot.objects.filter(item=item, state=Slot.State.SUBMITTED)
        assert filled.count() == finished.filter(item=item).count()
    assert Judgment.of_people.exists()


def go_on(conversation: Conversation, *, now: datetime) -> None:
    """As an open tab does, whoever has the conversation by now."""
    conversation.refresh_from_db()
    turn = turn_of(conversation)
    try:
        if turn.state == "waiting":
            answered(conversation, now=now)
        elif turn.state == "ready":
            rated(turn, now=now)
        elif conversation.n_turns >= 2:
            turns.finish(conversation=conversation, now=now)
        else:
            turns.write(conversation=conversation, number=turn.number + 1, text="More.", now=now)
    except turns.UnableToConverse:
        pass
