"""A researcher's pages in Chromium: accessible in both themes, usable on a phone, updated during a
run.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.test_by_keys_alone import go_to, write
from tests.training import cast
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.runs.estimates.planning import a_model_of, a_node
from tests.training.runs.estimates.shapes import QWEN_7B
from training.configs import kinds
from training.models import Run, RunPoint, RunSample

Opener = Callable[..., Page]


@pytest.mark.parametrize(("name", "width", "height"), [("run", 1440, 900), ("run-phone", 390, 844)])
def test_a_running_runs_page_passes_axe_and_fits(
    open_page: Opener,
    noor: User,
    look_over: Callable[..., None],
    name: str,
    width: int,
    height: int,
) -> None:
    run = cast.a_run(noor, state="running", n_points=252)

    page = open_page(f"/runs/{run.pk}/", noor, width=width, height=height)
    expect(page.get_by_text("step 252 of 400")).to_be_visible()

    look_over(page, name)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [("succeeded", ""), ("failed", "Memory ran out. Lower the batch size, or use LoRA.")],
)
def test_an_ended_runs_page_passes_axe(
    open_page: Opener, noor: User, look_over: Callable[..., None], outcome: str, error: str
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=400), outcome, error)

    page = open_page(f"/runs/{run.pk}/", noor)

    look_over(page, f"run-{outcome}")


def test_lists_and_forms_pass_axe(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    cast.a_run(noor, state="running", n_points=120, name="Helpful, second try")
    cast.a_run(noor)
    cast.finished(
        cast.a_run(noor, state="running", n_points=400, name="Helpful, third try"), "succeeded"
    )
    forms = [f"/runs/new/{kind}/" for kind in sorted(kinds.KINDS)]
    lists = [
        "/runs/",
        "/snapshots/",
        "/snapshots/new/",
        "/snapshots/new/?kind=prompts",
        "/models/",
        "/models/new/",
    ]

    page = open_page("/runs/", noor)
    for path in [*forms, *lists]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(path)
        name = "page" + re.sub(r"[^a-z]+", "-", path)
        look_over(page, f"{name}")
        page.set_viewport_size({"width": 360, "height": 780})
        look_over(page, f"{name}-phone")


def test_a_snapshots_and_a_models_page_pass_axe(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=400), "succeeded")

    page = open_page(f"/snapshots/{run.snapshot_id}/", noor)
    look_over(page, "page-snapshot")
    page.goto(f"/models/{run.trained_model.pk}/")
    look_over(page, "page-model")


def test_an_empty_place_says_what_to_do_first(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    page = open_page("/profile/", noor)

    for path in ("/runs/", "/runs/new/sft/", "/snapshots/", "/models/"):
        page.goto(path)
        expect(page.locator(".empty a.button")).to_be_visible()
        look_over(page, "empty" + path.replace("/", "-"))


def test_accuracies_of_groups_pass_axe_and_fit_a_phone(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=40), "succeeded")
    share = {"n": 1212, "accuracy": 0.704, "low": 0.677, "high": 0.729}
    groups = {
        "strength": ("1", "2", "3", "4", ""),
        "category": ("closed_qa", "chat"),
        "pool": ("Day shift, bilingual", ""),
    }
    run.metrics |= {
        "accuracy_by": {
            name: [{"group": group} | share for group in found] for name, found in groups.items()
        }
    }
    run.metrics["cross_validation"] = [{"unseen": share, "seen": share}] * 5
    run.save()

    page = open_page(f"/runs/{run.pk}/", noor, theme="dark", width=390, height=844)
    look_over(page, "run-groups-phone")
    page.set_viewport_size({"width": 1440, "height": 900})
    look_over(page, "run-groups")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_results_come_first_and_pass_axe(
    open_page: Opener, noor: User, look_over: Callable[..., None], theme: str, width: int
) -> None:
    reward, ppo = cast.a_reward_run(noor), cast.a_ppo_run(noor)
    stopped = cast.a_ppo_run(
        noor,
        is_measured=False,
        name="PPO 32, stopped",
        outcome="stopped",
        of_steps=900,
        kept_step=400,
        stop_requested_at=timezone.now(),
    )
    page = open_page(f"/runs/{reward.pk}/", noor, theme=theme, width=width)
    expect(page.locator(".verdict-sentence")).to_contain_text("rose from 52 % to 70 %")
    look_over(page, f"run-reward-{theme}-{width}")

    page.goto(f"/runs/{ppo.pk}/")
    look_over(page, f"run-ppo-{theme}-{width}")

    page.goto(f"/runs/{stopped.pk}/")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    look_over(page, f"run-ppo-stopped-{theme}-{width}")

    page.goto(f"/runs/compare/?run={reward.pk}&run={ppo.pk}&run={stopped.pk}")
    look_over(page, f"runs-compared-{theme}-{width}")


def test_a_runs_page_follows_it_and_asks_no_more_once_it_has_ended(
    open_page: Opener, noor: User, settled: Callable[[Page], None]
) -> None:
    run = cast.a_run(noor, state="running", n_points=10)
    page = open_page("/runs/", noor)
    page.clock.install()
    page.goto(f"/runs/{run.pk}/")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if request.url.endswith("/live") else None,
    )

    page.locator(".disclosure > summary").first.click()
    Run.objects.filter(pk=run.pk).update(step=11)
    RunPoint.objects.create(run=run, attempt=1, step=11, at=timezone.now(), values={"loss": 1.0})
    expect(page.get_by_text("step 11 of 400")).to_be_visible()
    expect(page.locator(".disclosure").first).to_have_attribute("open", "")

    cast.finished(run, "failed", "The loss became NaN.")
    expect(page.get_by_role("alert")).to_contain_text("The loss became NaN.")
    asked.clear()
    page.clock.run_for(6_000)
    settled(page)

    assert asked == []


def test_a_preset_fills_the_form_leaves_the_name_and_shows_the_cost(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    model = cast.a_model(noor)
    snapshot = cast.a_snapshot(noor)
    page = open_page("/runs/new/sft/", noor)

    page.get_by_label("Name").fill("Try out")
    page.get_by_role("button", name="small").click()

    expect(page.get_by_label("Name")).to_have_value("Try out")
    expect(page.get_by_label("Max row length")).to_have_value("256")
    page.locator("[name=base_model]").select_option(str(model.pk))
    page.locator("[name=snapshot]").select_option(str(snapshot.pk))
    expect(page.locator("#cost .measures")).to_contain_text("Steps")
    page.locator(".disclosure > summary").first.click()
    look_over(page, "run-cost")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_run_that_hangs_is_ended_after_asking_back(
    open_page: Opener, noor: User, look_over: Callable[..., None], width: int
) -> None:
    run = cast.a_run(noor, state="running", n_points=0, stop_requested_at=timezone.now())
    page = open_page(f"/runs/{run.pk}/", noor, width=width)
    look_over(page, f"run-stopping-{width}")

    page.get_by_role("link", name="Force stop…").click()
    expect(page.get_by_text("no model is saved")).to_be_visible()
    look_over(page, f"run-kill-{width}")
    page.get_by_role("button", name="Force stop").click()

    expect(page.get_by_text("Noor force-stopped it")).to_be_visible()
    look_over(page, f"run-killed-{width}")


def test_long_sampled_texts_scroll_by_keyboard_and_have_their_own_direction(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    text = "Yeast gives off gas.\nالخميرة تأكل السكر وتطلق الغاز.\n" * 20
    runs = [
        cast.a_run(noor, state="running", n_points=252, name=name) for name in ("First", "Second")
    ]
    RunSample.objects.update(prompt=text, response=text)

    page = open_page("/runs/", noor)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/runs/{runs[0].pk}/")
        sampled = page.locator(".sample-text").first
        assert sampled.evaluate("el => getComputedStyle(el).unicodeBidi") == "plaintext"
        look_over(page, f"run-samples-{width}")

        page.goto(f"/runs/compare/?run={runs[0].pk}&run={runs[1].pk}")
        expect(page.locator(".sample-text").first).to_be_visible()
        look_over(page, f"compare-samples-{width}")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_form_of_a_benchmark_offers_suites_and_passes_axe(
    open_page: Opener, noor: User, look_over: Callable[..., None], width: int, height: int
) -> None:
    model = cast.a_model(noor)
    first = tiny_suite("choice")
    for kind in ("generate", "pairs", "best-of-k", "flip"):
        tiny_suite(kind)

    url = f"/runs/new/benchmark/?base_model={model.pk}&suite={first.pk}"
    page = open_page(url, noor, width=width, height=height)
    expect(page.get_by_role("checkbox", name="Tiny choice 1")).to_be_checked()
    page.get_by_role("checkbox", name="Tiny flip 1").check()
    expect(page.get_by_text("2,304")).to_be_visible()  # tokens of both suites

    look_over(page, f"benchmark-new-{width}")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_the_plan_follows_the_fields_and_a_refusal_is_at_its_field(
    open_page: Opener,
    noor: User,
    look_over: Callable[..., None],
    tmp_path: Path,
    width: int,
    theme: str,
) -> None:
    a_model_of(QWEN_7B, tmp_path, noor)
    cast.a_snapshot(noor)
    a_node(8, 79.6, 512)
    page = open_page("/runs/new/sft/", noor, width=width, theme=theme, refusals=1)

    go_to(page, "Hardware")
    page.keyboard.press("Enter")
    write(page, "GPUs", "8")
    page.keyboard.press("Tab")
    warning = page.locator("#cost .callout")
    expect(warning).to_contain_text("the others of 8 would be idle")
    look_over(page, f"run-plan-refused-{width}")
    go_to(page, "Start run")
    page.keyboard.press("Enter")
    error = page.locator(".field", has=page.locator("[name=n_gpus]")).locator(".field-error")
    expect(error).to_have_text(
        "One process uses one GPU, and the others of 8 would be idle. Ask for 8 processes, or for"
        " one GPU."
    )
    look_over(page, f"run-plan-at-field-{width}")

    write(page, "Processes", "8")
    page.keyboard.press("Tab")
    summary = page.locator("#plan summary")
    expect(summary).to_contain_text(re.compile(r"each of 8 GPUs holds \d+\.?\d* of 80 GB"))
    go_to(page, "On gpu-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="Frozen weights")).to_be_visible()
    look_over(page, f"run-plan-{width}")
    go_to(page, "Processes", key="Shift+Tab")
    page.keyboard.type("4")
    page.keyboard.press("Tab")
    expect(warning).to_contain_text("Each process needs its own GPU")
    expect(page.get_by_role("rowheader", name="Frozen weights")).to_be_visible()
    assert not Run.objects.exists()
