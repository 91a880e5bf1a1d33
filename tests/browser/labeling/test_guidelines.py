"""The guideline editor in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.models import Guideline

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [1440, 390])
def test_questions_are_lines_that_arrows_move(
    width: int,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[[Page, str], None],
) -> None:
    page = open_page("/guidelines/new/", alice, width=width)
    page.locator("#id_name").fill("Kind answers")
    page.locator("#id_text").fill("Be kind.")
    lines = page.locator("#questions summary [data-label]")
    expect(lines.first).to_have_text("Overall")
    look_over(page, f"guideline-edit-{width}")

    page.get_by_role("button", name="Move wrong task up").focus()
    page.keyboard.press("Enter")
    expect(lines.first).to_have_text("wrong task")
    expect(page.get_by_role("button", name="Move wrong task down")).to_be_focused()

    lines.nth(2).click()
    question = page.locator(".question").nth(2)
    question.get_by_label("Question", exact=True).fill("rude")
    expect(lines.nth(2)).to_have_text("rude")
    page.get_by_role("button", name="Create guideline").click()
    page.wait_for_url("**/versions/")

    version = Guideline.objects.get().versions.get()
    labels = [question.label for question in rating_form.parse(version.form).questions]
    assert labels[:3] == ["wrong task", "Overall", "rude"]


def test_a_guideline_for_writing_shows_no_rating_form(alice: User, open_page: OpenPage) -> None:
    page = open_page("/guidelines/new/", alice)
    expect(page.get_by_role("heading", name="Rating form")).to_be_visible()

    page.get_by_text("Write answers", exact=True).click()

    expect(page.get_by_role("heading", name="Rating form")).to_be_hidden()
