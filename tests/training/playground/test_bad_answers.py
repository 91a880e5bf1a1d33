"""Whatever a model sends instead of an answer, a rater sees answers of others, and admins the
reason.
"""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.campaigns.conversation_plan import SourceShare
from labeling.kinds.conversation import TalkSettings
from labeling.models import (
    Conversation,
    ConversationTurn,
    Guideline,
    Pool,
    Rater,
    Response,
    Source,
    TurnRequest,
)
from tests.labeling.desk.conversations.talking import (
    open_conversation_campaign,
    started,
    turn_of,
)
from tests.training.conftest import NOW
from tests.training.playground.bad_endpoint import STREAMS, bad_endpoint
from tests.training.playground.openai_stub import openai_stub
from training.playground.conversations import answering
from training.registry import endpoints

pytestmark = pytest.mark.django_db(transaction=True)

State = ConversationTurn.State
SENTENCES = {
    "nothing": "The answer was empty.",
    "only spaces": "The answer was empty.",
    "only unseen characters": "The answer was empty.",
    "100 kB": "longer than 20000 characters",
    "forever": "longer than 20000 characters",
    "invalid UTF-8": "did not answer as an OpenAI-compatible server",
    "garbage": "did not answer as an OpenAI-compatible server",
    "a page": "closed the connection before the answer ended",
    "an error in the middle": "did not answer as an OpenAI-compatible server",
    "text in the wrong place": "did not answer as an OpenAI-compatible server",
    "a list for a text": "did not answer as an OpenAI-compatible server",
    "closes in the middle": "closed the connection before the answer ended",
    "no answer at all": "closed the connection before the answer ended",
    "429": "answered 429",
    "500": "answered 500",
    "502": "answered 502",
}


@pytest.fixture
def bad_url(settings: LazySettings) -> Iterator[str]:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    with bad_endpoint() as url:
        yield url


@pytest.fixture
def good(settings: LazySettings, noor: User, bad_url: str) -> Iterator[list[Source]]:
    """Two models that answer as they should."""
    with openai_stub() as stub:
        yield [source(name, url=stub.url, served_name="echo", by=noor) for name in ("a", "b")]


def source(name: str, *, url: str, served_name: str, by: User) -> Source:
    model = endpoints.register_endpoint(
        name=name, url=url, served_name=served_name, licence="MIT", by=by, now=NOW
    )
    assert model.source is not None
    return model.source


def talk(*sources: Source, pool: Pool, guideline: Guideline, rater: Rater) -> Conversation:
    campaign = open_conversation_campaign(
        pool=pool,
        guideline=guideline,
        shares=[SourceShare(one) for one in sources],
        settings=TalkSettings(min_turns=1, max_turns=4, max_new_tokens=8),
    )
    return started(campaign=campaign, rater=rater)


def test_every_bad_answer_has_a_sentence() -> None:
    assert STREAMS.keys() <= SENTENCES.keys()


@pytest.mark.parametrize("behaviour", SENTENCES)
def test_another_model_answers_in_place_of_one_that_misbehaves(
    behaviour: str,
    bad_url: str,
    good: list[Source],
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
) -> None:
    bad = source("bad", url=bad_url, served_name=behaviour, by=noor)
    turn = turn_of(talk(*good, bad, pool=day_shift, guideline=guideline, rater=rosa))
    # Whatever was drawn, the first place is the bad one's.
    turn.requests.filter(place=1).update(source=good[0])
    turn.requests.filter(place=0).update(source=bad)

    for _message in range(3):
        answering.answer_turn(turn_id=turn.pk)

    turn.refresh_from_db()
    failed = TurnRequest.objects.get(turn=turn, state=TurnRequest.State.FAILED)
    assert turn.state == State.READY
    assert (failed.source, failed.attempt) == (bad, 2)
    assert SENTENCES[behaviour] in failed.error
    assert {one.source for one in turn.item.responses.all()} <= set(good)
    assert not Response.objects.filter(source=bad).exists()


def test_an_answer_is_stored_without_what_no_page_can_show(
    bad_url: str, noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    odd = source("odd", url=bad_url, served_name="odd", by=noor)
    turn = turn_of(talk(odd, pool=day_shift, guideline=guideline, rater=rosa))

    answering.answer_turn(turn_id=turn.pk)

    texts = turn.item.responses.values_list("text", flat=True)
    assert set(texts) == {"It is[31m zero ?!\tYes.\n"}


def test_a_server_that_says_nothing_is_given_up(
    good: list[Source],
    settings: LazySettings,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    noor: User,
) -> None:
    settings.TRY_LIMIT_S = 1
    with openai_stub() as stub:
        silent = source("silent", url=stub.url, served_name="echo", by=noor)
        turn = turn_of(talk(silent, pool=day_shift, guideline=guideline, rater=rosa))
        stub.holds.clear()
        answering.answer_turn(turn_id=turn.pk)

    errors = TurnRequest.objects.filter(turn=turn).values_list("error", flat=True)
    assert set(errors) == {"The answer took longer than 1 seconds and was stopped."}


def test_a_server_that_is_away_fails_the_turn_and_nothing_else(
    good: list[Source], day_shift: Pool, guideline: Guideline, rosa: Rater, noor: User
) -> None:
    with openai_stub() as stub:
        away = source("away", url=stub.url, served_name="echo", by=noor)
    conversation = talk(away, pool=day_shift, guideline=guideline, rater=rosa)

    for _message in range(3):
        answering.answer_turn(turn_id=turn_of(conversation).pk)

    assert turn_of(conversation).state == State.FAILED
    errors = TurnRequest.objects.filter(state=TurnRequest.State.FAILED)
    assert all("did not answer (ConnectError)" in one.error for one in errors)
