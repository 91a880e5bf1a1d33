"""The components in Chromium, in both themes and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User

Opener = Callable[..., Page]


def test_every_component_passes_axe_in_both_themes(
    open_page: Opener, alice: User, look_over: Callable[..., None]
) -> None:
    page = open_page("/styleguide/", alice)

    look_over(page, "styleguide")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_text_that_is_too_faint_in_one_theme_is_found_from_the_other(
    open_page: Opener, axe_clean: Callable[[Page], None], theme: str, db: None
) -> None:
    page = open_page("/account/login/")
    page.evaluate(
        """theme => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`@media (prefers-color-scheme: ${theme}) {
            h1 { color: #777 !important; background: #888; }
          }`);
          document.adoptedStyleSheets.push(sheet);
        }""",
        theme,
    )

    with pytest.raises(AssertionError, match=f"color-contrast in {theme}"):
        axe_clean(page)


@pytest.mark.parametrize(
    "wish", [{"contrast": "more"}, {"forced_colors": "active"}], ids=["contrast", "forced"]
)
def test_every_component_passes_axe_with_more_contrast(
    open_page: Opener, alice: User, look_over: Callable[..., None], wish: dict[str, Any]
) -> None:
    page = open_page("/styleguide/", alice, **wish)

    look_over(page, f"styleguide-{'-'.join(wish)}")


def test_the_login_page_passes_axe_in_both_themes(
    open_page: Opener, look_over: Callable[..., None], db: None
) -> None:
    page = open_page("/account/login/")

    look_over(page, "login")


@pytest.mark.parametrize(("name", "width", "height"), [("phone", 390, 844), ("tablet", 900, 1100)])
def test_nothing_is_wider_than_a_small_window(
    open_page: Opener,
    alice: User,
    look_over: Callable[..., None],
    name: str,
    width: int,
    height: int,
) -> None:
    page = open_page("/styleguide/", alice, width=width, height=height)

    look_over(page, f"styleguide-{name}")


def test_the_theme_chosen_in_the_menu_outlives_a_reload(open_page: Opener, alice: User) -> None:
    page = open_page("/profile/", alice)

    page.get_by_label("Account menu of Alice").click()
    page.get_by_label("Dark", exact=True).check()
    page.reload()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(19, 22, 21)"
    )


def test_the_menu_closes_on_escape_and_gives_the_focus_back(
    open_page: Opener, alice: User, look_over: Callable[..., None]
) -> None:
    page = open_page("/profile/", alice)
    menu = page.get_by_label("Account menu of Alice")
    menu.click()
    look_over(page, "profile-menu")

    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(menu).to_be_focused()


def test_a_question_mark_lists_the_keys_but_not_while_typing(
    open_page: Opener, alice: User
) -> None:
    page = open_page("/profile/", alice)
    page.locator("#id_name").press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.locator("body").click(position={"x": 700, "y": 850})
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_the_people_pages_pass_axe(
    open_page: Opener, alice: User, noor: User, look_over: Callable[..., None]
) -> None:
    page = open_page("/people/", alice)
    look_over(page, "people")
    for name, path in {"person-new": "/people/new/", "person": f"/people/{noor.pk}/"}.items():
        page.goto(path)
        look_over(page, name)


def test_an_uninvited_address_says_so_in_the_same_shell(
    open_page: Opener, alice: User, screenshot: Callable[..., Any], live_server: object
) -> None:
    page = open_page("/profile/", alice)
    page.evaluate("document.title")

    response = page.request.get("/nothing-here/")

    assert response.status == 404
    assert "There is no page at this address" in response.text()
