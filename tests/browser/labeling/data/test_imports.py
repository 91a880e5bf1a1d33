"""An import in Chromium: the page updates itself until the import ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.models import Import

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_follows_an_import_to_its_report(
    open_page: Callable[..., Page], alice: User, settings: Any, tmp_path: Path
) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    file = tmp_path / "rivers.jsonl"
    file.write_text('{"prompt": "Name three rivers."}\n{"prompt": ""}\n')
    page = open_page("/prompts/imports/new/", alice)

    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Source").fill("rivers")
    page.get_by_label("Licence").fill("CC0-1.0")
    page.get_by_role("button", name="Start import").click()
    expect(page.locator("#import")).to_have_attribute("data-state", "queued")
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)

    expect(page.locator("#import")).to_have_attribute("data-state", "published")
    expect(page.get_by_text("`prompt` is empty. Add text or remove this line.")).to_be_visible()
