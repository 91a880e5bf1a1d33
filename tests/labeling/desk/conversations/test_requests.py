"""The door for those who answer: each place gets one answer, whatever is killed, late or wrong."""

from datetime import timedelta

import pytest

from labeling.campaigns.conversation_plan import SourceShare
from labeling.conversations import requests, turns
from labeling.conversations.requests import CLAIM_S, MAX_CHARACTERS
from labeling.models import (
    Conversation,
    ConversationTurn,
    Guideline,
    Pool,
    Rater,
    Response,
    TurnRequest,
)
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import (
    answered,
    model_source,
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)

LATER = NOON + timedelta(seconds=CLAIM_S)
State = TurnRequest.State


def test_a_claim_says_what_to_answer_and_how(conversation: Conversation) -> None:
    claimed = requests.claim(turn_id=turn_of(conversation).pk, now=NOON)

    assert len(claimed) == 2
    assert claimed[0].messages == conversation.item.prompt.messages
    assert claimed[0].sampling.keys() == {"temperature", "top_p", "max_new_tokens", "seed"}
    assert claimed[0].sampling["seed"] != claimed[1].sampling["seed"]


def test_a_request_is_claimed_once(conversation: Conversation) -> None:
    turn = turn_of(conversation)

    assert requests.claim(turn_id=turn.pk, now=NOON)
    assert requests.claim(turn_id=turn.pk, now=NOON) == []


def test_a_lapsed_claim_is_claimed_again_and_its_late_answer_refused(
    conversation: Conversation,
) -> None:
    turn = turn_of(conversation)
    lost = requests.claim(turn_id=turn.pk, now=NOON)

    assert requests.waiting_turns(now=NOON) == []
    assert requests.waiting_turns(now=LATER) == [turn.pk]
    again = requests.claim(turn_id=turn.pk, now=LATER)

    assert [one.attempt for one in again] == [2, 2]
    assert not requests.answer(pk=lost[0].pk, attempt=1, text="Late.", is_ended=True, now=LATER)
    assert requests.answer(pk=lost[0].pk, attempt=2, text="Zero.", is_ended=True, now=LATER)
    assert [response.text for response in Response.objects.all()] == ["Zero."]


def test_a_claim_from_before_the_clock_was_set_back_is_claimed_again(
    conversation: Conversation,
) -> None:
    turn = turn_of(conversation)
    requests.claim(turn_id=turn.pk, now=NOON + timedelta(days=2))

    assert requests.waiting_turns(now=NOON) == [turn.pk]
    assert [one.attempt for one in requests.claim(turn_id=turn.pk, now=NOON)] == [2, 2]
    assert requests.waiting_turns(now=NOON) == []


def test_a_kept_claim_does_not_lapse(conversation: Conversation) -> None:
    turn = turn_of(conversation)
    for one in requests.claim(turn_id=turn.pk, now=NOON):
        assert requests.keep(pk=one.pk, attempt=1, now=NOON + timedelta(seconds=20))

    assert requests.claim(turn_id=turn.pk, now=LATER) == []


def test_an_answer_is_stored_once(conversation: Conversation) -> None:
    first, _second = requests.claim(turn_id=turn_of(conversation).pk, now=NOON)

    for _attempt in range(2):
        requests.answer(pk=first.pk, attempt=1, text="Zero.", is_ended=True, now=NOON)

    assert Response.objects.count() == 1


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MAX_CHARACTERS + 1)])
def test_an_empty_or_endless_answer_is_asked_for_again(
    conversation: Conversation, text: str
) -> None:
    turn = turn_of(conversation)
    first, _second = requests.claim(turn_id=turn.pk, now=NOON)

    assert not requests.answer(pk=first.pk, attempt=1, text=text, is_ended=True, now=NOON)

    request = TurnRequest.objects.get(pk=first.pk)
    assert request.state == State.QUEUED
    assert request.error
    assert not Response.objects.exists()


def test_after_two_failures_another_source_answers_and_that_is_recorded(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    shares = [SourceShare(model_source(name)) for name in ("a", "b", "c")]
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, shares=shares)
    turn = turn_of(started(campaign=campaign, rater=rosa))
    failing = requests.claim(turn_id=turn.pk, now=NOON)[0]

    requests.give_up(pk=failing.pk, attempt=1, error="It is away.", now=NOON)
    requests.claim(turn_id=turn.pk, now=NOON)
    requests.give_up(pk=failing.pk, attempt=2, error="It is away.", now=NOON)

    failed = TurnRequest.objects.get(pk=failing.pk)
    instead = TurnRequest.objects.get(turn=turn, place=failed.place, draw=1)
    assert (failed.state, failed.error) == (State.FAILED, "It is away.")
    assert instead.source_id != failed.source_id
    assert instead.state == State.QUEUED


def test_a_turn_fails_when_no_source_answers_and_can_be_asked_for_again(
    conversation: Conversation, rosa: Rater
) -> None:
    turn = turn_of(conversation)
    now = NOON
    while claimed := requests.claim(turn_id=turn.pk, now=now):
        for one in claimed:
            requests.give_up(pk=one.pk, attempt=one.attempt, error="It is away.", now=now)

    turn = turn_of(conversation)
    assert turn.state == ConversationTurn.State.FAILED
    assert requests.waiting_turns(now=NOON + timedelta(hours=1)) == []
    assert turns.regenerate(lease=turn.lease, rater=rosa, round_number=1, now=NOON)
    assert answered(conversation).state == ConversationTurn.State.READY
    assert turn_of(conversation).n_regenerated == 0


def test_a_source_whose_workers_die_is_replaced(conversation: Conversation) -> None:
    turn, now = turn_of(conversation), NOON
    for _attempt in range(2):
        requests.claim(turn_id=turn.pk, now=now)
        now += timedelta(seconds=CLAIM_S)

    requests.claim(turn_id=turn.pk, now=now)

    failed = TurnRequest.objects.filter(turn=turn, draw=0)
    assert {one.state for one in failed} == {State.FAILED}
    assert TurnRequest.objects.filter(turn=turn, draw=1).count() == 2


def test_answers_to_a_replaced_round_are_not_stored(
    conversation: Conversation, rosa: Rater
) -> None:
    turn = turn_of(conversation)
    first, second = requests.claim(turn_id=turn.pk, now=NOON)
    requests.answer(pk=first.pk, attempt=1, text="One.", is_ended=True, now=NOON)
    requests.answer(pk=second.pk, attempt=1, text="Two.", is_ended=True, now=NOON)
    turns.regenerate(lease=turn.lease, rater=rosa, round_number=1, now=NOON)
    under_way = requests.claim(turn_id=turn.pk, now=NOON)

    assert {one.pk for one in under_way}.isdisjoint({first.pk, second.pk})
    assert not turn_of(conversation).item.responses.exists()


def test_a_finished_conversation_wants_no_answers(conversation: Conversation) -> None:
    for number in (1, 2):
        if number > 1:
            turns.write(conversation=conversation, number=number, text="More.", now=NOON)
        rated(answered(conversation))
    turns.write(conversation=conversation, number=3, text="And?", now=NOON)
    turn = turn_of(conversation)
    claimed = requests.claim(turn_id=turn.pk, now=NOON)[0]

    turns.finish(conversation=conversation, now=NOON)

    assert not requests.keep(pk=claimed.pk, attempt=1, now=NOON)
    assert not requests.answer(pk=claimed.pk, attempt=1, text="Yes.", is_ended=True, now=NOON)
    assert turn_of(conversation).state == ConversationTurn.State.LEFT
