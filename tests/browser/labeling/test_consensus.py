"""The consensus of an item's judgments, and the strength of sources, in Chromium: both themes, a
phone, accessibility.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from labeling.data.exports import shapes
from labeling.models import Campaign, Guideline, Import, Pool, Response, Source
from labeling.quality import services as quality_services
from tests.browser.labeling.test_quality import judge_everything
from tests.cast import open_comparison_campaign, rater_called

OpenPage = Callable[..., Page]


@pytest.fixture
def compared(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    """Twenty items of four responses by three sources, and a fourth source that always comes last;
    three raters guess.
    """
    chance = random.Random(5)
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=20, overlap=6, name="Autumn models"
    )
    for number, name in enumerate(("helper-7b, September", "helper-7b, July", "helper-7b, March")):
        source = Source.objects.create(name=name, kind=Source.Kind.MODEL)
        Response.objects.filter(number=number).update(source=source)
    for number, noise in enumerate((0.5, 0.6, 0.7, 4, 5, 6)):
        judge_everything(
            campaign, rater_called(f"Rater {number}", pool=day_shift), noise=noise, chance=chance
        )
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    return campaign


@pytest.fixture
def imported(tmp_path: Path, transactional_db: None) -> Import:
    """Fifteen pairs of two models' answers, and five people's votes on each."""
    chance = random.Random(3)
    texts = {
        "model_x": "old",
        "result_x": "Yes.",
        "model_y": "new",
        "result_y": "Yes, and here is why.",
    }
    pairs = [
        json.dumps({"id": number, "text": f"Is {number} a number?", **texts})
        for number in range(15)
    ]
    votes = [
        f"{number},{worker},{chance.choice(('right', 'right', 'left', 'tie'))}"
        for number in range(15)
        for worker in "abcde"
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(pairs))
    (tmp_path / "votes.csv").write_text("\n".join(["id,worker,winner", *votes]))
    call_command(
        "import_judgments",
        tmp_path / "votes.csv",
        pairs=tmp_path / "pairs.jsonl",
        source="a crowd",
        licence="CC0-1.0",
    )
    return Import.objects.get()


def pages_of_import(batch: Import) -> dict[str, str]:
    return {
        "import": f"/prompts/imports/{batch.pk}/",
        "import-agreement": f"/prompts/imports/{batch.pk}/agreement/",
    }


def pages(campaign: Campaign) -> dict[str, str]:
    overruled = next(
        row["item"] for row in shapes.records("consensus") if row["majority"] != row["consensus"]
    )
    return {
        "strengths": f"/campaigns/{campaign.pk}/",
        "consensus-item": f"/campaigns/{campaign.pk}/items/{overruled}/",
        "consensus-review": f"/campaigns/{campaign.pk}/review/{overruled}/",
        "consensus-export": f"/campaigns/{campaign.pk}/export/",
    }


def unfold(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('#consensus details').forEach((details) => { details.open ="
        " true; })"
    )


def test_consensus_and_strengths_are_accessible_and_fit_a_phone(
    compared: Campaign,
    imported: Import,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
) -> None:
    page = open_page("/quality/", alice)
    phone = open_page("/quality/", alice, width=390, height=844, has_touch=True, is_mobile=True)
    too_wide = []
    for name, address in (pages(compared) | pages_of_import(imported)).items():
        for window in (page, phone):
            window.goto(address)
            settled(window)
            unfold(window)
        look_over(page, name)
        screenshot(phone, f"{name}-phone", full_page=True)
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            too_wide.append(name)

    assert too_wide == []
