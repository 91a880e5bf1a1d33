"""Schedules in the API, with the rules of their page, and control of their chains."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from config.api_permissions import Scope
from labeling.models import Guideline, Pool
from tests.api.test_steering import post
from tests.api.test_training import weekly
from tests.training import cast
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.judges.conftest import server
from tests.training.judges.test_sparing import trusted
from tests.training.judges.test_trust import judge, many, rosa
from training.configs import kinds
from training.models import Chain, Judge, Link, Schedule
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.forms.schedule import ScheduleForm
from training.schedules.plans import chain_plans, steps

pytestmark = pytest.mark.django_db
__all__ = ["judge", "many", "rosa", "server", "trusted"]
Caller = Callable[..., Client]


def a_chain(by: User, schedule: Schedule | None = None) -> Chain:
    return schedules_services.fire_now(schedule=schedule or weekly(by), by=by, now=timezone.now())


def waiting(by: User) -> Chain:
    """For somebody to approve its last step."""
    chain = a_chain(by)
    chain.links.filter(step="demonstrations").update(state="done")
    chain.links.filter(step="sft").update(state="approval", needs_approval=True)
    Chain.objects.filter(pk=chain.pk).update(state="approval")
    return chain


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_set_up_with_what_is_left_out_as_its_page_shows_it(
    calling: Caller, noor: User
) -> None:
    model = cast.a_model(noor)
    body = {
        "name": "Mondays",
        "template": "fine-tune",
        "base_model": model.pk,
        "settings": {"sft": "preset:small"},
    }

    made = post(calling(noor), "schedules", body | {"quiet_from": "22:00", "quiet_until": "06:00"})

    schedule = Schedule.objects.get()
    assert (made.status_code, made.json()["id"], made.json()["trigger"]) == (
        201,
        schedule.pk,
        "clock",
    )
    assert (made.json()["cron"], made.json()["time_zone"], made.json()["skips_nothing_new"]) == (
        "0 3 * * mon",
        noor.time_zone,
        True,
    )
    assert (made.json()["quiet_from"], made.json()["max_runs_a_week"], schedule.created_by) == (
        "22:00:00",
        None,
        noor,
    )
    assert schedule.plan["configs"]["sft"] == kinds.as_json(kinds.PRESETS["sft"]["small"])
    assert (schedule.plan["goes_on"], schedule.plan["filters"]["includes_imports"]) == (True, True)
    assert AuditEvent.objects.filter(action="create", target_id=str(schedule.pk)).exists()


@pytest.mark.parametrize("is_made", [True, False], ids=["made", "changed"])
@pytest.mark.parametrize(
    ("sent", "wrong"), [("list", ""), ("id", "suites"), ("unknown", "suites"), ("null", "")]
)
def test_suites_are_a_list_of_ids(
    calling: Caller,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    is_made: bool,
    sent: str,
    wrong: str,
) -> None:
    suite, model = tiny_suite(), cast.a_model(noor)
    body = {"name": "Cycle", "template": "weekly", "base_model": model.pk, "trigger": "hand"}
    body |= {"pool": day_shift.pk, "guideline": guideline.pk}
    of_body = {"list": [suite.pk], "id": suite.pk, "unknown": [suite.pk + 10_000], "null": None}
    suites = {"suites": of_body[sent]}
    client = calling(noor)
    if is_made:
        answer = post(client, "schedules", body | suites)
    else:
        made = post(client, "schedules", body)
        answer = post(client, f"schedules/{made.json()['id']}/change", suites)

    if wrong:
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [wrong]
    else:
        assert answer.status_code in (200, 201), answer.json()
        assert Schedule.objects.get().plan["suites"] == (of_body[sent] or [])


@pytest.mark.parametrize(("judges", "status"), [("trusted", 201), ("everybody", 400)])
def test_which_judges_are_learned_from_is_a_choice(
    calling: Caller, noor: User, alice: User, trusted: Judge, judges: str, status: int
) -> None:
    model = cast.a_model(noor)
    body = {"name": "By judges", "template": "reward", "base_model": model.pk, "trigger": "hand"}

    answer = post(calling(noor), "schedules", body | {"judges": judges})

    assert answer.status_code == status
    if status == 201:
        assert Schedule.objects.get().plan["filters"]["judges"] == judges
    else:
        assert list(answer.json()["errors"]) == ["judges"]


def test_the_whole_cycle_is_set_up_in_one_call_and_once_for_one_key(
    calling: Caller, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    body = {
        "name": "Cycle",
        "template": "weekly",
        "base_model": cast.a_model(noor).pk,
        "pool": day_shift.pk,
    }
    body |= {
        "guideline": guideline.pk,
        "trigger": "data",
        "n_new": 300,
        "approvals": ["ppo", "campaign"],
        "includes_imports": False,
    }
    client = calling(noor)

    first = post(client, "schedules", body, idempotency_key="s-1")
    again = post(client, "schedules", body, idempotency_key="s-1")

    schedule = Schedule.objects.get()
    assert (first.status_code, first.json()) == (201, again.json())
    assert (schedule.n_new, schedule.plan["approvals"], schedule.plan["pool"]) == (
        300,
        ["ppo", "campaign"],
        day_shift.pk,
    )
    assert schedule.plan["filters"]["includes_imports"] is False


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"cron": "every monday"}, "cron", "is not a valid time"),
        ({"trigger": "data", "n_new": None}, "n_new", "Enter how many new answers are needed."),
        ({"quiet_from": "22:00"}, "quiet_until", "Enter both, or neither"),
        ({"quiet_from": "late"}, "quiet_from", "Write the time as HH:MM, for example 22:00."),
        ({"base_model": 987}, "base_model", "Select a valid choice"),
        ({"base_model": None}, "base_model", "may not be null"),
        ({"settings": {"sft": "run:987"}}, "settings.sft", "Select a valid choice"),
        ({"settings": {"ppo": "preset:small"}}, "settings.ppo", "no such setting"),
        ({"pool": 1}, "pool", "no such setting"),
        ({"n_machines": 2}, "n_machines", "need an artifact store"),
        ({"name": ""}, "name", "may not be blank"),
        ({"max_runs_a_week": 10**12}, "max_runs_a_week", "less than or equal"),
    ],
)
def test_what_the_page_would_refuse_is_refused_at_its_field(
    calling: Caller, noor: User, changes: dict[str, Any], field: str, sentence: str
) -> None:
    body = {
        "name": "Mondays",
        "template": "fine-tune",
        "base_model": cast.a_model(noor).pk,
    } | changes

    answer = post(calling(noor), "schedules", body)

    assert answer.status_code == 400
    assert sentence in " ".join(answer.json()["errors"][field])
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_refused_in_the_services_words(calling: Caller, noor: User) -> None:
    schedule = weekly(noor)
    body = {
        "name": schedule.name,
        "template": "fine-tune",
        "base_model": schedule.plan["base_model"],
    }

    answer = post(calling(noor), "schedules", body)

    assert (answer.status_code, "Choose another name" in answer.json()["detail"]) == (409, True)


def test_a_change_leaves_what_it_does_not_name(calling: Caller, noor: User) -> None:
    client, model = calling(noor), cast.a_model(noor)
    sent = {
        "name": "Mondays",
        "template": "fine-tune",
        "base_model": model.pk,
        "settings": {"sft": "preset:small"},
    }
    made = post(
        client,
        "schedules",
        sent | {"quiet_from": "22:00", "quiet_until": "06:00", "min_interval_h": 5},
    ).json()

    changed = post(
        client, f"schedules/{made['id']}/change", {"cron": "0 4 * * tue", "max_runs_a_week": 3}
    ).json()

    assert (changed["cron"], changed["max_runs_a_week"]) == ("0 4 * * tue", 3)
    assert {name for name in made if made[name] != changed[name]} == {
        "cron",
        "max_runs_a_week",
        "due_at",
    }
    (event,) = AuditEvent.objects.filter(action="change")
    assert event.after == {"cron": "0 4 * * tue", "max_runs_a_week": 3}


def test_a_change_cannot_make_another_chain_of_it(calling: Caller, noor: User) -> None:
    schedule = weekly(noor)

    answer = post(calling(noor), f"schedules/{schedule.pk}/change", {"text": 4})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["text"])


def test_a_body_names_every_field_of_the_form(db: None) -> None:
    properties = (
        Client()
        .get("/api/v1/schema")
        .json()["components"]["schemas"]["NewScheduleRequest"]["properties"]
    )

    assert set(properties) == {"template", "settings", *ScheduleForm.base_fields}
    assert properties["n_candidates"]["maximum"] == 64


def test_every_kind_of_chain_is_set_up_as_its_page_shows_it(
    calling: Caller, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    client, model, text = calling(noor), cast.a_model(noor), cast.a_snapshot(noor, kind="text")

    for template, shape in chain_plans.TEMPLATES.items():
        body: dict[str, Any] = {
            "name": template,
            "template": template,
            "base_model": model.pk,
            "trigger": "hand",
        }
        if steps.CAMPAIGN in shape.steps:
            body |= {"pool": day_shift.pk, "guideline": guideline.pk}
        if steps.PRETRAIN in shape.steps:
            body |= {"text": text.pk}

        answer = post(client, "schedules", body)

        assert (template, answer.status_code) == (template, 201), answer.json()


# --- chains ---------------------------------------------------------------------------------------


def test_a_chain_lists_its_steps_in_order_with_their_results(calling: Caller, noor: User) -> None:
    chain = a_chain(noor)
    run = cast.a_run(noor)
    Link.objects.filter(chain=chain, step="sft").update(run=run, state="working")
    Link.objects.filter(chain=chain, step="demonstrations").update(
        snapshot=run.snapshot, state="done"
    )

    found = calling(noor, Scope.TRAINING_READ).get(f"/api/v1/chains/{chain.pk}").json()

    assert (found["schedule"], found["state"], found["why"]) == (
        chain.schedule_id,
        "going",
        f"Ran because {noor} started it.",
    )
    assert [
        (link["step"], link["state"], link["snapshot"], link["run"]) for link in found["links"]
    ] == [
        ("demonstrations", "done", run.snapshot_id, None),
        ("sft", "working", None, run.pk),
    ]


def test_chains_are_listed_by_schedule_and_state_at_one_cost(
    calling: Caller, noor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, schedule = calling(noor), weekly(noor)
    for _number in range(5):
        chains.stop_chain(
            chain=a_chain(noor, Schedule.objects.get(pk=schedule.pk)), by=noor, now=timezone.now()
        )
    client.get("/api/v1/chains")

    with django_assert_num_queries(3):  # token, chains, links
        stopped = client.get("/api/v1/chains?state=stopped").json()["results"]

    assert [chain["number"] for chain in stopped] == [5, 4, 3, 2, 1]
    assert client.get("/api/v1/chains?state=going").json()["results"] == []
    assert len(client.get(f"/api/v1/chains?schedule={schedule.pk}").json()["results"]) == 5
    assert client.get("/api/v1/chains?schedule=987").json()["results"] == []


def test_a_step_that_waits_is_approved_once(calling: Caller, noor: User) -> None:
    chain, client = waiting(noor), calling(noor)

    approved = post(client, f"chains/{chain.pk}/approve", idempotency_key="a-1")
    replayed = post(client, f"chains/{chain.pk}/approve", idempotency_key="a-1")
    again = post(client, f"chains/{chain.pk}/approve")

    assert (approved.json()["state"], approved.json()["links"][1]["approved_by"]) == (
        "going",
        noor.name,
    )
    assert replayed.json() == approved.json()
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "No step is waiting for approval.",
    )
    assert AuditEvent.objects.filter(action="approve").count() == 1


def test_a_gate_is_decided_once(calling: Caller, noor: User) -> None:
    chain, client = waiting(noor), calling(noor)
    model = cast.a_model(noor, "ppo-1")
    chain.links.filter(step="sft").update(step="gate", model=model)

    decided = post(client, f"chains/{chain.pk}/decide", {"promotes": True})
    again = post(client, f"chains/{chain.pk}/decide", {"promotes": False})

    gate = decided.json()["links"][1]
    assert (decided.json()["state"], gate["model"], gate["approved_by"]) == (
        "going",
        model.pk,
        noor.name,
    )
    assert gate["verdict"] == {
        "outcome": "passed",
        "sentence": f"Promoted by {noor}.",
        "about": "",
        "checks": [],
        "confidence": 97.5,
    }
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "No model is waiting for a decision.",
    )
    model.refresh_from_db()
    assert model.stage == "approved"


def test_a_step_that_waits_is_refused_by_stopping_its_chain(calling: Caller, noor: User) -> None:
    chain = waiting(noor)

    stopped = post(calling(noor), f"chains/{chain.pk}/stop").json()

    assert (stopped["state"], stopped["links"][1]["state"]) == ("stopped", "approval")
    assert AuditEvent.objects.filter(action="stop").count() == 1


def test_a_chain_that_failed_is_resumed_and_one_that_did_not_is_not(
    calling: Caller, noor: User
) -> None:
    chain, client = a_chain(noor), calling(noor)
    refused = post(client, f"chains/{chain.pk}/resume")
    Chain.objects.filter(pk=chain.pk).update(state="failed", error="No demonstrations.")
    chain.links.filter(step="demonstrations").update(state="failed")

    resumed = post(client, f"chains/{chain.pk}/resume", {"anew": True}).json()

    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "This chain was not stopped by a failure.",
    )
    assert (resumed["state"], resumed["error"], resumed["links"][0]["state"]) == (
        "going",
        "",
        "waiting",
    )
