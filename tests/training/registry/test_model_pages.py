"""A researcher's pages about models through HTTP: trying, keeping, editing, lineage, archives,
other servers.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.data import intake
from labeling.models import Demonstration, Prompt, Rater, Source
from tests.html import text_of
from tests.labeling.answers import downloaded
from tests.training import cast
from training.models import Endpoint, Publication, TrainedModel
from training.playground import views as playground_views
from training.playground.chat_protocol import Channel
from training.registry import endpoints
from training.registry import services as registry_services
from training.registry.archive import cards
from training.runs import run_queue

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture
def worker() -> Iterator[None]:
    """Somebody who says that he is there, and does nothing."""
    with Channel() as channel:
        channel.record_worker(worker="cast@test")
        yield
        channel.remove_worker(worker="cast@test")


@pytest.fixture(autouse=True)
def _named_hosts(settings: LazySettings) -> None:
    settings.ENDPOINT_HOSTS = ["llm.example.org", "inside:8000"]


def elsewhere(noor: User, **changes: Any) -> TrainedModel:
    values = {
        "name": "theirs",
        "url": "https://llm.example.org/v1/",
        "served_name": "big",
        "licence": "MIT",
    } | changes
    return endpoints.register_endpoint(**values, by=noor, now=timezone.now())


def ask(client: Client, model: TrainedModel, messages: Any = None, **sampling: Any) -> Any:
    turns = [{"role": "user", "content": "Hi"}] if messages is None else messages
    settings = {"temperature": 0.7, "top_p": 0.95, "max_new_tokens": 24, "seed": None} | sampling
    body = {"parts": [{"model": model.pk, "messages": turns}], "sampling": settings}
    return client.post("/models/try/ask", json.dumps(body), content_type="application/json")


# --- who and what is empty ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/models/try/", "/models/endpoints/new/", "/models/1/edit/", "/models/1/archive"]
)
def test_admins_and_raters_are_refused(
    signed_in: SignIn, alice: User, rosa: Rater, path: str
) -> None:
    assert signed_in(alice).get(path).status_code == 403
    assert signed_in(rosa).get(path).status_code == 403


def test_without_a_model_or_a_worker_the_page_says_what_is_missing(
    signed_in: SignIn, noor: User
) -> None:
    client = signed_in(noor)

    assert "No language models yet" in text_of(client, "/models/try/")
    cast.a_model(noor)
    assert "No worker available" in text_of(client, "/models/try/")


def test_retired_models_and_reward_models_are_not_offered(
    signed_in: SignIn, noor: User, worker: None
) -> None:
    cast.a_model(noor, name="good")
    cast.a_model(noor, name="scores", kind="reward")
    retired = cast.a_model(noor, name="old")
    TrainedModel.objects.filter(pk=retired.pk).update(stage="retired")

    page = text_of(signed_in(noor), "/models/try/")

    assert ("good" in page, "scores" in page, ">old" in page) == (True, False, False)


# --- asking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "does not end with your message"),
        (
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
            "does not end with your message",
        ),
        ([{"role": "user", "content": " "}], "is empty"),
        ([{"role": "user", "content": "x" * 200_001}], "too long"),
        ([{"role": "tool", "content": "x"}], "does not end with your message"),
        (["x"], "could not be read"),
        ([{"role": "user", "content": 3}], "could not be read"),
        ("x", "could not be read"),
    ],
)
def test_a_conversation_that_makes_no_sense_is_refused(
    signed_in: SignIn, noor: User, worker: None, messages: Any, words: str
) -> None:
    answer = ask(signed_in(noor), cast.a_model(noor), messages)

    assert (answer.status_code, words in answer.json()["sentence"]) == (422, True)


def test_settings_out_of_range_and_reward_models_are_refused(
    signed_in: SignIn, noor: User, worker: None
) -> None:
    client = signed_in(noor)

    hot = ask(client, cast.a_model(noor), temperature=9)
    scores = ask(client, cast.a_model(noor, name="scores", kind="reward"))

    assert (hot.status_code, hot.json()["sentence"][:12]) == (422, "Temperature:")
    assert (scores.status_code, "reward model" in scores.json()["sentence"]) == (422, True)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"parts": 3}', b"\xff", b'{"parts": [], "sampling": {}}']
)
def test_what_is_no_question_is_refused(signed_in: SignIn, noor: User, body: bytes) -> None:
    assert (
        signed_in(noor).post("/models/try/ask", body, content_type="application/json").status_code
        == 422
    )


def test_an_answer_is_read_from_where_the_browser_was_and_by_nobody_else(
    signed_in: SignIn, noor: User, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(noor)
    (seen,) = ask(client, cast.a_model(noor)).json()["answers"]
    answer = urlsplit(seen["events"]).path.rsplit("/", 1)[1]
    with Channel() as channel:
        channel.send(answer=answer, kind="text", text="one")
        channel.send(answer=answer, kind="text", text=" two")
        channel.send(answer=answer, kind="end", seconds=1)

    whole = client.get(seen["events"])
    content = downloaded(whole).decode()
    place = content.split("id: ")[1].split("\n")[0]
    rest = downloaded(client.get(seen["events"], headers={"Last-Event-ID": place})).decode()

    assert whole["Content-Type"] == "text/event-stream"
    assert whole["Content-Encoding"] == "identity"
    assert ["one" in content, " two" in content, "event: end" in content] == [True] * 3
    assert ['"one"' in rest, " two" in rest] == [False, True]
    other = User.objects.create(email="other@example.org", name="Other", is_researcher=True)
    assert signed_in(other).get(seen["events"]).status_code == 404
    assert signed_in(other).post(seen["stop"]).status_code == 404


def test_beyond_a_few_streams_answers_come_in_pieces_and_hold_nobody_up(
    signed_in: SignIn, noor: User, worker: None
) -> None:
    client = signed_in(noor)
    (seen,) = ask(client, cast.a_model(noor)).json()["answers"]
    taken = [playground_views.N_STREAMS.acquire(blocking=False) for _stream in range(2)]

    content = downloaded(client.get(seen["events"])).decode()

    for _stream in taken:
        playground_views.N_STREAMS.release()
    assert (taken, content) == ([True, True], "retry: 400\n\n")


# --- keeping --------------------------------------------------------------------------------------


def test_a_turn_becomes_a_prompt_after_a_look(signed_in: SignIn, noor: User) -> None:
    client = signed_in(noor)
    earlier = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    filled = {"earlier": json.dumps(earlier), "text": "Why is the sky blue?"}

    look = client.post("/models/try/keep/", filled)
    about = {"category": "open_qa", "language": "en", "split": "validation", "licence": "CC-BY-4.0"}
    done = client.post("/models/try/keep/", filled | about | {"keep": "1"}, follow=True)

    assert (look.status_code, Prompt.objects.count()) == (200, 1)
    prompt = Prompt.objects.get()
    assert prompt.messages == [*earlier, {"role": "user", "content": "Why is the sky blue?"}]
    assert (prompt.split, prompt.licence, prompt.source.person) == ("validation", "CC-BY-4.0", noor)
    assert f"by person {noor.pk}" in done.content.decode()


def test_an_answer_becomes_a_demonstration_with_source_settings_and_licence(
    signed_in: SignIn, noor: User
) -> None:
    client, model = signed_in(noor), cast.a_model(noor)
    filled = {
        "text": "Why is the sky blue?",
        "model": str(model.pk),
        "written": "Air.",
        "sampling": json.dumps(
            {"temperature": "0.7", "top_p": "0.9", "max_new_tokens": "24", "seed": None}
        ),
        "is_ended": "true",
    }

    look = client.post("/models/try/keep/", filled).content.decode()
    about = {"category": "open_qa", "language": "en", "split": "train", "licence": "Apache-2.0"}
    client.post(
        "/models/try/keep/", filled | about | {"answer": "Air scatters blue light.", "keep": "1"}
    )

    assert 'value="Apache-2.0"' in look
    demonstration = Demonstration.objects.select_related("edit_of__source").get()
    assert demonstration.text == "Air scatters blue light."
    assert demonstration.edit_of is not None
    assert (demonstration.edit_of.text, demonstration.edit_of.source) == ("Air.", model.source)
    assert demonstration.edit_of.sampling == {
        "temperature": 0.7,
        "top_p": 0.9,
        "max_new_tokens": 24,
        "seed": None,
    }


def test_nothing_is_kept_without_a_licence_or_from_turns_that_cannot_be_read(
    signed_in: SignIn, noor: User
) -> None:
    about = {
        "text": "Reason",
        "category": "open_qa",
        "language": "en",
        "split": "train",
        "keep": "1",
    }

    for wrong in (
        {"licence": ""},
        {"licence": "MIT", "earlier": "no"},
        {"licence": "MIT", "earlier": '[{"role": "x"}]'},
    ):
        assert signed_in(noor).post("/models/try/keep/", about | wrong).status_code == 422
    assert not Prompt.objects.exists()


# --- other servers --------------------------------------------------------------------------------


def test_another_servers_model_is_registered_with_the_name_of_its_key_alone(
    signed_in: SignIn, noor: User
) -> None:
    client = signed_in(noor)
    data = {
        "name": "theirs",
        "url": "https://llm.example.org/v1/",
        "served_name": "big",
        "licence": "MIT",
        "key_variable": "PREFERABLY_KEY_LLM",
    }

    made = client.post("/models/endpoints/new/", data)

    endpoint = Endpoint.objects.select_related("model__source").get()
    assert made.status_code == 302
    assert (endpoint.url, endpoint.key_variable) == (
        "https://llm.example.org/v1",
        "PREFERABLY_KEY_LLM",
    )
    assert (endpoint.model.source.kind, endpoint.model.source.licence) == (Source.Kind.MODEL, "MIT")
    assert "Download" not in text_of(client, f"/models/{endpoint.model_id}/")
    assert AuditEvent.objects.filter(action="register", target_id=endpoint.model_id).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://169.254.169.254/latest"}, "is not allowed"),
        ({"url": "https://llm.example.org.evil.net/v1"}, "is not allowed"),
        ({"url": "https://key@llm.example.org/v1"}, "is not a valid URL"),
        ({"url": "https://llm.example.org/v1?key=1"}, "is not a valid URL"),
        ({"url": "file:///etc/passwd"}, "is not a valid URL"),
        ({"url": "https://[::1/v1"}, "is not a valid URL"),
        ({"url": "http://inside:9000/v1"}, "is not allowed"),
        ({"key_variable": "DATABASE_URL"}, "no other secret"),
        ({"key_variable": "PREFERABLY_SECRET_KEY"}, "no other secret"),
        ({"key_variable": "PREFERABLY_KEY_"}, "no other secret"),
    ],
)
def test_an_address_or_a_key_that_might_betray_something_is_refused(
    noor: User, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(registry_services.UnableToRegister, match=words):
        elsewhere(noor, **changes)


def test_a_host_with_its_port_is_let_through(noor: User) -> None:
    assert elsewhere(noor, url="http://inside:8000/v1").location == "http://inside:8000/v1"


def test_another_servers_model_is_sampled_from_and_never_trained(noor: User) -> None:
    model = elsewhere(noor)
    queue: dict[str, Any] = {
        "name": "x",
        "config": {},
        "base_model": model,
        "by": noor,
        "now": timezone.now(),
    }

    run = run_queue.queue_run(
        kind="sample", snapshot=cast.a_snapshot(noor, kind="prompts", name="p"), **queue
    )
    with pytest.raises(run_queue.UnableToQueue, match="is an external model"):
        run_queue.queue_run(kind="sft", snapshot=cast.a_snapshot(noor), **queue)

    assert run.base_model == model


def test_a_model_of_ours_that_another_server_answers_for_keeps_what_is_behind_it(
    signed_in: SignIn, noor: User
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=4), "succeeded")
    ours = run.trained_model
    client = signed_in(noor)
    data = {
        "name": "ours, served",
        "url": "https://llm.example.org/v1",
        "served_name": "ours",
        "serves": ours.pk,
    }

    made = client.post("/models/endpoints/new/", data)

    served = TrainedModel.objects.get(name="ours, served")
    assert made.status_code == 302
    assert (served.parent, served.licence) == (ours, ours.licence)
    assert f'href="/runs/{run.pk}/"' in text_of(client, f"/models/{served.pk}/")
    assert f'href="/models/{served.pk}/"' in text_of(client, f"/models/{ours.pk}/")
    assert (
        f"**ours, served** is {ours.name} served by an external endpoint"
        in cards.generated_card(model=served)
    )
    registered = AuditEvent.objects.get(
        action="register", target_type="training.trainedmodel", target_id=served.pk
    )
    assert registered.after["serves"] == ours.name


def test_whose_licence_nobody_says_is_asked_for_it_and_no_model_of_others_is_ours(
    signed_in: SignIn, noor: User
) -> None:
    data = {"name": "theirs, too", "url": "https://llm.example.org/v1", "served_name": "big"}
    client = signed_in(noor)

    assert (
        "Enter the licence its answers"
        in client.post("/models/endpoints/new/", data).content.decode()
    )
    refused = client.post(
        "/models/endpoints/new/", data | {"licence": "MIT", "serves": elsewhere(noor).pk}
    )
    assert refused.status_code == 422


# --- a model's page -------------------------------------------------------------------------------


def test_a_models_lineage_can_be_clicked_from_judgments_to_models(
    signed_in: SignIn, noor: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=4), "succeeded")
    model = run.trained_model
    model.source = intake.source_for_model(name="model-x", licence="MIT")
    model.save()
    prompt = Prompt.objects.create(
        messages=[{"role": "user", "content": "Hi"}], source=model.source, messages_sha256="x"
    )
    rows = [intake.NewResponse(prompt.pk, "Hello.", 0, {}, True)]
    intake.store_responses(source=model.source, rows=rows, now=timezone.now())
    client = signed_in(noor)

    with django_assert_max_num_queries(40):
        page = text_of(client, f"/models/{model.pk}/")

    for path in (
        f"/runs/{run.pk}/",
        f"/snapshots/{run.snapshot_id}/",
        f"/models/{run.base_model_id}/",
    ):
        assert f'href="{path}"' in page
    assert f'href="/models/{model.pk}/responses/"' in page
    assert "904 × CC-BY-4.0" in page
    assert "Hello." in text_of(client, f"/models/{model.pk}/responses/")


def test_a_model_that_nothing_came_of_has_a_page_and_an_empty_list(
    signed_in: SignIn, noor: User
) -> None:
    model = cast.a_model(noor)
    client = signed_in(noor)

    assert "Derived from this" not in text_of(client, f"/models/{model.pk}/")
    assert "No responses yet" in text_of(client, f"/models/{model.pk}/responses/")


def test_stage_licence_and_card_are_changed_and_written_down(signed_in: SignIn, noor: User) -> None:
    model = cast.a_model(noor)
    client = signed_in(noor)

    begun = text_of(client, f"/models/{model.pk}/edit/?begin")
    data = {
        "stage": "approved",
        "licence": "MIT",
        "notes": "Good.",
        "card": "# Ours\r\n\r\n<script>x</script>",
    }
    client.post(f"/models/{model.pk}/edit/", data)

    model.refresh_from_db()
    assert "## Lineage" in begun
    assert (model.stage, model.licence, model.card[:8]) == ("approved", "MIT", "# Ours\n\n")
    assert model.source is not None
    assert (model.source.licence, "<script>x" in text_of(client, f"/models/{model.pk}/")) == (
        "MIT",
        False,
    )
    assert (
        AuditEvent.objects.filter(action="change", target_id=model.pk).get().after["stage"]
        == "approved"
    )


def test_an_archive_is_sent_with_its_length_and_its_lack_is_told(
    signed_in: SignIn, noor: User, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    here = registry_services.register_model(
        name="a b", kind="policy", location=str(tmp_path), licence="", by=noor, now=timezone.now()
    )
    client = signed_in(noor)

    sent = client.get(f"/models/{here.pk}/archive", headers={"Accept-Encoding": "gzip"})
    content = downloaded(sent)
    missing = client.get(f"/models/{cast.a_model(noor).pk}/archive", follow=True)
    no_adapter = client.get(f"/models/{here.pk}/archive?weights=adapter", follow=True)

    assert sent["Content-Disposition"] == 'attachment; filename="a-b.tar"'
    assert len(content) == int(sent["Content-Length"])
    assert "manage.py export_model" in missing.content.decode()
    assert "was not trained with LoRA" in no_adapter.content.decode()
    noted = AuditEvent.objects.get(action="download")
    assert (noted.by, noted.target_id, noted.after) == (noor, here.pk, {"weights": "merged"})


def test_publishing_is_queued_shown_and_refused_with_a_sentence(
    signed_in: SignIn, noor: User
) -> None:
    model = cast.a_model(noor)
    client = signed_in(noor)

    wrong = client.post(
        f"/models/{model.pk}/publish", {"repository": "no"}, follow=True
    ).content.decode()
    client.post(f"/models/{model.pk}/publish", {"repository": "team/ours", "is_private": "on"})
    page = text_of(client, f"/models/{model.pk}/publications")

    assert "is not a valid repository name" in wrong
    assert ("team/ours" in page, "Waiting for a worker" in page, "hx-get" in page) == (
        True,
        True,
        True,
    )
    Publication.objects.update(state="failed", error="The hub refused it.")
    page = text_of(client, f"/models/{model.pk}/publications")
    assert ("The hub refused it." in page, "hx-get" in page) == (True, False)
