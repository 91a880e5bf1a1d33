"""Schedules, chains, nodes, notices and comparisons in Chromium: accessible in both themes, usable
on a phone.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from labeling.models import Guideline, Pool
from tests.training import cast
from training.models import Chain, Link, Node, Run, Schedule
from training.registry import services as registry_services
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.gate.verdict import Checked, Verdict
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms

Opener = Callable[..., Page]


@pytest.fixture
def cycle(noor: User, day_shift: Pool, guideline: Guideline) -> Chain:
    """The weekly cycle in its third week, its PPO run going on; a week before it was skipped."""
    now = timezone.now()
    model = cast.a_model(noor)
    schedule = schedules_services.create_schedule(
        name="Weekly cycle",
        plan=Plan(
            "weekly",
            base_model=model.pk,
            approvals=("ppo", "campaign"),
            pool=day_shift.pk,
            guideline=guideline.pk,
        ),
        terms=Terms(
            trigger="clock", time_zone="Europe/Berlin", cron="0 3 * * mon", max_runs_a_week=8
        ),
        by=noor,
        now=now,
    )
    Schedule.objects.filter(pk=schedule.pk).update(due_at=now - timedelta(minutes=1))
    schedules_services.fire_due_schedules(now=now - timedelta(days=7))
    schedules_services.fire_due_schedules(now=now)
    schedule.refresh_from_db()
    chain = schedules_services.fire_now(schedule=schedule, by=noor, now=now)
    run = cast.a_run(noor, state="running", n_points=120, name="Weekly cycle 2 · ppo")
    snapshot = cast.a_snapshot(noor, "comparisons", name="Weekly cycle 2 · comparisons")
    done: dict[str, Any] = {
        "state": "done",
        "claimed_at": now - timedelta(minutes=40),
        "ended_at": now - timedelta(minutes=12),
    }
    chain.links.filter(step="comparisons").update(snapshot=snapshot, **done)
    reward = cast.finished(
        cast.a_run(noor, state="running", n_points=400, name="Weekly cycle 2 · reward"), "succeeded"
    )
    chain.links.filter(step="reward").update(run=reward, **done)
    chain.links.filter(step="prompts").update(
        snapshot=cast.a_snapshot(noor, "prompts", name="Weekly cycle 2 · prompts"), **done
    )
    chain.links.filter(step="ppo").update(
        run=run, state="working", claimed_at=now, approved_by=noor, approved_at=now
    )
    return chain


@pytest.fixture
def nodes(noor: User) -> None:
    now = timezone.now()
    card = {
        "name": "NVIDIA H100 80GB HBM3",
        "memory_gb": 79.6,
        "used_gb": 41.2,
        "load": 0.93,
        "temperature_c": 64,
    }
    versions = {"python": "3.11.9", "torch": "2.13.0", "transformers": "5.24.0", "trl": "1.16.2"}
    common: dict[str, Any] = {
        "n_cores": 16,
        "memory_gb": 125.7,
        "memory_free_gb": 88.1,
        "versions": versions,
    }
    Node.objects.create(name="gpu-2", seen_at=now, gpus=[card, card], **common)
    Node.objects.create(
        name="gpu-3",
        seen_at=now,
        gpus=[card | {"used_gb": 0, "load": 0}],
        draining_since=now,
        **common,
    )
    Node.objects.create(name="gpu-1", seen_at=now - timedelta(hours=3), gpus=[card], **common)
    cast.a_run(noor, state="running", n_points=120, name="Helpful, second try")
    cast.a_run(noor, name="Needs a rack", n_gpus=8, memory_gb=80)
    cast.a_run(noor, name="Needs little")


def test_schedules_and_chains_pass_axe_and_fit(
    open_page: Opener, noor: User, cycle: Chain, look_over_each: Callable[..., None]
) -> None:
    paths = {
        "schedule-list": "/schedules/",
        "schedule-detail": f"/schedules/{cycle.schedule_id}/",
        "schedule-chain": f"/chains/{cycle.pk}/",
        "schedule-form": "/schedules/new/weekly/",
    }
    look_over_each(open_page("/schedules/", noor), paths, widths=(1440, 390))


@pytest.mark.parametrize("width", [1440, 390])
def test_a_chain_at_its_gate_passes_axe_and_takes_a_decision(
    open_page: Opener,
    noor: User,
    cycle: Chain,
    look_over: Callable[..., None],
    width: int,
) -> None:
    checks = (
        Checked("win_rate", 0.61, 0.5, None, 0.47, 0.73, 84),
        Checked("reward", -0.1, 0.0, True, low=-0.4, high=0.2),
        Checked("kl", 31.5, 20.0, False),
    )
    verdict = Verdict("waits", "16 answers on test prompts are still missing.", checks)
    cycle.links.filter(step="ppo").update(state="done")
    cycle.links.filter(step="gate").update(
        state="approval", model=cast.a_model(noor, "ppo-3"), verdict=verdict.as_json()
    )
    Chain.objects.filter(pk=cycle.pk).update(state="approval")

    page = open_page(f"/schedules/{cycle.schedule_id}/", noor, width=width)
    look_over(page, f"gate-{width}")
    page.goto(f"/chains/{cycle.pk}/")
    look_over(page, f"chain-gate-{width}")
    page.click("#reject")

    page.get_by_text(f"Not promoted, by {noor}.").first.wait_for()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_chain_whose_run_was_stopped_offers_what_it_has_saved(
    open_page: Opener,
    noor: User,
    cycle: Chain,
    look_over: Callable[..., None],
    screenshot: Callable[..., Any],
    width: int,
) -> None:
    ppo = cycle.links.get(step="ppo")
    assert ppo.run is not None
    run = cast.finished(ppo.run, "stopped")
    model = registry_services.register_trained_model(
        run=run, location="/models/stopped", metrics={}, now=timezone.now()
    )
    chains.advance_chain(chain_id=cycle.pk, now=timezone.now())

    page = open_page(f"/models/{model.pk}/", noor, width=width)
    screenshot(page, f"model-{width}", full_page=True)
    page.goto("/runs/compare/?words=try")
    screenshot(page, f"compare-words-{width}", full_page=True)
    page.goto(f"/chains/{cycle.pk}/")
    look_over(page, f"chain-saved-{width}")
    expect(page.get_by_role("button", name="Restart this step")).to_be_visible()
    page.get_by_role("button", name=f"Continue with {model}").click()

    expect(page.get_by_role("button", name="Stop chain")).to_be_visible()
    ppo.refresh_from_db()
    assert ppo.state == "done"


def test_nodes_notices_and_comparisons_pass_axe_and_fit(
    open_page: Opener, noor: User, nodes: None, look_over_each: Callable[..., None]
) -> None:
    runs = [
        cast.finished(cast.a_run(noor, state="running", n_points=n, name=f"try {n}"), "succeeded")
        for n in (90, 200, 400)
    ]
    for kind, sentence in {
        "failed": "The run “try 7” failed. Memory ran out.",
        "approval": "The chain waits for you.",
    }.items():
        notices_services.notify(
            people=[noor],
            key=kind,
            kind=Notice.Kind(kind),
            words=partial(str, sentence),
            path="/runs/",
            now=timezone.now(),
        )
    paths = {
        "nodes": "/nodes/",
        "notices": "/notices/",
        "compare": "/runs/compare/?" + "&".join(f"run={run.pk}" for run in runs),
        "waiting": f"/runs/{Run.objects.get(name='Needs a rack').pk}/",
    }
    look_over_each(open_page("/runs/", noor), paths, widths=(1440, 390))


def test_the_form_asks_only_for_what_its_way_of_beginning_needs(
    open_page: Opener, noor: User
) -> None:
    cast.a_model(noor)
    page = open_page("/schedules/new/weekly/", noor)
    clock, judgments, fall = (
        page.locator(f"[name={name}]") for name in ("cron", "n_new", "accuracy_drop")
    )

    seen = {}
    for words in (
        "At set times",
        "When there are enough new answers",
        "When reward-model accuracy drops",
        "Manual only",
    ):
        page.get_by_text(words, exact=True).click()
        seen[words] = [field.is_visible() for field in (clock, judgments, fall)]

    assert seen == {
        "At set times": [True, False, False],
        "When there are enough new answers": [False, True, False],
        "When reward-model accuracy drops": [True, False, True],
        "Manual only": [False, False, False],
    }


def test_the_steps_follow_what_is_chosen_in_the_form(
    open_page: Opener, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    cast.a_model(noor)
    page = open_page("/schedules/new/weekly/", noor)
    steps = page.get_by_role("list", name="Steps of a chain")
    expect(steps).to_contain_text("Gate")

    page.get_by_label("After training").select_option("request")

    expect(steps).not_to_contain_text("Gate")
    expect(page.get_by_label("Pool of raters")).to_be_hidden()


def test_a_chain_that_waits_is_approved_in_the_browser(
    open_page: Opener, noor: User, cycle: Chain
) -> None:
    Link.objects.filter(chain=cycle, step="ppo").update(
        run=None, state="approval", approved_at=None, approved_by=None
    )
    Chain.objects.filter(pk=cycle.pk).update(state="approval")
    page = open_page(f"/chains/{cycle.pk}/", noor)

    page.get_by_role("button", name="Approve next step").click()

    expect(page.get_by_text("approved by Noor")).to_be_visible()
    expect(page.get_by_role("button", name="Approve next step")).to_have_count(0)
