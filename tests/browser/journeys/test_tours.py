"""A tour as a new person takes it: by keys alone, with its subject outlined, also on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.shell.tours import TOURS
from labeling.models import Campaign, Rater
from tests.browser.test_by_keys_alone import COVERED, go_to

OpenPage = Callable[..., Page]
FOCUS = "document.activeElement.className"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def newcomer(rosa: Rater, comparison_campaign: Campaign) -> User:
    """Rosa before she has seen a tour."""
    assert rosa.user is not None
    User.objects.filter(pk=rosa.user.pk).update(ended_rater_tour=False)
    return rosa.user


def outlined(page: Page) -> list[bool]:
    """For everything that is outlined, whether it begins in the window."""
    begins: list[bool] = page.evaluate(
        """() => [...document.querySelectorAll("[data-outlined-by-tour]")].map((el) => {
          const {top, width} = el.getBoundingClientRect();
          return width > 0 && top > 0 && top < innerHeight;
        })"""
    )
    return begins


@pytest.mark.parametrize("width", [1440, 390])
def test_a_rater_takes_the_tour_by_keys_alone(
    width: int, newcomer: User, open_page: OpenPage
) -> None:
    page = open_page("/desk/", newcomer, width=width)
    assert page.evaluate(FOCUS) == "", "An offer takes no focus."
    go_to(page, "Start tour")
    page.keyboard.press("Enter")

    for number, stop in enumerate(TOURS["rater"].stops, start=1):
        card = page.get_by_role("region", name=str(stop.title))
        expect(card).to_be_focused()
        expect(card).to_contain_text(f"{number} of 5")
        assert outlined(page) == [True], stop.url_name
        assert page.evaluate(COVERED) == []
        go_to(page, "Next" if number < 5 else "Finish")
        page.keyboard.press("Enter")

    expect(page.locator(".toast")).to_contain_text("opens the tour again")
    assert page.url.endswith("/my-data/")
    page.goto("/desk/")
    expect(page.locator(".tour")).to_have_count(0)


def test_escape_first_closes_what_is_open_and_then_ends_the_tour(
    newcomer: User, open_page: OpenPage
) -> None:
    page = open_page("/my-work/?tour=rater-3", newcomer)
    card, menu = page.locator(".tour"), page.locator("details.menu")
    page.get_by_label("Account menu").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(card).to_be_visible()

    page.keyboard.press("Escape")

    expect(card).to_have_count(0)
    assert page.url.endswith("/my-work/")
    newcomer.refresh_from_db()
    assert newcomer.ended_rater_tour


def test_a_field_that_takes_the_focus_by_itself_leaves_it_to_the_tour(
    alice: User, open_page: OpenPage
) -> None:
    page = open_page("/campaigns/new/?tour=admin-2", alice)

    expect(page.get_by_role("region", name="A new campaign")).to_be_focused()


def test_a_tour_works_without_scripts(newcomer: User, open_page: OpenPage) -> None:
    page = open_page("/desk/", newcomer, java_script_enabled=False)
    page.get_by_role("link", name="Start tour").click()
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Back").click()
    expect(page.locator(".tour")).to_contain_text("1 of 5")

    page.get_by_role("button", name="End tour").click()

    expect(page.locator(".tour")).to_have_count(0)


def test_offers_and_stops_are_for_everybody(
    newcomer: User, alice: User, noor: User, open_page: OpenPage, look_over: Callable[..., None]
) -> None:
    User.objects.update(ended_admin_tour=False, ended_researcher_tour=False)
    for role, person in {"rater": newcomer, "admin": alice, "researcher": noor}.items():
        page = open_page("/", person)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto("/")
            look_over(page, f"tour-{role}-{width}")
            page.get_by_role("link", name="Start tour").click()
            look_over(page, f"tour-{role}-1-{width}")
