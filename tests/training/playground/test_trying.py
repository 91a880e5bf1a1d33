"""Trying a model for real: a question on the page, a real worker, a tiny model in its own process,
and a server over HTTP.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from tests.labeling.answers import streamed
from tests.trainer.tiny import build_tiny_model
from tests.training.conftest import NOW
from tests.training.playground.openai_stub import Stub, openai_stub
from tests.training.runs.processes import Processes, descendants, is_alive, kill, processes, until
from training.models import TrainedModel
from training.playground.chat_protocol import Channel
from training.registry import endpoints
from training.registry import services as registry_services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SignIn = Callable[[User], Client]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, settings: LazySettings) -> Iterator[Processes]:
    with processes(tmp_path) as running:
        yield running
    with Channel() as channel:
        for worker in channel.workers():
            channel.remove_worker(worker=worker)


@pytest.fixture
def worker(site: Processes, settings: LazySettings) -> int:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    more = {
        "PREFERABLY_ENDPOINT_HOSTS": "127.0.0.1",
        "PREFERABLY_KEY_STUB": "sk-secret",
        "PREFERABLY_TRY_KEEPS_S": "600",
    }
    started = site.start_models_worker(settings.REDIS_URL, **more)
    until(is_there, "the worker announces itself")
    return started.pid


def is_there() -> bool:
    with Channel() as channel:
        return bool(channel.workers())


@pytest.fixture
def tiny(noor: User, tmp_path: Path) -> TrainedModel:
    folder = str(build_tiny_model(tmp_path / "tiny"))
    return registry_services.register_model(
        name="tiny", kind="policy", location=folder, licence="MIT", by=noor, now=NOW
    )


def elsewhere(noor: User, stub: Stub, **changes: Any) -> TrainedModel:
    values = {"name": "elsewhere", "url": stub.url, "served_name": "echo", "licence": "MIT"}
    values |= {"key_variable": "PREFERABLY_KEY_STUB"}
    return endpoints.register_endpoint(**(values | changes), by=noor, now=NOW)


def ask(
    client: Client, *models: TrainedModel, text: str = "What is the sky?", **sampling: Any
) -> list[dict[str, str]]:
    messages = [{"role": "user", "content": text}]
    settings = {"temperature": 1, "top_p": 1, "max_new_tokens": 24, "seed": 7} | sampling
    body = {
        "parts": [{"model": model.pk, "messages": messages} for model in models],
        "sampling": settings,
    }
    answer = client.post("/models/try/ask", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, str]] = answer.json()["answers"]
    return found


def heard(client: Client, url: str, until_kind: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every event of an answer up to its end, coming back as a browser does; or up to the first of
    `until_kind`.
    """
    events: list[tuple[str, dict[str, Any]]] = []
    place = "0"
    while True:
        response = client.get(url, headers={"Last-Event-ID": place})
        for block in streamed(response):
            fields = dict(
                line.split(": ", 1)
                for line in block.decode().strip().split("\n")
                if not line.startswith(":")
            )
            if "event" not in fields:
                continue
            place = fields["id"]
            events.append((fields["event"], json.loads(fields["data"])))
            if fields["event"] in ("end", "failed", until_kind):
                response.close()
                return events
        response.close()


def text_of(events: list[tuple[str, dict[str, Any]]]) -> str:
    return "".join(data["text"] for kind, data in events if kind == "text")


def test_a_model_answers_piece_by_piece_and_a_seed_gives_the_same_again_from_the_same_process(
    worker: int, tiny: TrainedModel, noor: User, signed_in: SignIn
) -> None:
    client = signed_in(noor)

    (first,) = ask(client, tiny)
    events = heard(client, first["events"])
    children = descendants(worker)
    (second,) = ask(client, tiny)
    again = heard(client, second["events"])

    assert [data["state"] for kind, data in events if kind == "state"] == [
        "waiting",
        "loading",
        "writing",
    ]
    assert len([kind for kind, _data in events if kind == "text"]) > 1
    assert events[-1][0] == "end"
    assert events[-1][1]["n_tokens"] <= 24
    assert [data["state"] for kind, data in again if kind == "state"] == ["waiting", "writing"]
    assert text_of(again) == text_of(events) != ""
    assert descendants(worker) == children


def test_the_page_offers_the_model_that_is_in_memory_unless_it_is_asked_for_another(
    worker: int, tiny: TrainedModel, noor: User, stub: Stub, signed_in: SignIn
) -> None:
    newest = elsewhere(noor, stub)
    client = signed_in(noor)

    def offered(query: str = "") -> list[str]:
        page = lxml.html.fromstring(client.get(f"/models/try/{query}").content)
        return list(page.xpath("//select[@id='model-1']/option[@selected]/@value"))

    with Channel() as channel:
        channel.record_warm(model=0)
    assert offered() == []  # a browser takes the first, which is the newest
    heard(client, ask(client, tiny)[0]["events"])
    assert offered() == [str(tiny.pk)]
    heard(client, ask(client, newest)[0]["events"])

    assert offered() == [str(tiny.pk)]  # a server needs no loading
    assert offered(f"?model={newest.pk}") == [str(newest.pk)]


def test_two_models_answer_at_once_one_of_them_another_servers(
    worker: int, tiny: TrainedModel, stub: Stub, noor: User, signed_in: SignIn
) -> None:
    client = signed_in(noor)

    ours, theirs = ask(client, tiny, elsewhere(noor, stub), text="one two three")
    told = heard(client, theirs["events"])

    assert text_of(told) == "three two one"
    assert [data["text"] for kind, data in told if kind == "text"] == ["three", " two", " one"]
    assert (told[-1][0], told[-1][1]["is_ended"]) == ("end", True)
    assert heard(client, ours["events"])[-1][0] == "end"
    assert stub.keys == ["Bearer sk-secret"]
    assert (stub.asked[0]["model"], stub.asked[0]["max_tokens"], stub.asked[0]["seed"]) == (
        "echo",
        24,
        7,
    )


def test_a_stop_is_heard_while_the_model_writes_and_while_a_server_is_silent(
    worker: int, stub: Stub, noor: User, tmp_path: Path, signed_in: SignIn
) -> None:
    client = signed_in(noor)
    folder = str(build_tiny_model(tmp_path / "slow", hidden=512, n_layers=6))
    slow = registry_services.register_model(
        name="slow", kind="policy", location=folder, licence="", by=noor, now=NOW
    )
    stub.holds.clear()

    answers = ask(client, slow, elsewhere(noor, stub), text="one two", max_new_tokens=1000)
    for answer in answers:
        heard(client, answer["events"], until_kind="text")
        assert client.post(answer["stop"]).status_code == 204
    ends = [heard(client, answer["events"])[-1] for answer in answers]

    assert [(kind, data["is_stopped"]) for kind, data in ends] == [("end", True), ("end", True)]
    assert ends[0][1]["n_tokens"] < 1000


def test_what_stands_in_the_way_is_said_in_the_answer(
    worker: int, stub: Stub, noor: User, tmp_path: Path, signed_in: SignIn
) -> None:
    client = signed_in(noor)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.json").write_text("{}")
    broken = registry_services.register_model(
        name="broken", kind="policy", location=str(empty), licence="", by=noor, now=NOW
    )
    keyless = elsewhere(noor, stub, name="keyless", key_variable="PREFERABLY_KEY_NOBODY")
    stub.refusals = [401]

    sentences = []
    for model in (broken, keyless, elsewhere(noor, stub)):
        (answer,) = ask(client, model)
        kind, data = heard(client, answer["events"])[-1]
        assert kind == "failed"
        sentences.append(data["sentence"])

    assert str(empty) in sentences[0] or "could not be used" in sentences[0]
    assert "PREFERABLY_KEY_NOBODY is not set" in sentences[1]
    assert "answered 401: no, Bearer …" in sentences[2]
    assert "sk-secret" not in "".join(sentences)


def test_models_in_memory_end_with_their_worker(
    worker: int, tiny: TrainedModel, noor: User, signed_in: SignIn
) -> None:
    client = signed_in(noor)
    (answer,) = ask(client, tiny)
    heard(client, answer["events"])
    children = descendants(worker)
    assert children

    kill(worker)

    until(
        lambda: not any(is_alive(pid) for pid in children), "the model's process ends", limit_s=20
    )


def test_a_worker_killed_during_an_answer_is_reported(
    worker: int, stub: Stub, noor: User, signed_in: SignIn
) -> None:
    client = signed_in(noor)
    stub.holds.clear()
    (answer,) = ask(client, elsewhere(noor, stub), text="one two")
    heard(client, answer["events"], until_kind="text")

    os.kill(worker, 9)

    kind, data = heard(client, answer["events"])[-1]
    assert (kind, data["sentence"][:22]) == ("failed", "The worker stopped in ")


def test_without_a_worker_a_question_is_refused_with_a_sentence(
    tiny: TrainedModel, noor: User, signed_in: SignIn
) -> None:
    body = {
        "parts": [{"model": tiny.pk, "messages": [{"role": "user", "content": "Hi"}]}],
        "sampling": {},
    }
    settings = {"temperature": 1, "top_p": 1, "max_new_tokens": 24}

    answer = signed_in(noor).post(
        "/models/try/ask",
        json.dumps(body | {"sampling": settings}),
        content_type="application/json",
    )

    assert (
        answer.status_code,
        "No worker is running for the “models” queue" in answer.json()["sentence"],
    ) == (422, True)
