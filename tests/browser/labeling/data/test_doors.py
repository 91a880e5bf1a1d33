"""Pages of exports and of imports from a hub."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.exports import jobs
from labeling.data.hub import jobs as hub_jobs
from labeling.models import Campaign, Export, HubDownload, Rater
from tests.cast import NOON
from tests.labeling.data.dataset_hub import dataset_hub
from tests.labeling.data.exports.test_exports import ranked

OpenPage = Callable[..., Page]

ROWS = b'{"prompt": "What is two and two?", "chosen": "4", "rejected": "5"}\n'


@pytest.fixture
def exported(
    comparison_campaign: Campaign,
    rosa: Rater,
    alice: User,
    transactional_db: None,
    settings: LazySettings,
    tmp_path: Path,
) -> Campaign:
    """With an export that is ready, one without rows, and one that waits."""
    settings.EXPORTS_DIR = tmp_path / "exports"
    ranked(comparison_campaign, rosa, {0: 1, 1: 1, 2: 2, 3: None})
    for shape in ("preferences", "stepwise", "rankings"):
        made = jobs.request_export(campaign=comparison_campaign, shape=shape, by=alice, now=NOON)
        if shape != "rankings":
            jobs.EXPORTS.run(made.pk, clock=lambda: NOON)
    return comparison_campaign


@pytest.fixture
def brought(alice: User, transactional_db: None, settings: LazySettings, tmp_path: Path) -> None:
    """One download that is ready, and one that failed."""
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.HUB_TOKEN, settings.HUB_IS_OFFLINE = "", False
    with dataset_hub() as hub:
        settings.HUB_URL = hub.url
        hub.files["team/preferences"] = {
            "README.md": b"---\nlicense: cc-by-4.0\n---\n",
            "train.jsonl": ROWS,
        }
        for repository in ("team/preferences", "team/nothing"):
            made = hub_jobs.request_download(repository=repository, by=alice, now=NOON)
            hub_jobs.DOWNLOADS.run(made.pk, clock=lambda: NOON)


def every_page(campaign: Campaign) -> dict[str, str]:
    ready = Export.objects.get(state="done")
    pages = {
        "export": f"/campaigns/{campaign.pk}/export/",
        "export-detail": f"/exports/{ready.pk}/",
        "export-publish": f"/exports/{ready.pk}/publish/",
        "hub-new": "/prompts/imports/hub/new/",
        "imports": "/prompts/imports/",
    }
    for download in HubDownload.objects.all():
        pages[f"hub-{download.state}"] = f"/prompts/imports/hub/{download.pk}/"
    return pages


def test_pages_are_accessible_and_none_is_wider_than_a_phone(
    exported: Campaign,
    brought: None,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
) -> None:
    page = open_page("/campaigns/", alice)
    phone = open_page("/campaigns/", alice, width=390, height=844, has_touch=True, is_mobile=True)
    too_wide = []
    for name, address in every_page(exported).items():
        page.goto(address)
        look_over(page, f"doors-{name}")
        phone.goto(address)
        settled(phone)
        screenshot(phone, f"doors-{name}-phone", full_page=True)
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            too_wide.append(name)

    assert too_wide == []


def test_an_export_is_created_by_keyboard_and_its_state_refreshes(
    exported: Campaign, alice: User, open_page: OpenPage
) -> None:
    page = open_page(f"/campaigns/{exported.pk}/export/", alice)

    page.get_by_label("Rankings", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Create export").press("Enter")
    rows = page.get_by_role("row").filter(has_text="Rankings")
    expect(rows).to_have_count(2)
    for export in Export.objects.exclude(state="done"):
        jobs.EXPORTS.run(export.pk, clock=lambda: NOON)

    expect(rows.filter(has_text="ready")).to_have_count(2)
    expect(page.locator("[data-polls]")).to_have_count(0)


def test_a_downloaded_data_set_is_previewed_by_keyboard(
    brought: None, alice: User, open_page: OpenPage
) -> None:
    download = HubDownload.objects.get(state="done")
    page = open_page(f"/prompts/imports/hub/{download.pk}/", alice)

    expect(page.get_by_label("Licence")).to_have_value("CC-BY-4.0")
    page.get_by_role("button", name="Preview").press("Enter")

    expect(page.get_by_text("What is two and two?")).to_be_visible()
