"""Upsetting content stays covered for eyes, keys and screen readers until somebody shows it."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from labeling.models import Campaign, Prompt, Rater
from labeling.people.content_settings import services as content_settings_services
from tests.browser.desk.hands import OpenPage, begin, focused, press

REACHABLE = (
    "() => [...document.querySelectorAll('[data-prompt-text] > *, [data-text] > *')].some((el) =>"
    " !el.inert)"
)


@pytest.fixture
def upsetting(rosa: Rater, comparing: Campaign) -> Campaign:
    Prompt.objects.update(sensitive=["violence"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    return comparing


def test_covered_texts_are_out_of_reach_until_they_are_shown(
    open_page: OpenPage, rosa: Rater, upsetting: Campaign
) -> None:
    page = begin(open_page, rosa)
    assert focused(page) == "/SUMMARY"
    assert not page.evaluate(REACHABLE)

    press(page, "Enter")
    page.wait_for_function(REACHABLE)
    press(page, "Enter")

    page.wait_for_function(f"() => !({REACHABLE})()")


def test_the_editor_does_not_open_before_the_text_is_shown(
    open_page: OpenPage, rosa: Rater, upsetting: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.locator("#response-A [data-text]").focus()

    press(page, "1", "w")
    expect(page.locator("#edit")).to_be_hidden()
    assert focused(page) == "/SUMMARY"
    press(page, "Enter", "w")

    expect(page.locator("#edit")).to_be_visible()
