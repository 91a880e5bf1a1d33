"""From a campaign's answers to a running chain in Chromium: by keyboard, in at most three presses,
with a real worker; and how the page looks.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.trainer.tiny import build_tiny_model
from tests.training import cast
from tests.training.runs.processes import REAL_TRAINER, Processes, processes, until
from tests.training.schedules.steps.test_best_of_n import rank
from tests.training.snapshots.test_freezing import demonstrate, on_split
from tests.training.train_on_campaign.conftest import on_training_prompts
from training.models import Chain, Node, Run, TrainedModel
from training.registry import services as registry_services

Opener = Callable[..., Page]
SLOW_MS = 240_000
"""What a real worker may take on a machine that does ten things."""


@pytest.fixture
def both(noor: User) -> User:
    """A researcher who is an admin too."""
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    return User.objects.get(pk=noor.pk)


@pytest.fixture
def comparisons(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Campaign:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=12, n_responses=2, name="Helpful answers"
    )
    rank(on_training_prompts(campaign), rosa, "12")
    on_split("test", 8)
    return campaign


def a_node() -> Node:
    return Node.objects.create(
        name="gpu-1", seen_at=timezone.now(), gpus=[], n_cores=2, memory_gb=16
    )


class Keys:
    """Reaches things by Tab, and counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self.page, self.n_pressed = page, 0

    def press(self, target: Locator, key: str = "Enter") -> None:
        """The key on the target, which has to be reachable by Tab."""
        expect(target).to_be_visible()
        self.page.evaluate("document.activeElement.blur()")
        for _tab in range(150):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                self.page.keyboard.press(key)
                self.n_pressed += 1
                return
        raise AssertionError(f"Tab does not reach {target}")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_pass_axe_and_fit(
    open_page: Opener,
    both: User,
    comparisons: Campaign,
    look_over: Callable[..., None],
    width: int,
) -> None:
    a_node()
    model = cast.a_model(both)
    page = open_page("/train/", both, width=width)
    look_over(page, f"train-list-{width}")
    page.goto(f"/train/{comparisons.pk}/")
    look_over(page, f"train-{width}")
    page.goto(f"/campaigns/{comparisons.pk}/")
    look_over(page, f"train-campaign-{width}")
    TrainedModel.objects.filter(pk=model.pk).update(freed_at=timezone.now())
    Node.objects.all().delete()
    page.goto(f"/train/{comparisons.pk}/")
    look_over(page, f"train-refused-{width}")


def test_from_a_campaign_to_a_weekly_chain_in_three_presses(
    open_page: Opener, both: User, comparisons: Campaign
) -> None:
    a_node()
    cast.a_model(both)
    page = open_page(f"/campaigns/{comparisons.pk}/", both)
    keys = Keys(page)

    keys.press(page.get_by_role("link", name="Train on this campaign"))
    keys.press(page.get_by_label("Repeat every week"), "Space")
    expect(page.locator("#plan")).to_contain_text("then every Monday at 03:00")
    keys.press(page.get_by_role("button", name="Start training"))

    expect(page.get_by_role("heading", name="Helpful answers · DPO 1")).to_be_visible()
    chain = Chain.objects.get()
    assert (keys.n_pressed, chain.state, chain.schedule.trigger) == (3, "going", "clock")


def test_from_the_list_of_runs_to_a_chain_in_three_presses(
    open_page: Opener, noor: User, comparisons: Campaign
) -> None:
    a_node()
    cast.a_model(noor)
    page = open_page("/runs/", noor)
    keys = Keys(page)

    keys.press(page.get_by_role("link", name="Train on a campaign"))
    keys.press(page.get_by_role("link", name="Train… Helpful answers"))
    page.get_by_label("Nothing more").check()
    expect(page.locator("#plan")).not_to_contain_text("responses of the current model")
    keys.press(page.get_by_role("button", name="Start training"))

    expect(page.get_by_role("heading", name="Helpful answers · DPO 1")).to_be_visible()
    assert keys.n_pressed == 3


def test_the_plan_follows_every_choice_and_advanced_opens_the_long_form_with_it(
    open_page: Opener, both: User, comparisons: Campaign
) -> None:
    a_node()
    model = cast.a_model(both)
    page = open_page(f"/train/{comparisons.pk}/", both)
    plan = page.locator("#plan")
    expect(plan).to_contain_text("DPO")

    page.get_by_label("A reward model").check()
    expect(plan).to_contain_text("Reward model")
    expect(plan).not_to_contain_text("DPO")
    page.get_by_label("A fine-tuned model").check()
    expect(plan).to_contain_text("Fine-tuning on the preferred")
    expect(plan).to_contain_text("With fewer than three raters, the gate tells")
    page.get_by_label("Overnight").check()
    page.get_by_role("button", name="Advanced…").click()

    expect(page.get_by_role("heading", name="New schedule")).to_be_visible()
    expect(page.locator("[name=base_model]")).to_have_value(str(model.pk))
    expect(page.locator("[name=config_sft]")).to_have_value("preset:thorough")
    expect(page.get_by_label("Manual only")).to_be_checked()
    assert not Chain.objects.exists()


@pytest.fixture
def site(tmp_path: Path, settings: LazySettings, transactional_db: None) -> Iterator[Processes]:
    """A GPU worker and a short one, with the real trainer."""
    for room in ("runs", "snapshots", "models"):
        setattr(settings, f"{room.upper()}_DIR", tmp_path / room)
        (tmp_path / room).mkdir()
    settings.ARTIFACT_STORE = str(tmp_path / "artifacts")
    with processes(tmp_path) as running:
        running.trainer = REAL_TRAINER
        running.start_broker()
        running.start_worker("gpu", node="gpu")
        running.start_short_worker()
        until(lambda: Node.objects.filter(name="gpu").exists(), "the worker announces itself")
        yield running


def test_demonstrations_become_a_model_by_a_real_worker(
    open_page: Opener,
    noor: User,
    site: Processes,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    tmp_path: Path,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline)
    for item in on_training_prompts(campaign).items.select_related("prompt"):
        demonstrate(item.prompt, rosa, campaign=campaign)
    folder = build_tiny_model(tmp_path / "tiny")
    registry_services.register_model(
        name="tiny", kind="policy", location=str(folder), licence="MIT", by=noor, now=timezone.now()
    )
    page = open_page(f"/lineage/campaigns/{campaign.pk}/", noor)
    keys = Keys(page)

    keys.press(page.get_by_role("link", name="Train on this campaign"))
    keys.press(page.get_by_role("button", name="Start training"))
    expect(page.get_by_role("button", name="Stop chain")).to_be_visible()
    chain = Chain.objects.get()
    site.advance(chain.pk)
    expect(page.get_by_text("Finished", exact=False).first).to_be_visible(timeout=SLOW_MS)

    run = Run.objects.get()
    values: dict[str, Any] = {"kind": run.kind, "outcome": run.outcome, "node": run.node}
    assert (keys.n_pressed, values) == (
        2,
        {"kind": "sft", "outcome": "succeeded", "node": "gpu"},
    )
    assert TrainedModel.objects.filter(run=run, parent__name="tiny").exists()
