"""Curation in Chromium: from the form to the preview, a restored document, and the snapshot."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Item, Pool, Rater
from tests.training.snapshots.curating import documents, upload_of
from tests.training.snapshots.test_rule_ratings import judge, rule_of, web_pages
from training.models import Curation
from training.snapshots.curation import services

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
Opener = Callable[..., Page]


@pytest.fixture(autouse=True)
def own_folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"
    settings.SNAPSHOTS_DIR.mkdir()


def test_a_recipe_is_previewed_restored_from_and_frozen(
    open_page: Opener, noor: User, look_over: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "web.jsonl"
    file.write_bytes(upload_of(*documents()).read())
    page = open_page("/snapshots/new/?kind=text", noor)
    page.get_by_label("Name").fill("Web text")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Licence").fill("CC0-1.0")
    page.get_by_label("Minimum document length").fill("10")
    page.get_by_label("Curation").select_option("light")
    look_over(page, "curation-form")

    page.get_by_role("button", name="Preview curation").press("Enter")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    services.CURATIONS.run(Curation.objects.get().pk, clock=lambda: NOW)

    # The page asks for itself again until the preview is there.
    expect(page.get_by_text("Nothing is frozen yet")).to_be_visible()
    look_over(page, "curation-preview")
    page.get_by_role("link", name="Exact duplicate").press("Enter")
    page.get_by_text("Show the document that it repeats").press("Enter")
    page.get_by_role("button", name="Restore").press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_text("Documents were restored after this preview")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    look_over(page, "curation-restored-phone")
    page.get_by_role("link", name="Show recipe").press("Enter")
    look_over(page, "curation-recipe-phone")
    page.set_viewport_size({"width": 1440, "height": 900})
    look_over(page, "curation-recipe")
    page.go_back()
    page.get_by_role("button", name="Create snapshot").press("Enter")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    services.CURATIONS.run(Curation.objects.get().pk, clock=lambda: NOW)

    page.get_by_role("link", name="Show snapshot").click()
    page.get_by_role("link", name="View ledger").press("Enter")
    expect(page.get_by_text("42 documents read: 41 kept, 1 changed, 0 removed.")).to_be_visible()
    look_over(page, "curation-ledger")


def test_a_rule_is_sent_to_raters_and_measured(
    open_page: Opener,
    noor: User,
    day_shift: Pool,
    rosa: Rater,
    look_over: Callable[..., None],
) -> None:
    curation = services.start_curation(
        name="Web text",
        kind="text",
        recipe="text",
        filters={"licence": "CC0-1.0", "min_characters": 10},
        upload=upload_of(*web_pages()),
        makes_snapshot=False,
        by=noor,
        now=NOW,
    )
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)
    curation.refresh_from_db()
    page = open_page(f"/curations/{curation.pk}/rate/?rule={rule_of(curation)}", noor)
    look_over(page, "curation-rate")
    page.set_viewport_size({"width": 390, "height": 844})
    look_over(page, "curation-rate-phone")
    page.get_by_label("Removed documents").fill("4")
    page.get_by_label("Pool of raters").select_option(label=day_shift.name)
    page.get_by_role("button", name="Send to raters").press("Enter")
    expect(page.get_by_text("The documents were sent to raters.")).to_be_visible()
    for item in Item.objects.all():
        judge(item, rosa, lambda document: 1 + document.is_removed)
    page.reload()
    look_over(page, "curation-measured-phone")
    page.set_viewport_size({"width": 1440, "height": 900})
    look_over(page, "curation-measured")
