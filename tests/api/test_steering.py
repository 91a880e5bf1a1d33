"""Controlling runs in the API: cost, extensions, the place in the queue, and what is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from config.api_permissions import Scope
from tests.training import cast
from training.models import Run, TrainedModel
from training.processes import run_dir

Caller = Callable[..., Client]


def post(
    client: Client,
    path: str,
    body: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Any:
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    return client.post(
        f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers
    )


def test_the_cost_of_a_run_is_estimated_without_queuing_it(calling: Caller, noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    body = {"kind": "sft", "snapshot": snapshot.pk, "base_model": model.pk, "preset": "small"}

    answer = post(calling(noor, Scope.TRAINING_READ), "runs/estimate", body)

    assert answer.status_code == 200
    assert answer.json()["n_steps"] == 19
    assert answer.json()["times"] == []
    assert not Run.objects.exists()


def test_a_setting_that_is_wrong_is_named_before_anything_is_estimated(
    calling: Caller, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    body = {
        "kind": "sft",
        "snapshot": snapshot.pk,
        "base_model": model.pk,
        "config": {"n_epochs": 0},
    }

    answer = post(calling(noor), "runs/estimate", body)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["config.n_epochs"])


def test_a_patch_changes_what_it_names(calling: Caller, noor: User) -> None:
    run = cast.a_run(noor)
    Run.objects.filter(pk=run.pk).update(tags=["old"], remarks="First try.")
    client = calling(noor)

    answer = client.patch(
        f"/api/v1/runs/{run.pk}",
        {"name": "Warm-up", "tags": ["b", "a", "b"]},
        content_type="application/json",
    )

    changed = {name: answer.json()[name] for name in ("name", "tags", "remarks")}
    assert changed == {"name": "Warm-up", "tags": ["a", "b"], "remarks": "First try."}
    entry = AuditEvent.objects.get(action="describe")
    assert (entry.before, entry.after) == (
        {"name": run.name, "tags": ["old"]},
        {"name": "Warm-up", "tags": ["a", "b"]},
    )


def test_a_patch_with_a_value_that_does_not_fit_changes_nothing(
    calling: Caller, noor: User
) -> None:
    run = cast.a_run(noor)

    answer = calling(noor).patch(
        f"/api/v1/runs/{run.pk}", {"name": "", "remarks": "x"}, content_type="application/json"
    )

    run.refresh_from_db()
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["name"])
    assert run.remarks == ""


def test_an_ended_run_is_extended_once_for_one_key(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=3), "succeeded")
    Run.objects.filter(pk=run.pk).update(kept_step=3)
    client = calling(noor)

    first = post(client, f"runs/{run.pk}/extend", {"amount": 9}, idempotency_key="e-1")
    again = post(client, f"runs/{run.pk}/extend", {"amount": 9}, idempotency_key="e-1")

    assert (first.status_code, first.json()) == (201, again.json())
    assert (first.json()["made_as"], first.json()["config"]["n_epochs"]) == ("extension", 9)
    assert Run.objects.count() == 2


def test_a_run_without_a_state_is_not_extended(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=3), "succeeded")

    answer = post(calling(noor), f"runs/{run.pk}/extend", {"amount": 9})

    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "This run kept no state to continue from. Duplicate it instead.",
    )


def test_waiting_runs_change_places(calling: Caller, noor: User) -> None:
    first, second = cast.a_run(noor, name="first"), cast.a_run(noor, name="second")
    client = calling(noor)

    moved = post(client, f"runs/{second.pk}/move", {"places": -1})
    ranked = post(client, f"runs/{first.pk}/priority", {"priority": 50})

    assert moved.json()["priority"] > first.priority
    assert ranked.json()["priority"] == 50
    Run.objects.filter(pk=first.pk).update(state="running")
    for path, body in (("move", {"places": 1}), ("priority", {"priority": 1})):
        assert post(client, f"runs/{first.pk}/{path}", body).status_code == 409


def test_several_processes_are_asked_for_and_refused_where_they_cannot_be(
    calling: Caller, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    body = {
        "kind": "sft",
        "name": "Two",
        "snapshot": snapshot.pk,
        "base_model": model.pk,
        "preset": "small",
    }
    client = calling(noor)

    two = post(client, "runs", body | {"n_processes": 2, "n_gpus": 2})
    odd = post(client, "runs", body | {"n_processes": 4, "n_gpus": 2})

    assert two.json()["launch"] == {
        "n_processes": 2,
        "strategy": "ddp",
        "offloads": False,
        "n_machines": 1,
    }
    assert (odd.status_code, "as many GPUs as processes" in odd.json()["detail"]) == (409, True)


def test_runs_and_models_are_pinned_and_unpinned(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=3), "succeeded")
    model = TrainedModel.objects.get(run=run)
    client = calling(noor)

    for path in (f"runs/{run.pk}", f"models/{model.pk}"):
        assert [
            post(client, f"{path}/{act}").json()["is_pinned"] for act in ("pin", "pin", "unpin")
        ] == [True, True, False]


def test_the_checkpoints_of_a_lost_run_are_given_up_and_those_of_others_are_not(
    calling: Caller, noor: User, settings: LazySettings, tmp_path: Path
) -> None:
    settings.RUNS_DIR = settings.SNAPSHOTS_DIR = settings.MODELS_DIR = tmp_path
    lost = cast.finished(cast.a_run(noor, state="running", n_points=3), "lost", "Its node is gone.")
    (tmp_path / str(lost.pk) / run_dir.CHECKPOINTS).mkdir(parents=True)
    running, client = cast.a_run(noor, state="running"), calling(noor)

    given_up = post(client, f"runs/{lost.pk}/give-up", idempotency_key="g-1")
    refused = post(client, f"runs/{running.pk}/give-up")

    assert (given_up.status_code, given_up.json()["is_freed"]) == (200, True)
    assert post(client, f"runs/{lost.pk}/give-up", idempotency_key="g-1").json() == given_up.json()
    assert not (tmp_path / str(lost.pk) / run_dir.CHECKPOINTS).exists()
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "The run has not ended. Stop it first.",
    )
