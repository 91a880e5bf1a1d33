"""Turns answered for real: models at a server over HTTP, and a tiny one in its own process."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from labeling.campaigns.conversation_plan import SourceShare
from labeling.conversations import requests, turns
from labeling.kinds.conversation import TalkSettings
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
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)
from tests.trainer.tiny import build_tiny_model
from tests.training.conftest import NOW
from tests.training.playground.openai_stub import Stub, openai_stub
from tests.training.runs.processes import processes, until
from training.models import TrainedModel
from training.playground.conversations import answering, tasks
from training.registry import endpoints
from training.registry import services as registry_services

pytestmark = pytest.mark.django_db(transaction=True)

State = ConversationTurn.State


@pytest.fixture
def stubs(settings: LazySettings) -> Iterator[tuple[Stub, Stub]]:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    with ExitStack() as running:
        yield running.enter_context(openai_stub()), running.enter_context(openai_stub())


def endpoint(name: str, *, stub: Stub, by: User) -> TrainedModel:
    return endpoints.register_endpoint(
        name=name, url=stub.url, served_name="echo", licence="MIT", by=by, now=NOW
    )


def conversation_with(
    *models: TrainedModel, pool: Pool, guideline: Guideline, rater: Rater
) -> Conversation:
    shares = [SourceShare(model.source) for model in models if model.source is not None]
    campaign = open_conversation_campaign(
        pool=pool,
        guideline=guideline,
        shares=shares,
        settings=TalkSettings(min_turns=1, max_turns=4, max_new_tokens=8),
    )
    return started(campaign=campaign, rater=rater)


def test_two_models_answer_and_the_better_answer_goes_on_with_both(
    stubs: tuple[Stub, Stub], noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    models = [endpoint(name, stub=stub, by=noor) for name, stub in zip("ab", stubs, strict=True)]
    conversation = conversation_with(*models, pool=day_shift, guideline=guideline, rater=rosa)

    answering.answer_turn(turn_id=turn_of(conversation).pk)
    turn = turn_of(conversation)
    rated(turn)
    chosen = turn_of(conversation).chosen
    turns.write(conversation=conversation, number=2, text="one two", now=NOON)
    answering.answer_turn(turn_id=turn_of(conversation).pk)

    assert turn.state == turn_of(conversation).state == State.READY
    histories = [stub.asked[-1]["messages"] for stub in stubs]
    assert histories[0] == histories[1]
    assert chosen is not None
    assert histories[0][1] == {"role": "assistant", "content": chosen.text}
    assert {response.text for response in turn_of(conversation).item.responses.all()} == {"two one"}


@pytest.mark.parametrize(
    "parts", [{"reasoning_content": "Hm."}, {"content": "<think>Hm.</think> "}]
)
def test_what_a_model_thinks_is_no_part_of_its_answer(
    stubs: tuple[Stub, Stub],
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    parts: dict[str, str],
) -> None:
    models = [endpoint(name, stub=stub, by=noor) for name, stub in zip("ab", stubs, strict=True)]
    for stub in stubs:
        stub.parts = parts
    conversation = conversation_with(*models, pool=day_shift, guideline=guideline, rater=rosa)

    answering.answer_turn(turn_id=turn_of(conversation).pk)

    answers = Response.objects.all()
    assert {answer.reasoning_content for answer in answers} == {"Hm."}
    assert not any("Hm." in answer.text or answer.text.startswith(" ") for answer in answers)


def test_ringing_twice_asks_each_model_once(
    stubs: tuple[Stub, Stub], noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    models = [endpoint(name, stub=stub, by=noor) for name, stub in zip("ab", stubs, strict=True)]
    conversation = conversation_with(*models, pool=day_shift, guideline=guideline, rater=rosa)

    for _message in range(2):
        tasks.answer_turn(turn_id=turn_of(conversation).pk)

    assert [len(stub.asked) for stub in stubs] == [1, 1]
    assert Response.objects.count() == 2


def test_another_model_answers_for_one_that_is_away(
    stubs: tuple[Stub, Stub], noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    working, broken = stubs
    broken.refusals = [500] * 20
    models = [endpoint(name, stub=working, by=noor) for name in ("a", "b")]
    models.append(endpoint("broken", stub=broken, by=noor))
    conversation = conversation_with(*models, pool=day_shift, guideline=guideline, rater=rosa)
    turn = turn_of(conversation)
    # Whatever was drawn, the first place is the broken one's.
    other = models[0].source if turn.requests.filter(source=models[1].source) else models[1].source
    turn.requests.filter(place=1).update(source=other)
    turn.requests.filter(place=0).update(source=models[2].source)

    for _message in range(3):
        answering.answer_turn(turn_id=turn.pk)

    assert turn_of(conversation).state == State.READY
    failed = TurnRequest.objects.get(turn=turn, state=TurnRequest.State.FAILED)
    assert failed.source == models[2].source
    assert "500" in failed.error
    sources = {one.source_id for one in turn.item.responses.all()}
    assert models[2].source is not None
    assert models[2].source.pk not in sources


def test_when_no_model_answers_the_turn_has_failed(
    stubs: tuple[Stub, Stub], noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    for stub in stubs:
        stub.refusals = [500] * 20
    models = [endpoint(name, stub=stub, by=noor) for name, stub in zip("ab", stubs, strict=True)]
    conversation = conversation_with(*models, pool=day_shift, guideline=guideline, rater=rosa)

    for _message in range(5):
        answering.answer_turn(turn_id=turn_of(conversation).pk)

    assert turn_of(conversation).state == State.FAILED
    assert not Response.objects.exists()


def test_a_source_without_a_model_is_an_error_in_a_sentence(
    stubs: tuple[Stub, Stub], noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    model = endpoint("a", stub=stubs[0], by=noor)
    conversation = conversation_with(model, pool=day_shift, guideline=guideline, rater=rosa)
    TrainedModel.objects.filter(pk=model.pk).update(source=None)

    answering.answer_turn(turn_id=turn_of(conversation).pk)

    errors = TurnRequest.objects.values_list("error", flat=True)
    assert set(errors) == {"This model is no longer registered."}


def test_an_answer_that_nobody_wants_any_more_is_not_stored(
    stubs: tuple[Stub, Stub],
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "KEEP_S", 0.0)
    model = endpoint("a", stub=stubs[0], by=noor)
    conversation = conversation_with(model, pool=day_shift, guideline=guideline, rater=rosa)
    turn = turn_of(conversation)
    claimed = requests.claim(turn_id=turn.pk, now=timezone.now())
    TurnRequest.objects.update(state=TurnRequest.State.DROPPED)

    assert answering._written(claimed[0]) is None


@pytest.mark.slow
def test_a_worker_that_was_rung_answers_with_a_model_of_its_own(
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    tmp_path: Path,
    settings: LazySettings,
) -> None:
    """A real worker and a real model: loading torch takes seconds."""
    folder = str(build_tiny_model(tmp_path / "tiny"))
    model = registry_services.register_model(
        name="tiny", kind="policy", location=folder, licence="MIT", by=noor, now=NOW
    )

    with processes(tmp_path) as site:
        site.start_models_worker(settings.REDIS_URL)
        conversation = conversation_with(model, pool=day_shift, guideline=guideline, rater=rosa)
        until(lambda: turn_of(conversation).state != State.WAITING, "the worker answers the turn")

    assert turn_of(conversation).state == State.READY
    assert turn_of(conversation).item.responses.count() == 2
