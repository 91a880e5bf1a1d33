"""Spot checks in Chromium: the run's page with its chart and table fits and is accessible, a
researcher opens one of them, and a rater answers it, both by keys alone.
"""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Judgment, Prompt, Rater
from tests.browser.desk.hands import press, rank_all, rate_all
from tests.browser.test_by_keys_alone import go_to
from tests.training.conftest import base_model, make_snapshot, own_folders
from tests.training.spot_checks.conftest import (
    advance,
    campaign_of,
    judge,
    prompts,
    queued,
    reward_model,
    run,
    writes,
)
from tests.training.spot_checks.test_pages import decided, with_kl
from training.models import Run

__all__ = ["base_model", "make_snapshot", "own_folders", "prompts", "queued", "reward_model", "run"]

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("shares", [(0.7,), (0.9, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22, 0.2)])
def test_a_run_with_spot_checks_passes_axe_and_fits(
    open_page: OpenPage,
    noor: User,
    run: Run,
    prompts: list[Prompt],
    look_over: Callable[..., None],
    shares: tuple[float, ...],
    width: int,
) -> None:
    with_kl(run, *range(10, 91, 10))
    decided(run, prompts, *shares)
    Run.objects.update(heartbeat_at=timezone.now(), step=90, n_steps=200)

    page = open_page(f"/runs/{run.pk}/", noor, width=width)

    expect(page.get_by_text("Raters keep step").first).to_be_visible()
    look_over(page, f"spot-checks-{len(shares)}-{width}")


def test_a_researcher_opens_a_spot_check_by_keys(
    open_page: OpenPage, noor: User, rosa: Rater, run: Run, prompts: list[Prompt]
) -> None:
    writes(run, prompts, 0, 10)
    advance()
    judge(campaign_of(run, 10), rosa, n=1, likes_new=True)
    page = open_page(f"/runs/{run.pk}/", noor)

    go_to(page, "10$")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name=campaign_of(run, 10).name)).to_be_visible()


def test_a_rater_answers_a_spot_check_by_keys(
    open_page: OpenPage, rosa: Rater, run: Run, prompts: list[Prompt]
) -> None:
    writes(run, prompts, 0, 10)
    advance()
    page = open_page("/desk/", rosa)

    go_to(page, "Start")
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk[data-mounted]")
    first = page.url
    page.locator("[data-text]").first.focus()
    rate_all(page, 6, 4)
    rank_all(page, 1, 2)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.of_people.get()
    assert (judgment.campaign, judgment.rater) == (campaign_of(run, 10), rosa)
