"""The training half over HTTP: snapshots, runs with their points, models."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.labeling.answers import downloaded
from tests.training import cast
from tests.training.snapshots.test_freezing import demonstrate, on_split
from training.configs import kinds
from training.models import Run, RunPoint, Schedule, Snapshot, TrainedModel
from training.processes.messages import RUNS
from training.registry import services as registry_services
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.snapshots import services as snapshots_services
from training.snapshots.api import FiltersSerializer

Caller = Callable[..., Client]


@pytest.fixture(autouse=True)
def _own_folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.SNAPSHOTS_DIR = tmp_path


def post(client: Client, path: str, body: object | None = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


# --- snapshots ------------------------------------------------------------------------------------


def test_a_snapshot_is_cut_and_listed_with_its_card(
    calling: Caller, noor: User, rosa: Rater
) -> None:
    for prompt in on_split("train", 3):
        demonstrate(prompt, rosa)
    client = calling(noor)

    made = post(client, "/api/v1/snapshots", {"kind": "demonstrations", "name": "By script"})

    snapshot = Snapshot.objects.get()
    assert made.status_code == 201
    assert (made.json()["n_rows"], made.json()["fingerprint"]) == (3, snapshot.fingerprint)
    assert client.get(f"/api/v1/snapshots/{snapshot.pk}").json()["card"]["rows"] == 3
    assert [
        row["id"] for row in client.get("/api/v1/snapshots?kind=demonstrations").json()["results"]
    ] == [snapshot.pk]
    assert client.get("/api/v1/snapshots?kind=prompts").json()["results"] == []


def test_a_snapshot_of_nothing_is_refused_in_the_services_words(
    calling: Caller, noor: User
) -> None:
    response = post(calling(noor), "/api/v1/snapshots", {"kind": "comparisons", "name": "Empty"})

    assert response.status_code == 409
    assert response.json()["detail"]
    assert not Snapshot.objects.exists()


def test_every_filter_of_the_api_is_one_of_the_service() -> None:
    assert set(FiltersSerializer().fields) <= {
        field.name for field in fields(snapshots_services.Filters)
    }


# --- runs -----------------------------------------------------------------------------------------


def test_no_run_is_queued_from_a_retired_model(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor)
    TrainedModel.objects.filter(pk=run.base_model_id).update(stage="retired")
    body = {
        "kind": "sft",
        "name": "x",
        "snapshot": run.snapshot_id,
        "base_model": run.base_model_id,
        "preset": "small",
    }

    answer = calling(noor).post("/api/v1/runs", body, content_type="application/json")

    assert answer.status_code == 409
    assert "is retired. Choose another model" in answer.json()["detail"]


def test_a_run_is_queued_from_a_preset_with_changes_and_rung_for(
    calling: Caller, noor: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    body = {
        "kind": "sft",
        "name": "By script",
        "snapshot": snapshot.pk,
        "base_model": model.pk,
        "preset": "small",
        "config": {"learning_rate": 1e-4},
        "n_gpus": 2,
        "n_processes": 2,
    }

    with django_capture_on_commit_callbacks() as callbacks:
        made = post(calling(noor), "/api/v1/runs", body)

    run = Run.objects.get()
    assert (made.status_code, made.json()["id"], made.json()["state"]) == (201, run.pk, "queued")
    assert run.config == kinds.as_json(kinds.PRESETS["sft"]["small"]) | {"learning_rate": 1e-4}
    assert (run.created_by, run.n_gpus, made.json()["n_gpus"]) == (noor, 2, 2)
    (callback,) = callbacks
    assert isinstance(callback, partial)
    assert callback.func == RUNS.wake


def test_every_wrong_setting_is_named_with_its_sentence(calling: Caller, noor: User) -> None:
    body = {
        "kind": "sft",
        "name": "x",
        "snapshot": cast.a_snapshot(noor).pk,
        "base_model": cast.a_model(noor).pk,
    }

    response = post(
        calling(noor), "/api/v1/runs", body | {"config": {"batch_size": 0, "colour": "red"}}
    )

    assert response.status_code == 400
    assert response.json()["errors"] == {
        "config.colour": ["“colour” is not a setting of sft runs. Remove it."],
        "config.batch_size": ["Batch size is 0 but must be between 1 and 4096."],
    }


def test_a_run_that_does_not_fit_its_snapshot_is_refused(calling: Caller, noor: User) -> None:
    body = {
        "kind": "reward",
        "name": "x",
        "snapshot": cast.a_snapshot(noor).pk,
        "base_model": cast.a_model(noor).pk,
    }

    response = post(calling(noor), "/api/v1/runs", body)

    assert (response.status_code, "contains no comparisons" in response.json()["detail"]) == (
        409,
        True,
    )


def test_ppo_takes_a_watchdog(calling: Caller, noor: User) -> None:
    reward, watchdog = (
        TrainedModel.objects.create(name=name, kind="reward", location=f"/{name}")
        for name in ("r", "w")
    )
    snapshot = cast.a_snapshot(noor, kind="prompts")
    body = {
        "kind": "ppo",
        "name": "x",
        "snapshot": snapshot.pk,
        "base_model": cast.a_model(noor).pk,
    }

    response = post(
        calling(noor),
        "/api/v1/runs",
        body | {"reward_model": reward.pk, "watchdog_model": watchdog.pk},
    )

    assert (response.status_code, response.json()["watchdog_model"]) == (201, watchdog.pk)


def test_a_run_tells_where_it_is(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=4), "succeeded")

    told = calling(noor).get(f"/api/v1/runs/{run.pk}").json()

    assert (told["state"], told["outcome"], told["step"], told["n_steps"]) == (
        "finished",
        "succeeded",
        4,
        400,
    )
    assert told["model"] == TrainedModel.objects.get(run=run).pk
    assert told["metrics"]["held_out_loss_after"] == 1.713


def test_runs_are_filtered_by_kind_and_by_what_became_of_them(calling: Caller, noor: User) -> None:
    cast.a_run(noor)
    failed = cast.finished(cast.a_run(noor, state="running"), "failed", "Out of memory.")
    client = calling(noor)

    assert [row["id"] for row in client.get("/api/v1/runs?state=failed").json()["results"]] == [
        failed.pk
    ]
    assert client.get("/api/v1/runs?kind=ppo").json()["results"] == []
    assert (
        len(client.get("/api/v1/runs?words=%20").json()["results"])
        == len(client.get("/api/v1/runs").json()["results"])
        > 0
    )


def test_a_list_of_runs_costs_the_same_however_long(
    calling: Caller, noor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = calling(noor)
    client.get("/api/v1/runs")
    for number in range(8):
        cast.a_run(noor, name=f"Run {number}")

    with django_assert_num_queries(2):  # token, runs
        assert len(client.get("/api/v1/runs").json()["results"]) == 8


def test_stopping_a_queued_run_ends_it(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor)

    stopped = post(calling(noor), f"/api/v1/runs/{run.pk}/stop").json()

    assert (stopped["state"], stopped["outcome"], stopped["is_stop_requested"]) == (
        "finished",
        "stopped",
        True,
    )


def test_a_lost_run_is_put_back_and_a_running_one_is_not(calling: Caller, noor: User) -> None:
    lost = cast.finished(cast.a_run(noor, state="running"), "lost", "The worker went away.")
    running = cast.a_run(noor, state="running")
    client = calling(noor)

    assert post(client, f"/api/v1/runs/{lost.pk}/retry").json()["state"] == "queued"
    refused = post(client, f"/api/v1/runs/{running.pk}/retry")
    assert (refused.status_code, refused.json()["detail"][:40]) == (
        409,
        "This run cannot be resumed: it has not e",
    )


def test_points_come_since_a_step_and_say_how_to_go_on(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=10)
    client = calling(noor)

    page = client.get(f"/api/v1/runs/{run.pk}/points?since=3&limit=4").json()
    rest = client.get(
        f"/api/v1/runs/{run.pk}/points?attempt={page['next_attempt']}&since={page['next_since']}"
    ).json()

    assert [point["step"] for point in page["results"]] == [4, 5, 6, 7]
    assert (page["has_more"], page["state"]) == (True, "running")
    assert [point["step"] for point in rest["results"]] == [8, 9, 10]
    assert set(rest["results"][0]["values"]) == {
        "loss",
        "mean_token_accuracy",
        "learning_rate",
        "grad_norm",
    }


def test_a_reader_misses_no_step_that_a_resumed_run_replays(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=10)
    client = calling(noor)
    seen = client.get(f"/api/v1/runs/{run.pk}/points").json()
    RunPoint.objects.bulk_create(
        RunPoint(run=run, attempt=2, step=step, at=timezone.now(), values={"loss": 1.0})
        for step in (8, 9, 10, 11)
    )

    new = client.get(
        f"/api/v1/runs/{run.pk}/points?attempt={seen['next_attempt']}&since={seen['next_since']}"
    ).json()

    assert [(point["attempt"], point["step"]) for point in new["results"]] == [
        (2, 8),
        (2, 9),
        (2, 10),
        (2, 11),
    ]


def test_no_new_point_leaves_the_place_where_it_was(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=2)

    page = calling(noor).get(f"/api/v1/runs/{run.pk}/points?attempt=1&since=2").json()

    assert (page["results"], page["next_attempt"], page["next_since"]) == ([], 1, 2)


def test_a_thousand_points_cost_three_queries(
    calling: Caller, noor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = cast.a_run(noor, state="running", n_points=1000)
    client = calling(noor)
    client.get("/api/v1/models")

    with django_assert_num_queries(3):  # token, run, points
        assert len(client.get(f"/api/v1/runs/{run.pk}/points").json()["results"]) == 1000


# --- samples and log ------------------------------------------------------------------------------


def test_samples_come_by_pages_with_their_scores(
    calling: Caller, noor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run, client = cast.a_run(noor, state="running", n_points=3), calling(noor)
    cast.a_run(noor, state="running", n_points=3, name="another's")
    client.get("/api/v1/models")

    with django_assert_num_queries(4):  # token, run, who has withdrawn, samples
        first = client.get(f"/api/v1/runs/{run.pk}/samples?limit=1").json()
    rest = client.get(f"/api/v1/runs/{run.pk}/samples?cursor={first['next_cursor']}").json()

    assert [
        round(sample["scores"]["reward"], 2) for sample in first["results"] + rest["results"]
    ] == [0.62, 1.62]
    assert (
        first["results"][0]["step"],
        first["results"][0]["prompt"][:13],
        rest["next_cursor"],
    ) == (3, "Write a polit", None)


def test_a_log_is_read_from_where_one_was(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor, state="running", log_tail="b\nc\nd\n 40%", n_log_lines=12, log_attempt=1)
    client = calling(noor)

    whole = client.get(f"/api/v1/runs/{run.pk}/log").json()
    rest = client.get(f"/api/v1/runs/{run.pk}/log?attempt=1&since=11").json()
    none = client.get(
        f"/api/v1/runs/{run.pk}/log?attempt={whole['next_attempt']}&since={whole['next_since']}"
    ).json()

    assert [(line["number"], line["text"]) for line in whole["results"]] == [
        (10, "b"),
        (11, "c"),
        (12, "d"),
    ]
    assert (whole["unfinished"], whole["state"], whole["next_attempt"], whole["next_since"]) == (
        " 40%",
        "running",
        1,
        12,
    )
    assert [line["text"] for line in rest["results"]] == ["d"]
    assert (none["results"], none["next_since"]) == ([], 12)


def test_the_log_of_an_attempt_elsewhere_is_read_from_its_beginning(
    calling: Caller, noor: User
) -> None:
    run = cast.a_run(
        noor, state="running", log_tail="anew\n", n_log_lines=1, log_attempt=2, attempt=2
    )

    log = calling(noor).get(f"/api/v1/runs/{run.pk}/log?attempt=1&since=40").json()

    assert ([line["text"] for line in log["results"]], log["next_attempt"], log["next_since"]) == (
        ["anew"],
        2,
        1,
    )


def test_a_run_without_a_log_has_no_line(calling: Caller, noor: User) -> None:
    log = calling(noor).get(f"/api/v1/runs/{cast.a_run(noor).pk}/log").json()

    assert (log["results"], log["unfinished"], log["next_since"]) == ([], "", 0)


# --- schedules ------------------------------------------------------------------------------------


def weekly(by: User) -> Schedule:
    model = TrainedModel.objects.first() or cast.a_model(by)
    plan = Plan(template="fine-tune", base_model=model.pk)
    terms = schedules_services.Terms(
        trigger="clock", time_zone="UTC", cron="0 3 * * mon", skips_nothing_new=False
    )
    return schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=by, now=timezone.now()
    )


def test_a_schedule_is_paused_and_resumed(calling: Caller, noor: User) -> None:
    schedule, client = weekly(noor), calling(noor)

    paused = post(client, f"/api/v1/schedules/{schedule.pk}/pause").json()
    resumed = post(client, f"/api/v1/schedules/{schedule.pk}/resume").json()

    assert (paused["paused_at"] is None, resumed["paused_at"]) == (False, None)
    assert (resumed["cron"], resumed["plan"]["template"]) == ("0 3 * * mon", "fine-tune")
    assert resumed["due_at"] is not None


def test_a_schedule_fires_when_asked_and_not_while_its_chain_goes_on(
    calling: Caller, noor: User
) -> None:
    schedule, client = weekly(noor), calling(noor)

    fired = post(client, f"/api/v1/schedules/{schedule.pk}/fire")
    again = post(client, f"/api/v1/schedules/{schedule.pk}/fire")

    assert (fired.status_code, fired.json()["n_firings"]) == (200, 1)
    assert (again.status_code, "has not finished" in again.json()["detail"]) == (409, True)
    assert [row["id"] for row in client.get("/api/v1/schedules").json()["results"]] == [schedule.pk]


# --- models ---------------------------------------------------------------------------------------


def test_a_model_is_registered_and_told_back(calling: Caller, noor: User) -> None:
    client = calling(noor)

    made = post(
        client,
        "/api/v1/models",
        {"name": "base", "location": "owner/model", "licence": "Apache-2.0"},
    )

    model = TrainedModel.objects.get()
    assert (made.status_code, made.json()["id"], made.json()["kind"]) == (201, model.pk, "policy")
    assert (made.json()["run"], made.json()["snapshot"], made.json()["parent"]) == (
        None,
        None,
        None,
    )
    assert client.get(f"/api/v1/models/{model.pk}").json()["location"] == "owner/model"


def test_a_folder_that_is_not_there_is_refused(calling: Caller, noor: User) -> None:
    response = post(calling(noor), "/api/v1/models", {"name": "base", "location": "/" + "x" * 300})

    assert (
        response.status_code,
        "does not exist on this machine" in response.json()["detail"],
    ) == (
        409,
        True,
    )


def test_a_trained_model_names_its_run_and_its_snapshot(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running"), "succeeded")

    newest, _base = calling(noor).get("/api/v1/models").json()["results"]

    assert (newest["run"], newest["snapshot"], newest["parent"]) == (
        run.pk,
        run.snapshot_id,
        run.base_model_id,
    )


def test_a_models_archive_is_a_tar_of_its_length_and_its_lack_a_problem(
    calling: Caller, noor: User, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    here = registry_services.register_model(
        name="here", kind="policy", location=str(tmp_path), licence="", by=noor, now=timezone.now()
    )
    client = calling(noor)

    sent = client.get(f"/api/v1/models/{here.pk}/archive", headers={"Accept": "application/x-tar"})
    away = client.get(
        f"/api/v1/models/{cast.a_model(noor).pk}/archive", headers={"Accept": "application/x-tar"}
    )
    wrong = client.get(f"/api/v1/models/{here.pk}/archive?weights=half")

    content = downloaded(sent)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert sorted(tar.getnames()) == ["here/README.md", "here/config.json", "here/lineage.json"]
    assert (sent["Content-Type"], int(sent["Content-Length"])) == (
        "application/x-tar",
        len(content),
    )
    assert (away.status_code, "export_model" in json.loads(away.content)["detail"]) == (409, True)
    assert wrong.status_code == 400
    assert AuditEvent.objects.get(action="download").target_id == here.pk
