"""An admin on an empty site is led to a campaign that raters can work on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, Import, Invitation

OpenPage = Callable[..., Page]
MOST_CLICKS = 12

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ({"prompt": "Name three rivers."}, "demonstration"),
        (
            {"prompt": "Name three rivers.", "responses": ["Rhine, Elbe, Oder.", "No."]},
            "comparison",
        ),
    ],
)
def test_an_empty_site_leads_to_an_open_campaign_in_twelve_clicks(
    prompt: dict[str, Any],
    kind: str,
    alice: User,
    open_page: OpenPage,
    settings: Any,
    tmp_path: Path,
    look_over: Callable[..., None],
) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps(prompt) + "\n")
    clicks = 0

    def click(what: Locator) -> None:
        nonlocal clicks
        clicks += 1
        what.first.click()

    page = open_page("/campaigns/", alice)
    expect(page.get_by_text("0 of 6 steps done")).to_be_visible()
    look_over(page, "first-steps")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    look_over(page, "first-steps-phone-dark")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")

    click(page.get_by_role("link", name="Write a guideline").last)
    page.locator("#id_name").fill("Short answers")
    page.locator("#id_text").fill("# Be short")
    click(page.get_by_role("button", name="Create guideline"))
    click(page.get_by_role("link", name="Next: Create a pool"))
    page.locator("#id_name").fill("Spring pool")
    click(page.get_by_role("button", name="Create pool"))
    look_over(page, "first-steps-next")
    click(page.get_by_role("link", name="Next: Invite raters"))
    page.get_by_label("E-mail").first.fill("rosa@example.org")
    click(page.get_by_role("button", name="Send invitations"))
    click(page.get_by_role("link", name="Next: Add prompts"))
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("textbox", name="Source").fill("our prompts")
    page.get_by_role("textbox", name="Licence").fill("CC0-1.0")
    click(page.get_by_role("button", name="Start import"))
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)
    expect(page.locator("#import")).to_have_attribute("data-state", "published")
    click(page.get_by_role("link", name="Next: Create a campaign"))
    page.get_by_label("Name", exact=True).fill("Waters")
    expect(page.locator("#count")).to_contain_text("1 prompt")
    page.wait_for_load_state("networkidle")
    click(page.get_by_role("button", name="Create campaign"))
    click(page.get_by_role("button", name="Open"))

    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    campaign = Campaign.objects.get()
    assert (campaign.kind, campaign.state) == (kind, Campaign.State.OPEN)
    assert Invitation.objects.count() == 1
    assert clicks <= MOST_CLICKS
    page.goto(page.url.split("/campaigns/")[0] + "/campaigns/")
    expect(page.get_by_text("steps done")).to_have_count(0)


def test_a_form_without_choices_says_where_to_make_one_and_what_is_missing(
    alice: User, open_page: OpenPage
) -> None:
    page = open_page("/campaigns/new/", alice)

    expect(page.get_by_role("link", name="New pool")).to_be_visible()
    expect(page.get_by_role("link", name="New guideline")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("There are no prompts yet.")
