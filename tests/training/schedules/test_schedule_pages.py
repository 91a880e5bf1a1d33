"""Schedules, chains, nodes, notices and comparisons through HTTP: what they say, what they start,
and whom they refuse.
"""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, Notice, User
from accounts.notices import services as notices_services
from labeling.models import Guideline, Pool, Rater
from tests.html import squeezed
from tests.training import cast
from training import configs
from training.models import Chain, Node, Run, Schedule, chain_plans
from training.runs import selectors as runs_selectors
from training.runs import services as runs_services
from training.schedules import chains
from training.schedules import services as schedules_services

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return squeezed(response.content.decode())


def form_data(**changes: Any) -> dict[str, Any]:
    """Fine-tuning every Monday, as a browser sends it."""
    sent = {
        "name": "Mondays",
        "includes_imports": "on",
        "config_sft": "preset:small",
        "trigger": "clock",
        "cron": "0 3 * * mon",
        "time_zone": "Europe/Berlin",
        "n_new": "500",
        "min_interval_h": "0",
        "skips_nothing_new": "on",
        "max_runs_a_week": "",
        "quiet_from": "",
        "quiet_until": "",
    }
    return sent | changes


def weekly_data(**changes: Any) -> dict[str, Any]:
    """The whole cycle, begun by new judgments."""
    settings = {f"config_{kind}": "preset:small" for kind in ("reward", "ppo", "sample")}
    return (
        form_data(n_prompts="50", n_responses="4", overlap="2", trigger="data") | settings | changes
    )


@pytest.fixture
def schedule(noor: User, signed_in: SignIn) -> Schedule:
    model = cast.a_model(noor)
    signed_in(noor).post("/schedules/new/fine-tune/", form_data(base_model=model.pk))
    return Schedule.objects.get()


# --- who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/schedules/", "/schedules/new/weekly/", "/nodes/", "/runs/compare/"]
)
def test_admins_and_raters_are_refused(
    signed_in: SignIn, alice: User, rosa: Rater, path: str
) -> None:
    assert signed_in(alice).get(path).status_code == 403
    assert signed_in(rosa).get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["/schedules/9/", "/schedules/9/edit/", "/chains/9/", "/schedules/new/dance/"]
)
def test_what_is_not_there_is_not_found(signed_in: SignIn, noor: User, path: str) -> None:
    assert signed_in(noor).get(path).status_code == 404


def test_somebody_elses_notice_is_not_found(signed_in: SignIn, noor: User, alice: User) -> None:
    told(alice)

    assert signed_in(noor).post(f"/notices/{Notice.objects.get().pk}/open").status_code == 404


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_set_up_from_the_form(schedule: Schedule, noor: User) -> None:
    assert (schedule.trigger, schedule.cron, schedule.time_zone, schedule.created_by) == (
        "clock",
        "0 3 * * mon",
        "Europe/Berlin",
        noor,
    )
    assert schedule.plan["configs"]["sft"] == configs.as_json(configs.PRESETS["sft"]["small"])
    assert schedule.due_at is not None


def test_the_whole_cycle_is_set_up_on_one_page(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    data = weekly_data(
        base_model=cast.a_model(noor).pk, goes_on="on", pool=day_shift.pk, guideline=guideline.pk
    )

    response = signed_in(noor).post(
        "/schedules/new/weekly/", data | {"approvals": ["ppo", "campaign"]}
    )

    schedule = Schedule.objects.get()
    assert response.headers["Location"] == f"/schedules/{schedule.pk}/"
    assert (schedule.plan["approvals"], schedule.plan["pool"], schedule.n_new) == (
        ["ppo", "campaign"],
        day_shift.pk,
        500,
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cron": "every monday"}, "is not a valid time"),
        ({"trigger": "data", "n_new": ""}, "Enter how many new answers are needed."),
        ({"quiet_from": "22:00"}, "Enter both, or neither"),
        ({"base_model": ""}, "required"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_nothing_typed_is_lost(
    signed_in: SignIn, noor: User, changes: dict[str, str], sentence: str
) -> None:
    data = form_data(base_model=cast.a_model(noor).pk, name="My own name") | changes

    response = signed_in(noor).post("/schedules/new/fine-tune/", data)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "My own name" in response.content.decode()


def test_more_responses_than_the_models_write_are_refused(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    data = form_data(
        base_model=cast.a_model(noor).pk,
        pool=day_shift.pk,
        guideline=guideline.pk,
        n_responses="9",
        overlap="1",
    )

    response = signed_in(noor).post(
        "/schedules/new/fine-tune-compare/", data | {"config_sample": "preset:small"}
    )

    assert "each prompt gets 4 responses" in response.content.decode()


def rejection_data(**changes: Any) -> dict[str, Any]:
    settings = {f"config_{kind}": "preset:small" for kind in ("reward", "sample", "sft")}
    return (
        form_data(n_prompts="50", n_responses="4", overlap="2", n_candidates="32")
        | settings
        | changes
    )


def test_rejection_sampling_is_set_up_on_one_page(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    data = rejection_data(
        base_model=cast.a_model(noor).pk, pool=day_shift.pk, guideline=guideline.pk
    )

    signed_in(noor).post("/schedules/new/rejection-ppo/", data | {"config_ppo": "preset:small"})

    schedule = Schedule.objects.get()
    assert (schedule.plan["n_candidates"], schedule.plan["keeps_earlier"]) == (32, False)
    form = signed_in(noor).get(f"/schedules/{schedule.pk}/edit/").context["form"]
    assert (form["n_candidates"].value(), form["keeps_earlier"].value()) == (32, False)


def test_with_a_reward_model_that_there_is_a_schedule_needs_no_comparison(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    judge = cast.a_model(noor, "judge", kind="reward")
    data = rejection_data(
        base_model=cast.a_model(noor).pk,
        pool=day_shift.pk,
        guideline=guideline.pk,
        reward_model=judge.pk,
    )
    client = signed_in(noor)
    client.post("/schedules/new/rejection/", data)
    schedule = Schedule.objects.get()
    due = Schedule.objects.filter(pk=schedule.pk)
    due.update(
        due_at=timezone.now() - timedelta(minutes=1), last_ran_at=timezone.now() - timedelta(days=7)
    )

    schedules_services.fire_due_schedules(now=timezone.now())

    assert schedule.plan["reward_model"] == judge.pk
    assert "snapshot of comparisons" not in text_of(client, f"/schedules/{schedule.pk}/")
    assert Chain.objects.get().links.count() == 6


def test_one_and_the_same_response_is_nothing_to_choose_from(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    cold = configs.as_json(configs.PRESETS["sample"]["small"]) | {
        "temperature": 0,
        "n_responses": 1,
    }
    run = cast.finished(cast.a_run(noor, state="running"), "succeeded")
    Run.objects.filter(pk=run.pk).update(kind="sample", config=cold)
    data = rejection_data(
        base_model=run.base_model_id, pool=day_shift.pk, guideline=guideline.pk, n_responses="2"
    )

    response = signed_in(noor).post(
        "/schedules/new/rejection/", data | {"config_sample": f"run:{run.pk}"}
    )

    assert (response.status_code, "Temperature 0 writes the same" in response.content.decode()) == (
        422,
        True,
    )


def test_what_a_run_of_the_chain_could_not_share_is_refused_before_it_begins(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    client, model = signed_in(noor), cast.a_model(noor)
    shared = {"base_model": model.pk, "n_gpus": 2, "n_processes": 2, "strategy": "fsdp"}

    tuned = client.post("/schedules/new/fine-tune/", form_data(**shared))
    cycle = client.post(
        "/schedules/new/weekly/", weekly_data(pool=day_shift.pk, guideline=guideline.pk, **shared)
    )

    assert (tuned.status_code, cycle.status_code) == (302, 422)
    assert "PPO trains two models" in cycle.content.decode()


def test_a_schedule_asks_for_several_machines_where_they_share_a_store(
    signed_in: SignIn, noor: User, settings: LazySettings
) -> None:
    client = signed_in(noor)
    data = form_data(base_model=cast.a_model(noor).pk, n_machines=2)

    alone = client.post("/schedules/new/fine-tune/", data)
    settings.ARTIFACT_STORE = "s3://models"
    shared = client.post("/schedules/new/fine-tune/", data)

    assert (alone.status_code, shared.status_code) == (422, 302)
    assert "an artifact store that all of them can reach" in alone.content.decode()
    assert Schedule.objects.get().plan["n_machines"] == 2


def test_changing_a_schedule_keeps_what_is_not_changed(
    signed_in: SignIn, noor: User, schedule: Schedule
) -> None:
    form = signed_in(noor).get(f"/schedules/{schedule.pk}/edit/").context["form"]
    assert (form["name"].value(), form["config_sft"].value(), form["cron"].value()) == (
        "Mondays",
        "kept",
        "0 3 * * mon",
    )

    data = form_data(
        base_model=schedule.plan["base_model"],
        config_sft="kept",
        name="Tuesdays",
        cron="0 3 * * tue",
    )
    signed_in(noor).post(f"/schedules/{schedule.pk}/edit/", data)

    changed = Schedule.objects.get()
    assert (changed.name, changed.plan["configs"]) == ("Tuesdays", schedule.plan["configs"])
    assert changed.due_at != schedule.due_at


def test_pause_resume_and_begin_are_posts(
    signed_in: SignIn, noor: User, schedule: Schedule
) -> None:
    client = signed_in(noor)
    assert client.get(f"/schedules/{schedule.pk}/fire").status_code == 405

    client.post(f"/schedules/{schedule.pk}/pause")
    assert "Paused" in text_of(client, f"/schedules/{schedule.pk}/")
    client.post(f"/schedules/{schedule.pk}/resume")
    response = client.post(f"/schedules/{schedule.pk}/fire")

    chain = Chain.objects.get()
    assert response.headers["Location"] == f"/chains/{chain.pk}/"
    assert "Ran because Noor started it." in text_of(client, f"/schedules/{schedule.pk}/")


def test_a_run_names_the_chain_it_is_a_step_of(
    signed_in: SignIn, noor: User, schedule: Schedule
) -> None:
    client, run = signed_in(noor), cast.a_run(noor)
    client.post(f"/schedules/{schedule.pk}/fire")
    Chain.objects.get().links.filter(step="sft").update(run=run)

    assert "Mondays 1" in text_of(client, f"/runs/{run.pk}/")


def test_a_chain_that_failed_opens_on_its_sentence_and_can_be_resumed(
    signed_in: SignIn, noor: User, schedule: Schedule
) -> None:
    client = signed_in(noor)
    client.post(f"/schedules/{schedule.pk}/fire")
    chain = Chain.objects.get()
    chains.advance_chain(chain_id=chain.pk, now=timezone.now())

    text = text_of(client, f"/chains/{chain.pk}/")
    assert text.index("There are no demonstrations to learn from.") < text.index(
        "Steps of the chain"
    )
    client.post(f"/chains/{chain.pk}/resume")

    chain.refresh_from_db()
    assert chain.state == "going"


@pytest.mark.parametrize("place", ["list", "schedule"])
def test_a_page_costs_the_same_for_chains_and_firings_however_many(
    signed_in: SignIn,
    noor: User,
    schedule: Schedule,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    place: str,
) -> None:
    client = signed_in(noor)
    path = "/schedules/" if place == "list" else f"/schedules/{schedule.pk}/"
    client.post(f"/schedules/{schedule.pk}/fire")
    with django_assert_max_num_queries(12) as few:
        client.get(path)
    n_queries = len(few)

    for _again in range(5):
        Chain.objects.update(state="finished")
        client.post(f"/schedules/{schedule.pk}/fire")

    with django_assert_num_queries(n_queries):
        client.get(path)


# --- nodes ----------------------------------------------------------------------------------------


def a_node(name: str = "gpu-1", gpus: int = 1, memory_gb: float = 79.6, **fields: Any) -> Node:
    card = {
        "name": "NVIDIA H100",
        "memory_gb": memory_gb,
        "used_gb": 3.0,
        "load": 0.42,
        "temperature_c": 51,
    }
    values: dict[str, Any] = {
        "seen_at": timezone.now(),
        "n_cores": 16,
        "memory_gb": 125.7,
        "versions": {"torch": "2.13.0"},
    }
    return Node.objects.create(name=name, gpus=[card] * gpus, **(values | fields))


def test_the_page_of_nodes_tells_what_each_has_and_does(signed_in: SignIn, noor: User) -> None:
    a_node("gpu-2")
    a_node("gpu-9", seen_at=timezone.now() - timedelta(hours=1))
    run = cast.a_run(noor, state="running", n_points=3)

    text = text_of(signed_in(noor), "/nodes/")

    assert all(
        words in text
        for words in (
            "NVIDIA H100",
            "3 of 80 GB",
            "42 %",
            "51 °C",
            "torch 2.13.0",
            run.name,
            "Offline",
        )
    )


def test_a_node_is_drained_and_resumed_by_post(signed_in: SignIn, noor: User) -> None:
    node, client = a_node(), signed_in(noor)

    client.post(f"/nodes/{node.pk}/drain")
    assert "Draining" in text_of(client, "/nodes/")
    client.post(f"/nodes/{node.pk}/resume")

    node.refresh_from_db()
    assert node.draining_since is None


def test_a_run_that_no_node_can_take_says_so_on_its_page(signed_in: SignIn, noor: User) -> None:
    a_node(gpus=1, memory_gb=23.6)
    run = cast.a_run(noor, n_gpus=2, memory_gb=40)

    text = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert (
        "No online node has 2 GPUs with 40 GB each. Available: gpu-1 with 1 × NVIDIA H100 24 GB."
        in text
    )


def test_a_run_without_any_worker_says_so_on_its_page(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)

    assert "No GPU worker has sent a heartbeat in the last minute." in text_of(
        signed_in(noor), f"/runs/{run.pk}/"
    )


def test_a_run_is_put_first_in_line(signed_in: SignIn, noor: User) -> None:
    for name in ("first come", "second come"):
        cast.a_run(noor, name=name)
    later = Run.objects.get(name="second come")

    signed_in(noor).post(f"/runs/{later.pk}/first")

    text = text_of(signed_in(noor), "/nodes/")
    assert text.index("second come") < text.index("first come")


def test_a_long_line_says_how_long_it_is_and_is_read_to_its_end(
    signed_in: SignIn, noor: User
) -> None:
    for number in range(23):
        cast.a_run(noor, name=f"Waiting {number:02}")
    client = signed_in(noor)

    first, rest = text_of(client, "/nodes/"), text_of(client, "/nodes/?page=2")
    fragment = client.get("/nodes/?page=2", headers={"HX-Target": "nodes"}).content.decode()

    assert "23 runs queued, in this order" in first
    assert ("Waiting 19" in first, "Waiting 20" in first) == (True, False)
    assert ("Waiting 19" in rest, "Waiting 22" in rest) == (False, True)
    assert 'hx-get="/nodes/?page=2"' in rest
    assert "Waiting 22" in fragment
    # The last of a page can go back, and the first of a later one forward.
    assert 'Move down<span class="unseen">: Waiting 19' in first
    assert 'Move up<span class="unseen">: Waiting 20' in rest


def a_long_line(noor: User) -> list[Run]:
    """Of two pages, 20 runs on the first."""
    return [cast.a_run(noor, name=f"Waiting {number:02}") for number in range(23)]


def test_who_puts_a_run_first_from_further_down_the_line_stays_there(
    signed_in: SignIn, noor: User
) -> None:
    run, client = a_long_line(noor)[21], signed_in(noor)
    assert '<input type="hidden" name="page" value="2">' in text_of(client, "/nodes/?page=2")

    answer = client.post(f"/runs/{run.pk}/first", {"page": "2"})

    assert answer.headers["Location"] == "/nodes/?page=2"
    assert "“Waiting 21” is now first in the queue." in text_of(client, "/nodes/?page=2")
    assert runs_selectors.queued_run_ids()[0] == run.pk


def test_who_moves_a_run_is_led_to_the_page_on_which_it_stands_then(
    signed_in: SignIn, noor: User
) -> None:
    waiting, client = a_long_line(noor), signed_in(noor)

    def led_to(run: Run, places: int, page: int) -> str:
        return client.post(f"/runs/{run.pk}/move", {"places": places, "page": page}).headers[
            "Location"
        ]

    assert led_to(waiting[22], -1, page=2) == "/nodes/?page=2"
    assert led_to(waiting[20], -1, page=2) == "/nodes/"
    assert led_to(waiting[20], 1, page=1) == "/nodes/?page=2"
    assert led_to(waiting[0], -1, page=1) == "/nodes/"


def test_draining_a_node_keeps_the_page_of_the_line(signed_in: SignIn, noor: User) -> None:
    client, node = signed_in(noor), a_node()

    assert (
        client.post(f"/nodes/{node.pk}/drain", {"page": "2"}).headers["Location"]
        == "/nodes/?page=2"
    )
    assert (
        client.post(f"/nodes/{node.pk}/resume", {"page": "elsewhere"}).headers["Location"]
        == "/nodes/"
    )


def test_what_a_run_asks_for_comes_from_its_form(signed_in: SignIn, noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    values = configs.as_json(configs.PRESETS["sft"]["small"])
    sent = {
        name: "" if value is None else value for name, value in values.items() if value is not False
    }

    signed_in(noor).post(
        "/runs/new/sft/",
        sent
        | {
            "name": "Big",
            "base_model": model.pk,
            "snapshot": snapshot.pk,
            "n_gpus": 2,
            "memory_gb": 40,
        },
    )

    run = Run.objects.get()
    assert (run.n_gpus, run.memory_gb) == (2, 40)


# --- comparing ------------------------------------------------------------------------------------


def test_runs_are_compared_by_curves_measures_and_what_differs(
    signed_in: SignIn, noor: User
) -> None:
    one = cast.finished(cast.a_run(noor, state="running", n_points=40, name="Alpha"), "succeeded")
    other = cast.a_run(noor, state="running", n_points=60, name="Beta")
    Run.objects.filter(pk=other.pk).update(config=other.config | {"lora_rank": 64})

    response = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}")

    charts = response.context["chart_groups"][0].charts
    assert charts[0].title.startswith("Loss, training ends ")
    assert [curve.name for curve in charts[0].curves] == ["Alpha", "Beta"]
    assert [(line.name, line.cells) for line in response.context["settings"]] == [
        ("LoRA rank", ["32", "64"])
    ]
    assert "1.713" in response.content.decode()


def test_a_compared_run_can_be_taken_out_again(signed_in: SignIn, noor: User) -> None:
    one, other = cast.a_run(noor, name="Alpha"), cast.a_run(noor, name="Beta")

    page = text_of(signed_in(noor), f"/runs/compare/?run={one.pk}&run={other.pk}")

    assert f'href="?run={other.pk}" aria-label="Remove Alpha"' in page
    assert f'href="?run={one.pk}" aria-label="Remove Beta"' in page
    assert page.count('type="search"') == 1


def test_what_differs_comes_first_and_what_is_the_same_is_apart(
    signed_in: SignIn, noor: User
) -> None:
    one, other = cast.a_reward_run(noor), cast.a_reward_run(noor, name="Reward of December")
    Run.objects.filter(pk=other.pk).update(
        metrics=other.metrics | {"held_out_accuracy_after": 0.8}, config={"lora_rank": 64}
    )

    response = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}")

    assert [row.name for row in response.context["measures"]] == ["Held-out pair accuracy"]
    assert "Held-out loss" in [row.name for row in response.context["same_measures"]]
    page = response.content.decode()
    places = [page.index(one) for one in ("LoRA rank", "Held-out pair accuracy", "run-charts")]
    assert places == sorted(places)


def test_losses_of_different_kinds_do_not_share_a_chart(signed_in: SignIn, noor: User) -> None:
    tuned = cast.a_run(noor, state="running", n_points=40, name="Tuned")
    judge = cast.a_reward_run(noor, name="Judge")

    path = f"/runs/compare/?run={tuned.pk}&run={judge.pk}"
    groups = signed_in(noor).get(path).context["chart_groups"]

    losses = [chart for chart in groups[0].charts if "oss" in chart.title]
    assert {tuple(curve.name for curve in chart.curves) for chart in losses} == {
        ("Tuned",),
        ("Judge",),
    }
    assert {curve.number for chart in losses for curve in chart.curves} == {1, 2}


def test_no_more_than_six_are_compared_and_what_is_not_there_is_left_out(
    signed_in: SignIn, noor: User
) -> None:
    runs = [cast.a_run(noor, name=f"run {number}") for number in range(8)]
    query = "&".join(f"run={run.pk}" for run in runs)

    context = signed_in(noor).get(f"/runs/compare/?run=x&run=999999&{query}").context

    assert len(context["runs"]) <= 6


def test_tags_and_remarks_are_kept(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)

    signed_in(noor).post(
        f"/runs/{run.pk}/remarks",
        {"tags": "weekly, helpful,,weekly", "remarks": "With the new guideline."},
    )

    run.refresh_from_db()
    assert (run.tags, run.remarks) == (["helpful", "weekly"], "With the new guideline.")
    assert "With the new guideline." in text_of(signed_in(noor), f"/runs/{run.pk}/")


def test_what_was_said_of_a_run_before_is_written_down(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)
    for remarks in ("Diverged.", "Diverged.", "Good."):
        signed_in(noor).post(f"/runs/{run.pk}/remarks", {"tags": "weekly", "remarks": remarks})

    first, second = AuditEvent.objects.filter(
        action="describe", target_id=run.pk, by=noor
    ).order_by("pk")

    assert (first.before, first.after) == (
        {"tags": [], "remarks": ""},
        {"tags": ["weekly"], "remarks": "Diverged."},
    )
    assert (second.before, second.after) == ({"remarks": "Diverged."}, {"remarks": "Good."})


# --- notices --------------------------------------------------------------------------------------


def told(person: User, kind: str = "failed", key: str = "run-1") -> None:
    notices_services.notify(
        people=[person],
        key=key,
        kind=Notice.Kind(kind),
        words=lambda: f"The run “{key}” {kind}.",
        path="/runs/",
        now=timezone.now(),
    )


def test_an_event_is_told_once(noor: User) -> None:
    told(noor)
    told(noor)

    assert Notice.objects.count() == 1


def test_the_top_line_counts_what_is_unread_and_opening_one_reads_it(
    signed_in: SignIn, noor: User
) -> None:
    client = signed_in(noor)
    told(noor)
    assert 'aria-label="Notifications, 1 unread"' in text_of(client, "/runs/")

    response = client.post(f"/notices/{Notice.objects.get().pk}/open")

    assert response.headers["Location"] == "/runs/"
    assert 'aria-label="Notifications, 0 unread"' in text_of(client, "/runs/")


@pytest.mark.parametrize(
    ("wish", "mailed"), [("none", []), ("trouble", ["failed"]), ("all", ["failed", "finished"])]
)
def test_mail_goes_to_those_who_want_it_and_once(
    signed_in: SignIn, noor: User, mailoutbox: list[Any], wish: str, mailed: list[str]
) -> None:
    signed_in(noor).post("/notices/mail", {"mailed": wish})
    for kind in ("failed", "finished"):
        told(noor, kind, key=kind)

    notices_services.mail_waiting(now=timezone.now())
    notices_services.mail_waiting(now=timezone.now())

    assert sorted(mail.subject.removeprefix("Preferably: ") for mail in mailoutbox) == mailed
    assert all(mail.to == [noor.email] for mail in mailoutbox)


def test_mail_that_could_not_be_sent_is_sent_the_next_time(
    noor: User, settings: Any, mailoutbox: list[Any]
) -> None:
    told(noor)
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 9

    assert notices_services.mail_waiting(now=timezone.now()) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert notices_services.mail_waiting(now=timezone.now()) == 1


def test_the_end_of_a_run_is_told_to_who_started_it(noor: User) -> None:
    run = cast.a_run(noor)
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=timezone.now())

    ending = runs_services.AttemptResult(Run.Outcome.FAILED, error="Out of memory.")
    runs_services.finish_run(run_id=run.pk, attempt=1, result=ending, now=timezone.now())

    notice = Notice.objects.get(person=noor)
    assert (notice.kind, notice.path) == ("failed", f"/runs/{run.pk}/")
    assert notice.sentence == "The run “Helpful, first try” failed. Out of memory."


def test_a_run_beyond_the_newest_is_found_to_compare_with(signed_in: SignIn, noor: User) -> None:
    one, *others = [cast.a_run(noor, name=f"run {number}") for number in range(4)]
    Run.objects.filter(pk=one.pk).update(name="The first of all", tags=["lr"])
    path, client = f"/runs/compare/?run={others[-1].pk}", signed_in(noor)

    def offered(words: str) -> list[int]:
        return [run.pk for run in client.get(f"{path}&words={words}").context["offered"]]

    assert offered("first+all") == offered("lr") == [one.pk]
    assert one.pk in offered(f"{one.pk}")
    assert offered("") == [run.pk for run in (others[1], others[0], one)]
    assert "no results" in client.get(f"{path}&words=nothing").content.decode()


def test_runs_compared_differ_by_their_other_model_and_by_how_they_were_launched(
    signed_in: SignIn, noor: User
) -> None:
    one, other = cast.a_run(noor, name="one"), cast.a_run(noor, name="other")
    launch = {"n_processes": 4, "strategy": "fsdp", "offloads": False, "n_machines": 2}
    Run.objects.filter(pk=other.pk).update(other_model=other.base_model, n_gpus=4, launch=launch)

    lines = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}").context["settings"]

    assert {str(line.name): line.cells for line in lines} == {
        "Compared with": ["–", other.base_model.name],
        "GPUs": ["0", "4"],
        "Processes": ["1", "4 with FSDP"],
        "Machines": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 3 * * mon", "Monday at 03:00. Next: Mon "),
        ("30 3,15 * * *", "Every day at 03:30 and 15:30. Next: "),
        ("0 0 1 1 *", "On day 1 of the month in January at 00:00. Next: "),
        ("*/10 * * * sat,sun", "Saturday and Sunday 144 times a day. Next: "),
        ("0 6 13 * fri", "Friday that is day 13 of the month at 06:00. Next: "),
        ("0 3 * *", "is not a valid time"),
    ],
)
def test_a_time_is_said_in_words_before_it_is_saved(
    signed_in: SignIn, noor: User, cron: str, words: str
) -> None:
    answer = signed_in(noor).get("/schedules/when", {"cron": cron, "time_zone": "Europe/Berlin"})

    assert words in answer.content.decode()


def test_every_workflow_is_a_card_of_an_empty_list_and_of_the_form(
    signed_in: SignIn, noor: User
) -> None:
    cast.a_model(noor)
    client = signed_in(noor)

    for path in ("/schedules/", "/schedules/new/weekly/"):
        page = text_of(client, path)
        for name, template in chain_plans.TEMPLATES.items():
            card = page[page.index(f'href="/schedules/new/{name}/"', page.index("templates")) :]
            assert str(template.about) in html.unescape(card[:700])
