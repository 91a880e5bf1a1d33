"""A sampling run of an external model, for real: supervisor, child process, HTTP, and responses
under its source.
"""

import json
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.data import intake
from labeling.models import Prompt, Response
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.conftest import NOW
from tests.training.playground.openai_stub import Stub, openai_stub
from training.models import Run, Snapshot
from training.registry import endpoints
from training.runs import run_queue
from training.runs.supervisor import supervise

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.usefixtures("warm_trainer"),
]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as running:
        yield running


@pytest.fixture
def run(
    noor: User, stub: Stub, make_snapshot: Callable[..., Snapshot], settings: LazySettings
) -> Run:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    about = {"category": "chat", "language": "en", "split": "train", "licence": "MIT"}
    prompts = [
        intake.save_prompt(
            messages=[{"role": "user", "content": f"Say {n} words"}], **about, by=noor, now=NOW
        )
        for n in range(3)
    ]
    rows = [
        {"id": prompt.pk, "prompt_id": prompt.pk, "prompt": prompt.messages} for prompt in prompts
    ]
    snapshot = make_snapshot(
        "prompts", n_rows=3, train="".join(json.dumps(row) + "\n" for row in rows)
    )
    model = endpoints.register_endpoint(
        name="theirs",
        url=stub.url,
        served_name="echo",
        licence="MIT",
        key_variable="PREFERABLY_KEY_STUB",
        by=noor,
        now=NOW,
    )
    config = {"n_responses": 2, "max_new_tokens": 8, "batch_size": 4}
    return run_queue.queue_run(
        kind="sample",
        name="s",
        config=config,
        snapshot=snapshot,
        base_model=model,
        by=noor,
        now=NOW,
    )


def test_its_responses_are_stored_under_the_models_source(
    run: Run, stub: Stub, settings: LazySettings
) -> None:
    settings.ENDPOINT_KEYS = {
        "PREFERABLY_KEY_STUB": "sk-secret",
        "PREFERABLY_KEY_OTHER": "sk-other",
    }

    supervise.supervise(run_id=run.pk, node="here")

    run.refresh_from_db()
    assert (run.outcome, run.error) == ("succeeded", "")
    found = Response.objects.filter(source=run.base_model.source)
    assert (found.count(), Prompt.objects.filter(responses__in=found).distinct().count()) == (6, 3)
    assert set(stub.keys) == {"Bearer sk-secret"}
    assert "sk-secret" not in run.log_tail + json.dumps(run.notes) + json.dumps(run.config)


def test_thinking_and_calls_are_stored_beside_the_text(
    run: Run, stub: Stub, settings: LazySettings
) -> None:
    settings.ENDPOINT_KEYS = {"PREFERABLY_KEY_STUB": "sk-secret"}
    function = {"name": "say", "arguments": '{"n": 1}'}
    call = {"id": "x", "type": "function", "function": function}
    stub.parts = {"content": "<think>Hm.</think>Yes.", "tool_calls": [call]}

    supervise.supervise(run_id=run.pk, node="here")

    stored = Response.objects.filter(source=run.base_model.source)
    assert {(row.text, row.reasoning_content) for row in stored} == {("Yes.", "Hm.")}
    assert [row.tool_calls for row in stored] == [
        [call | {"function": {"name": "say", "arguments": {"n": 1}}}]
    ] * 6


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([], "is not allowed"),
        (["127.0.0.1", "elsewhere=PREFERABLY_KEY_STUB"], "belongs to another host"),
    ],
)
def test_a_host_that_the_operator_no_longer_allows_is_not_called(
    run: Run, stub: Stub, settings: LazySettings, hosts: list[str], words: str
) -> None:
    settings.ENDPOINT_KEYS = {"PREFERABLY_KEY_STUB": "sk-secret"}
    settings.ENDPOINT_HOSTS = hosts

    supervise.supervise(run_id=run.pk, node="here")

    run.refresh_from_db()
    assert (run.outcome, words in run.error) == ("failed", True)
    assert stub.keys == []


def test_without_its_key_the_run_says_which_variable_is_missing(
    run: Run, settings: LazySettings
) -> None:
    settings.ENDPOINT_KEYS = {}

    supervise.supervise(run_id=run.pk, node="here")

    run.refresh_from_db()
    assert (run.outcome, run.error[:27]) == ("failed", "PREFERABLY_KEY_STUB is not ")
