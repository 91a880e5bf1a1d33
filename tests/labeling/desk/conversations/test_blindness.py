"""Nothing tells a rater which model answered, or which of them ended first."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.conversations import requests, selectors, turns
from labeling.conversations.selectors import SLOW_AFTER
from labeling.models import (
    Campaign,
    Conversation,
    ConversationTurn,
    Item,
    ItemResponse,
    Rater,
    Response,
    Slot,
    TurnRequest,
)
from labeling.queue.claiming.order import new_seed, presented
from labeling.queue.claiming.work_left import UNCLAIMED
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import answered, rated, turn_of
from tests.labeling.desk.conversations.test_conversation_pages import begun
from tests.labeling.desk.posting import SignedIn

N_TURNS = 400


def test_of_two_equal_models_the_left_one_wins_half_of_400_turns(
    conversation: Conversation, campaign: Campaign, rosa: Rater
) -> None:
    """For a judge who always prefers the same model, and for one who prefers whoever ended first:
    within four standard errors of a half. Stored as turns are, in bulk.
    """
    prompt = conversation.item.prompt
    models = [one.source for one in campaign.conversation_plan.sources.select_related("source")]
    items = Item.objects.bulk_create(
        Item(campaign=campaign, prompt=prompt, position=100 + n, is_turn=True)
        for n in range(N_TURNS)
    )
    answers = Response.objects.bulk_create(
        # The other model ends first in every second turn; who ends first has the lower id.
        Response(prompt=prompt, source=model, number=n, text="The same.")
        for n in range(N_TURNS)
        for model in models[:: -1 if n % 2 else 1]
    )
    pairs = [answers[2 * n : 2 * n + 2] for n in range(N_TURNS)]
    ItemResponse.objects.bulk_create(
        ItemResponse(item=item, response=one)
        for item, pair in zip(items, pairs, strict=True)
        for one in pair
    )

    shown = [presented(Slot(item=item, seed=new_seed())) for item in items]

    n_left = {
        "model": sum(left.source_id == models[0].pk for left, _right in shown),
        "first to end": sum(left.pk < right.pk for left, right in shown),
    }
    assert all(abs(n - N_TURNS / 2) <= 4 * (N_TURNS / 4) ** 0.5 for n in n_left.values()), n_left


def test_each_turn_draws_its_sides_anew(conversation: Conversation) -> None:
    seeds = set()
    for number in range(1, 5):
        if number > 1:
            turns.write(conversation=conversation, number=number, text="More.", now=NOON)
        turn = answered(conversation)
        judgment = rated(turn)
        assert judgment.slot is not None
        assert judgment.slot.seed == turn.seed
        seeds.add(turn.seed)

    assert len(seeds) == 4


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


def test_a_poll_reads_neither_the_history_nor_the_answers(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    """It comes every second from each rater who waits."""
    client = signed_in(rosa)
    address = begun(client, campaign)

    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{address}answers").status_code == 204

    read = " ".join(str(query["sql"]) for query in queries)
    assert "labeling_conversationturn" in read
    assert "labeling_prompt" not in read
    assert "labeling_response" not in read


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

    assert selectors._wait(turn, now=NOON + timedelta(seconds=seconds)).is_silent is is_silent
