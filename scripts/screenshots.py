"""Takes the pictures in docs/images: the rater's screens in a fresh demo, each wide, dark and on a
phone; conversations, for which the demo's model is made; and with --loop-home the reward model's
run of an earlier loop; and the line of models of the recorded demo. --only conversations or --only
line takes only those.

To keep a loop: make loop ARGS="--home FOLDER"
"""

import argparse
import base64
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import browser
import local_site
import services
import simulated_raters
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = local_site.ROOT / "docs" / "images"
MOST_BYTES = 100_000
"""Per image, so that the page loads on a slow connection."""
PATIENCE_MS = 300_000
ANSWER = (
    "The first tram hums through streets still blue,\n"
    "its windows gold, its seats but few;\n"
    "a baker nods, a cat looks on,\n"
    "and where it passed the night is gone.\n"
)


@dataclass(frozen=True)
class View:
    """A window size with its theme and input."""

    name: str
    width: int
    height: int
    theme: Literal["light", "dark"]
    is_touched: bool = False


RATER = ("rater@demo.example", "write-and-compare")
ADMIN = ("admin@demo.example", "run-the-pools")
RESEARCHER = ("researcher@demo.example", "train-the-model")
WIDE = View("wide", 1440, 900, "light")
VIEWS = (WIDE, View("dark", 1440, 900, "dark"), View("phone", 390, 844, "light", is_touched=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop-home", type=Path, help="the folder of a loop that was kept")
    parser.add_argument("--only", choices=["conversations", "line"])
    arguments = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        if arguments.only != "line":
            with temporary_home() as home, site_in(home, "seed_demo") as site:
                for view in VIEWS if not arguments.only else ():
                    page = signed_in(chromium, site, *RATER, view)
                    for name, show in SCREENS.items():
                        show(page)
                        picture(page, f"{name}-{view.name}")
                    page.context.close()
                local_site.manage(site, "add_demo_model", "--with-conversations")
                take_conversations(chromium, site)
        if arguments.only != "conversations":
            with temporary_home() as home, site_in(home, "seed_demo", "--recorded") as site:
                page = signed_in(chromium, site, *RESEARCHER, WIDE)
                page.goto("/lines/")
                page.get_by_text("Not now", exact=True).click()
                page.goto("/lines/")
                picture(page, "line")
        if arguments.loop_home:
            with site_in(arguments.loop_home.absolute(), "migrate") as site:
                page = signed_in(
                    chromium, site, "researcher@loop.example", simulated_raters.PASSWORD, WIDE
                )
                show_run(page)
                picture(page, "run")


def take_conversations(chromium: Browser, site: local_site.LocalSite) -> None:
    """A turn and the message after it, for raters; the same conversation and the form, for
    admins.
    """
    page = signed_in(chromium, site, *RATER, WIDE)
    show_turn(page)
    picture(page, "conversation-turn")
    show_message(page)
    picture(page, "conversation-message")
    page = signed_in(chromium, site, *ADMIN, WIDE)
    show_conversation(page)
    picture(page, "conversation-record")
    show_conversation_form(page)
    picture(page, "conversation-form")


@contextlib.contextmanager
def temporary_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="preferably-screenshots-") as name:
        yield Path(name)


@contextlib.contextmanager
def site_in(home: Path, *prepare: str) -> Iterator[local_site.LocalSite]:
    site = local_site.LocalSite(
        home=home, port=services.free_port(), database=f"sqlite:///{home / 'preferably.sqlite3'}"
    )
    with local_site.process_tree(site):
        local_site.start_broker(site)
        local_site.manage(site, *prepare)
        local_site.start_site(site)
        yield site


def signed_in(
    chromium: Browser, site: local_site.LocalSite, email: str, password: str, view: View
) -> Page:
    context = chromium.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.theme,
        has_touch=view.is_touched,
        reduced_motion="reduce",
        base_url=site.address,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click("form:has([name=password]) button:not([hidden])")
    page.wait_for_load_state("networkidle")
    return page


def picture(page: Page, name: str) -> None:
    """The best WebP that fits into MOST_BYTES. Chromium encodes it, because Playwright cannot."""
    page.wait_for_load_state("networkidle")
    chromium = page.context.new_cdp_session(page)
    for quality in range(90, 20, -10):
        taken = chromium.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        content = base64.b64decode(taken["data"])
        if len(content) < MOST_BYTES:
            break
    (IMAGES / f"{name}.webp").write_bytes(content)


# --- the screens, in order on one desk: each starts from the state that the last one left ---------
def show_desk(page: Page) -> None:
    page.goto("/desk/")


def take_item(page: Page, campaign: str) -> None:
    page.goto("/desk/")
    page.click(f"li:has-text('{campaign}') :is(button, a.button)")
    page.wait_for_selector(".desk[data-mounted]")


def show_comparing(page: Page) -> None:
    take_item(page, "Comparing responses")
    for letter, rank, overall in [
        ("A", "2", "4"),
        ("B", "1", "6"),
        ("C", "3", "2"),
        ("D", "2", "4"),
    ]:
        # A phone shows one response at a time.
        page.locator(f"[data-tab={letter}]").dispatch_event("click")
        page.select_option(f"#rank-{letter}", rank)
        # By script: on a phone the bar at the foot may cover it until one scrolls.
        rating = page.locator(f"input[name=rate-{letter}-overall][value='{overall}']")
        rating.evaluate("(radio) => radio.click()")
    page.locator("[data-tab=B]").dispatch_event("click")
    page.wait_for_selector("[data-saved]:not(:empty)", state="attached")


def show_review(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-review]")


def show_skipping(page: Page) -> None:
    page.keyboard.press("Escape")
    page.locator("[data-do=skip]").first.click()
    page.wait_for_selector("dialog[open]")


def show_writing(page: Page) -> None:
    take_item(page, "Writing a demonstration")
    page.fill("#text", ANSWER)
    page.wait_for_selector("[data-saved]:not(:empty)", state="attached")


def show_guideline(page: Page) -> None:
    page.locator("[data-do=guideline]:visible").first.click()
    page.wait_for_selector("#guideline-panel article, #guideline-panel h2", state="attached")


def show_my_work(page: Page) -> None:
    """With one more answer than before: the comparison whose draft is kept."""
    take_item(page, "Comparing responses")
    show_review(page)
    item = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != item)
    page.goto("/my-work/")


def show_my_care(page: Page) -> None:
    page.goto("/my-care/")


def show_turn(page: Page) -> None:
    page.goto("/desk/")
    page.click("li:has-text('Talking with a model') :is(button, a.button)")
    page.click("button:has-text('Start conversation')")
    page.wait_for_selector(".desk[data-mounted]")
    page.wait_for_selector("[data-preference]")
    for letter, overall in [("A", "5"), ("B", "3")]:
        page.locator(f"input[name=rate-{letter}-overall][value='{overall}']").check(force=True)
    page.locator("[name=preference][value='A2']").check(force=True)
    page.wait_for_selector("[data-saved]:not(:empty)", state="attached")


def show_message(page: Page) -> None:
    page.click("button:has-text('Continue')")
    # It was rated faster than people read.
    page.click("button:has-text('Submit anyway')")
    page.wait_for_selector("#id_text")
    page.fill("#id_text", "Can you say that with an example?")
    page.wait_for_selector("[data-saved]:not(:empty)", state="attached")


def show_conversation(page: Page) -> None:
    page.goto("/campaigns/")
    page.click("main table a:has-text('Talking with a model')")
    page.click("nav.tabs a:has-text('Conversations')")
    page.click("main table th a")


def show_conversation_form(page: Page) -> None:
    page.goto("/campaigns/new/")
    page.click("label:has-text('Talk with models')")
    page.locator("table.model-shares input[type=checkbox]").first.check()
    page.locator(".conversations-only").scroll_into_view_if_needed()
    page.locator(".conversations-only h2").evaluate("(el) => el.scrollIntoView()")


SCREENS: dict[str, Callable[[Page], None]] = {
    "desk": show_desk,
    "comparing": show_comparing,
    "review": show_review,
    "skipping": show_skipping,
    "writing": show_writing,
    "guideline": show_guideline,
    "my-work": show_my_work,
    "upsetting": show_my_care,
}


def show_run(page: Page) -> None:
    page.goto("/runs/")
    page.click("main table a:has-text('Reward model')")


if __name__ == "__main__":
    main()
