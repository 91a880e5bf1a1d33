"""The desk without JavaScript."""

import re

from playwright.sync_api import expect

from labeling.models import Campaign, Judgment, Rater
from tests.browser.desk.hands import OpenPage, begin


def test_a_comparison_is_judged_without_javascript(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, java_script_enabled=False)
    first = page.url
    for letter, rank, score in (("A", "1", "6"), ("B", "2", "5"), ("C", "2", "5"), ("D", "4", "2")):
        card = page.locator(f"#response-{letter}")
        card.locator("select").select_option(rank)
        card.locator(f"[type=radio][value='{score}']").check()
    page.get_by_label("Reason").fill("A explains it")

    page.get_by_role("button", name="Review").last.click()
    expect(page.locator("[data-review]")).to_contain_text("A › B = C › D")
    page.get_by_role("button", name=re.compile("^Submit anyway")).click()

    assert page.url != first
    assert Judgment.of_people.get().comparison.reason == "A explains it"


def test_an_answer_is_written_and_an_item_skipped_without_javascript(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa, java_script_enabled=False)
    page.get_by_role("textbox", name="Your answer").fill(
        "Yeast gives off gas and gluten holds it. " * 4
    )
    page.get_by_role("button", name="Review").last.click()
    page.get_by_role("button", name=re.compile("^Submit$")).click()

    page.get_by_label("Technical problem").check()
    page.get_by_role("button", name="Skip").click()

    assert Judgment.of_people.count() == 1
    assert rosa.passes.count() == 1
