"""What the form, the API and a schedule say of a run's plan, and refuse."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.api.conftest import client_with, secret_of
from tests.training import cast
from tests.training.runs.estimates.planning import a_model_of, a_node
from tests.training.runs.estimates.shapes import QWEN_7B
from tests.training.runs.estimates.test_plan import REFUSALS
from tests.training.runs.test_run_forms import form_data
from tests.training.schedules.test_schedule_pages import form_data as schedule_data
from training.models import Node, Run, Snapshot, TrainedModel
from training.processes.launch import SINGLE_PROCESS, Launch, gpus_of_step
from training.registry import endpoints
from training.runs import run_queue
from training.runs.run_queue import RunOptions

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
Registered = Callable[..., TrainedModel]

NOT_BY_FORM = {
    "more GPUs than cards": "waits for a node that has them",
    "too many processes": "is more than the field takes",
    "too many machines": "is more than the field takes",
    "no DeepSpeed": "is no choice",
    "no such strategy": "is no choice",
    "a mixture": "only says that it cannot be planned",
}
SNAPSHOTS = {"sft": "demonstrations", "reward": "comparisons"}


@pytest.fixture
def calling() -> Callable[..., Client]:
    return lambda person: client_with(secret_of(person))


@pytest.fixture
def registered(noor: User, tmp_path: Path) -> Registered:
    """registered("base", config) registers a model of that config.json, without weights."""
    return lambda name, config, kind="policy": a_model_of(config, tmp_path, noor, name, kind)


def sent(
    kind: str, model: TrainedModel, snapshot: Snapshot, launch: Launch = SINGLE_PROCESS, **more: Any
) -> dict[str, Any]:
    """What the browser sends for a run."""
    chosen = {"base_model": model.pk, "snapshot": snapshot.pk} | launch.as_json() | more
    values = form_data(kind, "balanced", dtype="bfloat16", **chosen)
    return {name: value for name, value in values.items() if value is not False}


def as_body(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """The same run for the API."""
    about = ("name", "base_model", "snapshot", "reward_model", "n_gpus")
    of_launch = Launch.__dataclass_fields__
    config = {k: v for k, v in data.items() if k not in (*about, *of_launch) and v != ""}
    rest = {name: data[name] for name in (*about, *of_launch) if name in data}
    return rest | {"kind": kind, "preset": "balanced", "config": config}


@pytest.mark.parametrize("case", sorted(REFUSALS.keys() - NOT_BY_FORM))
def test_form_and_api_refuse_what_the_plan_refuses(
    case: str,
    signed_in: SignIn,
    calling: Callable[..., Client],
    noor: User,
    registered: Registered,
    settings: LazySettings,
) -> None:
    asked, node, sentence = REFUSALS[case]
    settings.ARTIFACT_STORE = "s3://models"
    a_node(node.n_cards, node.card_gb, node.host_gb)
    kind = asked.get("kind", "sft")
    model = registered("base", asked.get("model", QWEN_7B))
    data = sent(
        kind,
        model,
        cast.a_snapshot(noor, kind=SNAPSHOTS.get(kind, "prompts")),
        **{k: v for k, v in asked.items() if k not in ("kind", "model", "beside")}
        | {"n_gpus": asked.get("n_gpus", 1)},
    )
    if kind in ("ppo", "rloo"):
        judge = asked.get("beside") and {**QWEN_7B, "vocab_size": 128256}
        data["reward_model"] = registered("judge", judge or QWEN_7B, "reward").pk

    refused = signed_in(noor).post(f"/runs/new/{kind}/", data | {"start": "1"})
    body = as_body(kind, data)
    answer = calling(noor).post("/api/v1/runs", body, content_type="application/json")

    errors = refused.context["form"].errors
    at = {field: text for field, texts in errors.items() for text in texts}
    [field] = [field for field, text in at.items() if re.search(sentence, text)]
    assert field != "__all__"
    assert (refused.status_code, answer.status_code) == (422, 409)
    assert set(at.values()) == {text for text in at.values() if text in answer.json()["detail"]}, (
        answer.json()["detail"]
    )
    assert not Run.objects.exists()


def test_the_cases_that_no_form_reaches_are_in_the_plan() -> None:
    assert NOT_BY_FORM.keys() < REFUSALS.keys()


def test_a_page_from_before_a_node_went_keeps_what_was_typed(
    signed_in: SignIn, noor: User, registered: Registered
) -> None:
    a_node(1, 24, 512, name="small")
    large = a_node(1, 200, 512, name="large")
    data = sent("sft", registered("Qwen", QWEN_7B), cast.a_snapshot(noor), n_gpus=1, method="full")
    client = signed_in(noor)
    assert "On large" in client.post("/runs/new/sft/cost", data).text
    large.delete()

    page = client.post("/runs/new/sft/", data | {"name": "My own words", "start": "1"})

    assert page.status_code == 422
    assert "Each GPU would hold" in page.text
    assert 'value="My own words"' in page.text


def test_the_form_shows_what_7_billion_weights_would_take(
    signed_in: SignIn, noor: User, registered: Registered
) -> None:
    a_node(8, 79.6, 512)
    data = sent(
        "sft",
        registered("Qwen", QWEN_7B),
        cast.a_snapshot(noor),
        Launch(8, "fsdp"),
        n_gpus=8,
        method="full",
    )

    text = signed_in(noor).post("/runs/new/sft/cost", data).text

    summary = re.search(r"On gpu-1, each of 8 GPUs holds ([\d.]+) of 80 GB; the machine", text)
    assert summary is not None
    assert 16 * 7.6 / 8 < float(summary[1]) < 80
    assert "Sent by each GPU" in text
    assert "callout" not in text


def test_a_refused_plan_is_said_while_the_form_is_filled_in(
    signed_in: SignIn, noor: User, registered: Registered
) -> None:
    a_node(1, 24, 512)
    data = sent("sft", registered("Qwen", QWEN_7B), cast.a_snapshot(noor), n_gpus=1, method="full")

    text = signed_in(noor).post("/runs/new/sft/cost", data).text

    assert "Each GPU would hold" in text
    assert "A dry run measures it" in text


def test_nothing_is_too_large_for_nodes_that_nobody_knows(
    noor: User, registered: Registered, signed_in: SignIn
) -> None:
    a_node(1, 24, 512, name="away")
    Node.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    data = sent("sft", registered("Qwen", QWEN_7B), cast.a_snapshot(noor), n_gpus=1, method="full")

    text = signed_in(noor).post("/runs/new/sft/cost", data).text
    signed_in(noor).post("/runs/new/sft/", data | {"start": "1"})

    assert "The GPU holds" in text
    assert "so it would wait" in text
    assert Run.objects.get().state == "queued"


def test_one_node_that_is_large_enough_is_enough(
    noor: User, registered: Registered, signed_in: SignIn
) -> None:
    a_node(1, 24, 512, name="a-small-one")
    a_node(1, 200, 512, name="large")
    data = sent("sft", registered("Qwen", QWEN_7B), cast.a_snapshot(noor), n_gpus=1, method="full")

    text = signed_in(noor).post("/runs/new/sft/cost", data).text

    assert "On large, the GPU holds" in text


def queued(model: TrainedModel, snapshot: Snapshot, by: User, **options: Any) -> Run:
    return run_queue.queue_run(
        kind="sft",
        name="x",
        config={"method": "full", "dtype": "bfloat16"},
        snapshot=snapshot,
        base_model=model,
        options=RunOptions(n_gpus=1, **options),
        by=by,
        now=timezone.now(),
    )


def test_a_dry_run_measures_memory_and_then_the_estimate_refuses_nothing(
    noor: User, registered: Registered
) -> None:
    a_node(1, 24, 512)
    model, snapshot = registered("Qwen", QWEN_7B), cast.a_snapshot(noor)
    with pytest.raises(run_queue.UnableToPlan, match="Each GPU would hold"):
        queued(model, snapshot, noor)

    dry = queued(model, snapshot, noor, is_dry=True)
    with pytest.raises(run_queue.UnableToPlan):
        queued(model, snapshot, noor)
    Run.objects.filter(pk=dry.pk).update(state="finished", outcome="succeeded")

    assert queued(model, snapshot, noor).state == "queued"


def test_idle_gpus_are_refused_of_a_dry_run_too(noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)

    with pytest.raises(run_queue.UnableToPlan, match="would be idle"):
        run_queue.queue_run(
            kind="sft",
            name="x",
            config={},
            snapshot=snapshot,
            base_model=model,
            options=RunOptions(n_gpus=8, is_dry=True),
            by=noor,
            now=timezone.now(),
        )


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"d_model": 512}, "names its sizes otherwise"),
        (QWEN_7B | {"num_experts": 128}, "a mixture of experts"),
        (None, "is not on this machine"),
    ],
)
def test_a_model_of_unknown_sizes_gets_a_sentence_and_is_queued(
    config: dict[str, Any] | None,
    sentence: str,
    signed_in: SignIn,
    noor: User,
    registered: Registered,
) -> None:
    a_node(1, 24, 64)
    model = registered("odd", config or {})
    if config is None:
        (Path(model.location) / "config.json").unlink()
    data = sent("sft", model, cast.a_snapshot(noor), n_gpus=1, method="full")
    client = signed_in(noor)

    text = client.post("/runs/new/sft/cost", data).text

    assert sentence in text
    assert client.post("/runs/new/sft/", data | {"start": "1"}).status_code == 302


def test_an_external_model_holds_nothing_here(
    signed_in: SignIn, noor: User, settings: LazySettings
) -> None:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    model = endpoints.register_endpoint(
        name="theirs",
        url="http://127.0.0.1:9/v1",
        served_name="echo",
        licence="MIT",
        key_variable="",
        by=noor,
        now=timezone.now(),
    )
    data = sent("sample", model, cast.a_snapshot(noor, kind="prompts"), n_gpus=0)

    assert "nodes hold none of it" in signed_in(noor).post("/runs/new/sample/cost", data).text


def test_the_api_estimates_the_same_plan(
    calling: Callable[..., Client], noor: User, registered: Registered
) -> None:
    a_node(1, 24, 512)
    data = sent("sft", registered("Qwen", QWEN_7B), cast.a_snapshot(noor), n_gpus=1, method="full")

    answer = calling(noor).post(
        "/api/v1/runs/estimate", as_body("sft", data), content_type="application/json"
    )

    assert answer.json()["plan"].startswith("On gpu-1, the GPU holds ")
    [refusal] = answer.json()["refusals"]
    assert refusal.startswith("Each GPU would hold ")


def test_an_extension_goes_on_with_the_gpus_that_its_run_had(noor: User) -> None:
    run = cast.a_run(noor, n_gpus=2, launch=SINGLE_PROCESS.as_json())
    cast.finished(run, "succeeded")
    Run.objects.filter(pk=run.pk).update(kept_step=10, config=run.config | {"n_epochs": 1})
    run.refresh_from_db()

    more = run_queue.extend_run(run=run, name="More", amount=3, by=noor, now=timezone.now())

    assert more.n_gpus == 2


@pytest.mark.parametrize(("n_gpus", "status"), [(1, 302), (8, 422)])
def test_a_schedule_whose_steps_would_leave_gpus_idle_is_refused(
    n_gpus: int, status: int, signed_in: SignIn, noor: User
) -> None:
    data = schedule_data(base_model=cast.a_model(noor).pk, n_gpus=n_gpus)

    response = signed_in(noor).post("/schedules/new/fine-tune/", data)

    assert response.status_code == status
    if status == 422:
        assert "would be idle" in response.context["form"].errors["n_gpus"][0]


def test_a_step_without_a_server_asks_for_a_gpu_for_each_process() -> None:
    launch = Launch(3)
    assert [gpus_of_step(4, launch, kind=kind) for kind in ("ppo", "sft")] == [4, 3]
