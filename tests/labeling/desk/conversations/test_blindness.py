"""Nothing tells a rater which model answered, or which of them ended first."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from labeling.conversations import requests, selectors
from labeling.conversations.selectors import SLOW_AFTER
from labeling.models import (
    Campaign,
    Conversation,
    ConversationTurn,
    Guideline,
    Item,
    ItemResponse,
    Pool,
    Rater,
    TurnRequest,
)
from labeling.queue import slots
from labeling.queue.claiming.order import presented
from labeling.queue.claiming.work_left import UNCLAIMED
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import (
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)
from tests.labeling.desk.conversations.test_conversation_pages import begun
from tests.labeling.desk.posting import SignedIn

N_TURNS = 400


@pytest.mark.slow
def test_of_two_equal_models_the_left_one_wins_half_of_400_turns(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    """A judge who always prefers the same model, and one who prefers whoever ended first: for
    either, left wins within four standard errors of a half.
    """
    campaign = open_conversation_campaign(
        pool=day_shift, guideline=guideline, n_items=N_TURNS, overlap=1
    )
    preferred = campaign.conversation_plan.sources.order_by("source").first()
    assert preferred is not None
    n_left = {"model": 0, "first to end": 0}
    for number in range(N_TURNS):
        conversation = started(campaign=campaign, rater=rosa)
        turn = turn_of(conversation)
        claimed = requests.claim(turn_id=turn.pk, now=NOON)
        for one in claimed if number % 2 else claimed[::-1]:
            requests.answer(pk=one.pk, attempt=1, text="The same.", is_ended=True, now=NOON)
        judgment = rated(turn_of(conversation))
        assert judgment.slot is not None
        shown = presented(judgment.slot)
        n_left["model"] += shown[0].source_id == preferred.source_id
        n_left["first to end"] += shown[0].pk < shown[1].pk
        # Its slot is filled, so that the next claim gives another item.
        slots.fill_another(item_id=conversation.item_id, rater=rosa)

    assert all(abs(n - N_TURNS / 2) <= 4 * (N_TURNS / 4) ** 0.5 for n in n_left.values()), n_left


Said = tuple[int, dict[str, str], bytes]


def polled(client: Client, address: str, *, ends_first: int, of: ConversationTurn) -> list[Said]:
    """Status, headers and bytes of every request that the page makes until the answers are there;
    the answer at place `ends_first` comes early, the other one late.
    """
    said: list[Said] = []

    def poll() -> None:
        answer = client.get(f"{address}answers")
        heads = {
            name: value.replace(address, "here")
            for name, value in answer.headers.items()
            if name != "X-Request-ID"
        }
        said.append((answer.status_code, heads, answer.content.replace(address.encode(), b"here")))

    claimed = requests.claim(turn_id=of.pk, now=timezone.now())
    poll()
    early = claimed[ends_first]
    late = claimed[1 - ends_first]
    for one in (early, late):
        requests.answer(pk=one.pk, attempt=1, text="Zero.", is_ended=True, now=timezone.now())
        poll()
        poll()
    return said


def test_the_page_sends_and_gets_the_same_whichever_side_ends_first(
    campaign: Campaign, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    """As many requests, in the same order, with the same bytes."""
    said = []
    for ends_first, rater in enumerate((rosa, raul)):
        client = signed_in(rater)
        address = begun(client, campaign)
        turn = turn_of(Conversation.objects.get(rater=rater))
        said.append(polled(client, address, ends_first=ends_first, of=turn))

    assert said[0] == said[1]
    assert [status for status, _heads, _bytes in said[0]] == [204, 204, 204, 200, 200]


@pytest.mark.parametrize("ends_first", [0, 1])
def test_answers_appear_together_when_the_slower_one_has_ended(
    conversation: Conversation, ends_first: int
) -> None:
    turn = turn_of(conversation)
    claimed = requests.claim(turn_id=turn.pk, now=NOON)
    early, late = claimed[ends_first], claimed[1 - ends_first]
    later = NOON + timedelta(seconds=25)

    requests.answer(pk=early.pk, attempt=1, text="Zero.", is_ended=True, now=NOON)
    shown_before = ItemResponse.objects.filter(item=turn.item_id).count()
    requests.answer(pk=late.pk, attempt=1, text="Nought.", is_ended=True, now=later)

    assert shown_before == 0
    assert turn_of(conversation).answered_at == later
    assert Item.objects.get(pk=turn.item_id).responses.count() == 2


@pytest.mark.parametrize(
    ("state", "seconds", "is_silent"),
    [
        (TurnRequest.State.QUEUED, UNCLAIMED.seconds - 1, False),
        (TurnRequest.State.QUEUED, UNCLAIMED.seconds + 1, True),
        (TurnRequest.State.CLAIMED, UNCLAIMED.seconds + 1, False),
        (TurnRequest.State.CLAIMED, SLOW_AFTER.seconds + 1, True),
    ],
)
def test_a_long_wait_is_told_from_a_short_one(
    conversation: Conversation, state: str, seconds: int, is_silent: bool
) -> None:
    turn = turn_of(conversation)
    TurnRequest.objects.update(state=state, created_at=NOON)

    assert selectors._is_silent(turn, now=NOON + timedelta(seconds=seconds)) is is_silent
