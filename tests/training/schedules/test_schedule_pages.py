"""Schedules and chains through HTTP: who may see them, what the form refuses, what they start."""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.models import Guideline, Pool, Rater
from tests.html import text_of
from tests.training import cast
from training.configs import kinds
from training.models import Chain, Run, Schedule, Snapshot
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.plans import chain_plans
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms, UnableToSchedule

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


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
        "max_uses": "8",
        "n_judged": "40",
        "n_taught": "0",
        "min_win_rate": "52.5",
        "max_kl": "",
        "max_length": "1.5",
        "gate_days": "14",
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


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_set_up_from_the_form(schedule: Schedule, noor: User) -> None:
    assert (schedule.trigger, schedule.cron, schedule.time_zone, schedule.created_by) == (
        "clock",
        "0 3 * * mon",
        "Europe/Berlin",
        noor,
    )
    assert schedule.plan["configs"]["sft"] == kinds.as_json(kinds.PRESETS["sft"]["small"])
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
    gated = ("n_judged", "min_win_rate", "max_kl", "gate_days")
    assert [schedule.plan[name] for name in gated] == [40, 52.5, None, 14]


def test_settings_that_need_demonstrations_are_not_offered_for_ppo_on_prompts(
    signed_in: SignIn,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    make_snapshot: Callable[..., Snapshot],
) -> None:
    mixed = kinds.as_json(kinds.PRESETS["ppo"]["thorough"])
    model = cast.a_model(noor)
    run = Run.objects.create(
        name="PPO-ptx",
        kind="ppo",
        config=mixed,
        snapshot=make_snapshot("demonstrations"),
        base_model=model,
        state="finished",
        outcome="succeeded",
    )
    data = weekly_data(base_model=model.pk, pool=day_shift.pk, guideline=guideline.pk)
    client = signed_in(noor)

    page = client.get("/schedules/new/weekly/").context["form"]["config_ppo"]
    asked = client.post("/schedules/new/weekly/", data | {"config_ppo": f"run:{run.pk}"})

    assert "preset:thorough" not in [name for name, _words in page.field.choices]
    assert asked.status_code == 422
    assert "a snapshot of prompts has none" in html.unescape(asked.content.decode())
    with pytest.raises(UnableToSchedule, match="a snapshot of prompts has none"):
        schedules_services.create_schedule(
            name="Mondays",
            plan=Plan("weekly", base_model=model.pk, configs={"ppo": mixed}),
            terms=Terms(trigger="hand", time_zone="UTC"),
            by=noor,
            now=timezone.now(),
        )
    assert not Schedule.objects.exists()


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
    assert Chain.objects.get().links.count() == 9


def test_one_and_the_same_response_is_nothing_to_choose_from(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    cold = kinds.as_json(kinds.PRESETS["sample"]["small"]) | {
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

    assert response.status_code == 422
    assert "responses to a prompt are the same. Raise the temperature" in response.text


def test_what_a_run_of_the_chain_could_not_share_is_refused_before_it_begins(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    client, model = signed_in(noor), cast.a_model(noor)
    shared = {"base_model": model.pk, "n_gpus": 3, "n_processes": 3, "strategy": "fsdp"}

    tuned = client.post("/schedules/new/fine-tune/", form_data(**shared))
    cycle = client.post(
        "/schedules/new/weekly/", weekly_data(pool=day_shift.pk, guideline=guideline.pk, **shared)
    )

    assert (tuned.status_code, cycle.status_code) == (302, 422)
    assert "do not divide evenly among the processes" in cycle.content.decode()


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
    with django_assert_max_num_queries(14) as few:
        client.get(path)
    n_queries = len(few)

    for _again in range(5):
        Chain.objects.update(state="finished")
        client.post(f"/schedules/{schedule.pk}/fire")

    with django_assert_num_queries(n_queries):
        client.get(path)


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


def test_a_new_schedule_asks_three_raters_per_item(signed_in: SignIn, noor: User) -> None:
    """With one, agreement can never be measured."""
    form = signed_in(noor).get("/schedules/new/weekly/").context["form"]

    assert form["overlap"].value() == 3


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


def test_three_workflows_come_first_and_the_others_are_folded_away(
    signed_in: SignIn, noor: User
) -> None:
    page = text_of(signed_in(noor), "/schedules/")
    first, others = page[page.index("templates") :].split("<details", 1)

    for name in chain_plans.TEMPLATES:
        address = f'href="/schedules/new/{name}/"'
        is_usual = name in ("dpo", "fine-tune-gate", "reward")
        assert (address in first, address in others) == (is_usual, not is_usual)


def test_the_settings_of_the_gates_looks_are_kept_and_older_plans_look_once(
    signed_in: SignIn, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    looks = {"n_looks": "4", "confidence": "95", "keeps_undecided": "on"}
    own = {"base_model": cast.a_model(noor).pk, "pool": day_shift.pk, "guideline": guideline.pk}

    signed_in(noor).post("/schedules/new/weekly/", weekly_data(**own | looks))

    plan = Plan.from_json(Schedule.objects.get().plan)
    assert (plan.n_looks, plan.confidence, plan.keeps_undecided) == (4, 95.0, True)
    older = Plan.from_json({"template": "weekly", "base_model": 1})
    assert (older.n_looks, older.confidence, older.keeps_undecided) == (1, 97.5, False)


POWER = {
    "n_judged": "200",
    "overlap": "2",
    "n_responses": "2",
    "n_looks": "4",
    "confidence": "95",
    "min_win_rate": "50",
}


def test_the_form_says_what_to_expect_of_its_gate(signed_in: SignIn, noor: User) -> None:
    said = signed_in(noor).get("/schedules/power", POWER).content.decode()

    assert "With up to 200 test prompts and 12 raters who differ as raters do" in said
    assert "prefer in 55 % of votes is promoted in 2" in said
    assert "of at most 400 answers" in said


def test_the_form_says_so_if_no_number_of_prompts_is_enough(
    signed_in: SignIn, noor: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    said = signed_in(noor).get("/schedules/power", POWER | {"pool": day_shift.pk}).content.decode()

    assert "and 3 raters" in said
    assert "it takes more raters" in said


@pytest.mark.parametrize("wrong", [{"n_judged": ""}, {"overlap": "-1"}, {"confidence": "x"}])
def test_while_a_number_is_missing_or_wrong_nothing_is_said(
    signed_in: SignIn, noor: User, wrong: dict[str, str]
) -> None:
    response = signed_in(noor).get("/schedules/power", POWER | wrong)

    assert (response.status_code, response.content) == (200, b"")
