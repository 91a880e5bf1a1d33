"""An import in Chromium: the page updates itself until the import ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.models import Import, Response

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_follows_an_import_to_its_report(
    open_page: Callable[..., Page], alice: User, settings: Any, tmp_path: Path
) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    file = tmp_path / "rivers.jsonl"
    file.write_text('{"prompt": "Name three rivers."}\n{"prompt": ""}\n')
    page = open_page("/prompts/imports/new/", alice)

    page.get_by_label("File").set_input_files(file)
    page.get_by_role("textbox", name="Source").fill("rivers")
    page.get_by_role("textbox", name="Licence").fill("CC0-1.0")
    page.get_by_role("button", name="Start import").click()
    expect(page.locator("#import")).to_have_attribute("data-state", "queued")
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)

    expect(page.locator("#import")).to_have_attribute("data-state", "published")
    expect(page.get_by_text("`prompt` is empty. Add text or remove this line.")).to_be_visible()


def test_columns_that_may_judge_are_explained_by_keyboard(
    open_page: Callable[..., Page],
    look_over: Callable[..., None],
    alice: User,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    file = tmp_path / "judged.csv"
    file.write_text("prompt;response;urteil\nName a river.;Elbe;gut\nName a hill.;Brocken;gut\n")
    page = open_page("/prompts/imports/new/", alice, refusals=1)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("textbox", name="Source").fill("rivers")
    page.get_by_role("textbox", name="Licence").fill("CC0-1.0")
    page.get_by_label("Import human replies").press("Space")
    page.get_by_role("textbox", name="Licence").press("Enter")

    tick = page.get_by_label("Store the answers beside these columns as responses")
    expect(tick).not_to_be_checked()
    expect(page.get_by_text("urteil (gut)")).to_be_visible()
    expect(page.get_by_label("Good or bad")).to_be_visible()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        look_over(page, f"import-asks-{width}")
    tick.press("Space")
    tick.press("Enter")

    expect(page.locator("#import")).to_have_attribute("data-state", "queued")
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)
    assert Response.objects.count() == 2
