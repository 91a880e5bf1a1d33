"""Importing answers by several raters in Chromium: the form, its preview, and kappa of every two
raters, in both themes and on a phone.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from labeling.models import Campaign
from labeling.quality import services as quality_services

OpenPage = Callable[..., Page]


def ratings(folder: Path) -> Path:
    """Six people's scores, topics and flags of thirty texts."""
    chance = random.Random(4)
    rows = []
    for item in range(30):
        for rater in ("ann", "bob", "cem", "dan", "eve", "fin"):
            score = min(5, max(1, item % 5 + chance.choice((0, 0, 1, 2))))
            topic = ("news", "prose")[(item + (chance.random() < 0.2)) % 2]
            toxic = "yes" if chance.random() < 0.2 else "no"
            text = f"Text number {item} about rivers and hills."
            rows.append(f"{item},{text},{rater},{score},{topic},{toxic}")
    file = folder / "ratings.csv"
    file.write_text("\n".join(["item,text,rater,quality,topic,toxic", *rows]))
    return file


@pytest.fixture
def rated(tmp_path: Path, transactional_db: None) -> Campaign:
    call_command("import_judgments", ratings(tmp_path), source="six people", licence="CC0-1.0")
    campaign = Campaign.objects.get()
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    return campaign


def test_the_import_of_answers_is_accessible_and_fits_a_phone(
    rated: Campaign,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
    tmp_path: Path,
) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text(
        "prompt,response_a,response_b,rater,winner\nName a river.,Elbe,No,ann,0\n"
        "Name a river.,Elbe,No,bob,1\n"
    )
    page = open_page("/campaigns/import/", alice)
    phone = open_page(
        "/campaigns/import/", alice, width=390, height=844, has_touch=True, is_mobile=True
    )
    too_wide = []

    def looked_at(name: str) -> None:
        for window in (page, phone):
            settled(window)
        look_over(page, name)
        screenshot(phone, f"{name}-phone", full_page=True)
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            too_wide.append(name)

    looked_at("answers-import")
    for window in (page, phone):
        window.set_input_files("[name=file]", votes)
        window.click("[name=preview]")
        window.wait_for_selector("[name=start]")
        window.fill("[name=campaign]", "Rivers")
        window.fill("[name=source_name]", "a crowd")
        window.fill("[name=licence]", "CC0-1.0")
    looked_at("answers-preview")
    for window in (page, phone):
        window.goto(f"/campaigns/{rated.pk}/agreement/")
    looked_at("answers-kappas")

    assert too_wide == []
