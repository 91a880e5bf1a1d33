"""Nodes, storage, scorecards, benchmarks and lineage over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.models import Campaign, Rater, Source
from tests import html
from tests.api.test_steering import post
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from tests.training.conftest import base_model, make_snapshot, own_folders  # noqa: F401  # fixtures
from tests.training.nodes.test_node_pages import a_node
from tests.training.snapshots.curating import documents, upload_of
from tests.training.storage.conftest import made  # noqa: F401  # a fixture
from tests.training.storage.storage_rows import key
from training.models import Node, Run, Snapshot, TrainedModel
from training.snapshots.curation import services as curation_services

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]
Made = Callable[..., tuple[Run, TrainedModel]]


def get(client: Client, path: str) -> Any:
    return client.get(f"/api/v1/{path}").json()


# --- nodes ----------------------------------------------------------------------------------------


def test_a_node_is_listed_drained_resumed_and_forgotten(calling: Caller, noor: User) -> None:
    node, client = a_node("gpu-2"), calling(noor)
    run = cast.a_run(noor, state="running", n_points=1)
    Run.objects.filter(pk=run.pk).update(node="gpu-2")

    [found] = get(client, "nodes")["results"]
    drained = post(client, f"nodes/{node.pk}/drain").json()
    resumed = post(client, f"nodes/{node.pk}/resume").json()
    gone = client.delete(f"/api/v1/nodes/{node.pk}")

    assert (found["name"], found["takes_runs"], found["runs"]) == ("gpu-2", True, [run.pk])
    assert (drained["takes_runs"], resumed["takes_runs"]) == (False, True)
    assert (gone.status_code, gone.content) == (204, b"")
    assert not Node.objects.exists()
    acts = AuditEvent.objects.filter(by=noor).values_list("action", flat=True)
    assert {"drain", "resume", "forget"} <= set(acts)


def test_the_queue_says_why_each_run_waits(calling: Caller, noor: User) -> None:
    first, second = cast.a_run(noor), cast.a_run(noor)
    Run.objects.filter(pk=second.pk).update(priority=5)

    page = get(calling(noor), "nodes/queue?limit=1")
    last = get(calling(noor), f"nodes/queue?limit=1&cursor={page['next_cursor']}")

    assert [row["run"] for row in (*page["results"], *last["results"])] == [second.pk, first.pk]
    assert page["results"][0]["why"].startswith("No GPU worker has sent a heartbeat")
    assert last["next_cursor"] is None


# --- storage --------------------------------------------------------------------------------------


def test_storage_says_what_is_kept_and_frees_what_is_not(
    calling: Caller,
    noor: User,
    made: Made,  # noqa: F811
    own_folders: Path,  # noqa: F811
) -> None:
    made(1.0)
    _run, model = made(1.5)
    made(1.2)
    client = calling(noor)

    found = {row["key"]: row for row in get(client, "storage")["results"]}
    freed = post(client, "storage/free", {"keys": [key(model), "model-987"]}).json()

    assert found[key(model)]["is_freeable"]
    assert found[key(model)]["why"] == []
    assert any("the best of its kind" in row["why"] for row in found.values())
    assert freed == {"n_bytes": 2000, "n_done": 1, "n_kept": 1}
    assert not Path(model.location).exists()


# --- scorecards and benchmarks --------------------------------------------------------------------


def test_models_are_compared_with_the_first_of_them(calling: Caller, noor: User) -> None:
    suite = rows.a_suite(n=20)
    base, tuned = cast.a_model(noor, "base"), cast.a_model(noor, "tuned")
    rows.scored(base, suite, [True] * 8 + [False] * 12, by=noor)
    score = rows.scored(tuned, suite, [True] * 18 + [False] * 2, by=noor)
    client = calling(noor)

    card = get(client, f"scorecards/compare?models={base.pk},{tuned.pk}")
    [newest, _older] = get(client, "scorecards")["results"]
    refused = client.get("/api/v1/scorecards/compare?models=base")

    assert (card["baseline"]["name"], len(card["scores"])) == ("base", 2)
    assert card["scores"][1]["difference"] == pytest.approx(0.5)
    assert (newest["name"], newest["scores"][0]["score"]) == ("tuned", score.score)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["models"])


def test_the_items_of_a_suite_and_a_runs_answers_are_read(calling: Caller, noor: User) -> None:
    suite = rows.a_suite(n=3)
    run = rows.scored(cast.a_model(noor), suite, [True, False], by=noor).run
    client = calling(noor)

    items = get(client, f"suites/{suite.pk}/items?limit=2")
    answers = get(client, f"runs/{run.pk}/answers?suite={suite.pk}")["results"]

    assert [item["key"] for item in items["results"]] == ["q-0", "q-1"]
    assert get(client, f"suites/{suite.pk}/items?cursor=2")["results"][0]["key"] == "q-2"
    scores = {answer["key"]: answer["scores"][0]["value"] for answer in answers if answer["scores"]}
    assert scores == {"q-0": 1.0, "q-1": 0.0}
    assert get(client, f"runs/{run.pk}/answers?suite=987")["results"] == []


def test_the_suites_that_come_with_the_product_are_added_once(calling: Caller, noor: User) -> None:
    client = calling(noor)

    added, again = (post(client, "suites/shipped").json()["suites"] for _time in range(2))

    assert len(added) > 1
    assert again == []


def test_a_scorer_that_cannot_read_the_answers_is_refused(calling: Caller, noor: User) -> None:
    run = rows.scored(cast.a_model(noor), rows.a_suite(n=2), [True, False], by=noor).run

    answer = post(calling(noor), f"runs/{run.pk}/score", {"scorer": "refusal"})

    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "This scorer cannot read the answers of this run.",
    )


def test_answers_go_to_raters_beside_another_models_only(
    calling: Caller, noor: User, day_shift: Any, guideline: Any
) -> None:
    suite = rows.a_suite(n=2)
    run = rows.scored(cast.a_model(noor), suite, [True, False], by=noor).run
    body = {"suite": suite.pk, "against": run.pk, "pool": day_shift.pk, "guideline": guideline.pk}

    answer = post(calling(noor), f"runs/{run.pk}/raters", {**body, "name": "Beside"})
    too_long = post(calling(noor), f"runs/{run.pk}/raters", {**body, "name": "B" * 121})

    assert answer.json()["errors"] == {
        "against": ["Choose a run of another model that has answered this suite."]
    }
    assert too_long.json()["errors"].keys() == {"name"}, "a campaign's name has 120 characters"


# --- models ---------------------------------------------------------------------------------------


def test_an_external_model_is_connected_by_the_pages_rules(
    calling: Caller, noor: User, settings: LazySettings
) -> None:
    settings.ENDPOINT_HOSTS = ["llm.example.org"]
    client = calling(noor)
    body = {"name": "theirs", "url": "https://llm.example.org/v1", "served_name": "big"}

    unlicensed = post(client, "models/endpoints", body)
    elsewhere = post(
        client, "models/endpoints", {**body, "url": "https://other.org/v1", "licence": "MIT"}
    )
    connected = post(client, "models/endpoints", {**body, "licence": "MIT"})

    assert unlicensed.json()["errors"] == {
        "licence": ["Enter the licence its answers may be used under."]
    }
    assert elsewhere.status_code == 409
    assert elsewhere.json()["detail"].startswith("The host other.org is not allowed.")
    assert (connected.status_code, connected.json()["is_elsewhere"]) == (201, True)


def test_a_patch_of_a_model_leaves_what_it_does_not_name(calling: Caller, noor: User) -> None:
    model, client = cast.a_model(noor), calling(noor)
    post(client, f"models/{model.pk}/change", {"notes": "Ask Noor."})

    changed = client.patch(
        f"/api/v1/models/{model.pk}", {"stage": "approved"}, content_type="application/json"
    ).json()

    assert (changed["stage"], changed["notes"]) == ("approved", "Ask Noor.")


def test_a_lineage_goes_back_to_the_base(calling: Caller, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=1), "succeeded")
    tuned = TrainedModel.objects.get(run=run)

    found = get(calling(noor), f"models/{tuned.pk}/lineage")
    base = get(calling(noor), f"models/{run.base_model_id}/lineage")

    assert [step["model"]["id"] for step in found["steps"]] == [tuned.pk, run.base_model_id]
    assert found["steps"][0]["snapshot"]["id"] == run.snapshot_id
    assert (found["steps"][1]["run"], found["reward_models"]) == (None, [])
    assert [child["name"] for child in base["children"]] == [tuned.name]


# --- data as researchers see it -------------------------------------------------------------------


def test_a_researcher_reads_a_campaign_and_its_prompts_without_raters(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    client, base = calling(noor), cast.a_model(noor)
    TrainedModel.objects.filter(pk=base.pk).update(source=Source.objects.get(name="a model"))
    prompt = comparison_campaign.items.first()
    assert prompt is not None

    campaign = get(client, f"lineage/campaigns/{comparison_campaign.pk}")
    found = get(client, f"lineage/prompts/{prompt.prompt_id}")
    responses = get(client, f"lineage/prompts/{prompt.prompt_id}/responses?limit=3")

    assert (campaign["n_items"], campaign["n_judgments"], campaign["n_raters"]) == (5, 0, 0)
    assert campaign["compared"][0]["model"]["id"] == base.pk
    assert found["campaigns"] == [{"id": comparison_campaign.pk, "name": "Compare"}]
    assert [row["model"]["id"] for row in responses["results"]] == [base.pk] * 3
    assert responses["next_cursor"] == 3
    assert not html.names(str((campaign, found, responses)), rosa.alias)
    assert len(get(client, f"models/{base.pk}/responses")["results"]) == 20


def test_a_ledger_says_what_a_recipe_removed_and_why(
    calling: Caller, noor: User, settings: LazySettings, tmp_path: Path
) -> None:
    settings.SNAPSHOTS_DIR = tmp_path
    settings.UPLOADS_DIR = tmp_path / "uploads"
    curation = curation_services.start_curation(
        name="Clean",
        kind="text",
        recipe="light",
        filters={"licence": "CC0-1.0", "min_characters": 10},
        upload=upload_of(*documents()),
        makes_snapshot=True,
        by=noor,
        now=timezone.now(),
    )
    curation_services.CURATIONS.run(curation.pk, clock=timezone.now)
    snapshot = Snapshot.objects.get()
    client, path = calling(noor), f"snapshots/{snapshot.pk}"

    rows_of = get(client, f"{path}/ledger?limit=1")
    removed = get(client, f"{path}/ledger?rule=exact_duplicate")["results"]

    assert (len(rows_of["results"]), rows_of["next_cursor"]) == (1, 1)
    assert [(row["outcome"], row["document"]) for row in removed] == [("removed", 41)]
    assert get(client, f"{path}/verify") == {"is_intact": True}
    for file in (tmp_path / Snapshot.objects.get().folder).iterdir():
        file.unlink()
    answer = client.get(f"/api/v1/{path}/ledger")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "The files of this ledger are not on this machine.",
    )
