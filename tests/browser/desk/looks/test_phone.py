"""A comparison on a phone, by touch only, from the start to the next item."""

from playwright.sync_api import Page, expect

from labeling.models import Campaign, Judgment, Rater
from tests.browser.desk.hands import OpenPage, begin, line


def judge(page: Page, letter: str, *, overall: int, rank: int) -> None:
    """To the response by its tab, a score, and its rank."""
    page.locator(f"[data-tab={letter}]").tap()
    card = page.locator(f"#response-{letter}")
    expect(card).to_be_visible()
    assert page.locator(".desk-response:visible").count() == 1
    card.locator("[data-control=scale] label", has_text=str(overall)).tap()
    card.locator("select").select_option(str(rank))


def test_a_comparison_is_judged_and_submitted_on_a_phone(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, width=360, height=740, has_touch=True, is_mobile=True)
    first = page.url

    judge(page, "A", overall=5, rank=2)
    judge(page, "B", overall=6, rank=1)
    judge(page, "C", overall=5, rank=2)
    judge(page, "D", overall=2, rank=4)
    page.locator("#response-D .flag", has_text="hallucinated").tap()
    assert line(page) == "B › A = C › D"
    assert page.locator("[data-tab]").all_text_contents() == ["A · 2", "B · 1", "C · 2", "D · 4"]
    page.get_by_role("button", name="Review").tap()
    expect(page.locator("[data-review]")).to_contain_text("B › A = C › D")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("[data-review]").get_by_role("button", name="Submit", exact=False).first.tap()
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.of_people.get()
    given = judgment.comparison.ranked.order_by("position")
    assert [row.rank for row in given] == [2, 1, 2, 3]
    assert [row.ratings["overall"] for row in given] == [5, 6, 5, 2]
    assert [row.ratings.get("hallucination") for row in given] == [None, None, None, True]
    assert judgment.presentation["viewport"][0] == 360
    page.wait_for_selector(".desk[data-mounted]")
    expect(page.locator("#response-A")).to_be_visible()
    assert line(page) == ""
