"""Takes the README's screenshots: the desk of a fresh demo and, with --loop-home, the PPO run of a loop that was kept.

A loop is kept with: make loop ARGS="--home FOLDER"
"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import browser
import local_site
import services
import simulated_raters
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = local_site.ROOT / "docs" / "images"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop-home", type=Path, help="the folder of a loop that was kept")
    arguments = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        with tempfile.TemporaryDirectory(prefix="preferably-screenshots-") as home, site_in(Path(home), "seed_demo") as site:
            take_desk(signed_in(chromium, site, "rater@demo.example", "write-and-compare"))
        if arguments.loop_home:
            with site_in(arguments.loop_home.absolute(), "migrate") as site:
                take_run(signed_in(chromium, site, "researcher@loop.example", simulated_raters.PASSWORD))


@contextlib.contextmanager
def site_in(home: Path, prepare: str) -> Iterator[local_site.LocalSite]:
    site = local_site.LocalSite(home=home, port=services.free_port(), database=f"sqlite:///{home / 'preferably.sqlite3'}")
    with local_site.process_tree(site):
        local_site.start_broker(site)
        local_site.manage(site, prepare)
        local_site.start_site(site)
        yield site


def signed_in(chromium: Browser, site: local_site.LocalSite, email: str, password: str) -> Page:
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light", base_url=site.address)
    page.goto("/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click("form:has([name=password]) button:not([hidden])")
    page.wait_for_load_state("networkidle")
    return page


def take_desk(page: Page) -> None:
    page.goto("/desk/")
    page.click("li:has-text('Comparing responses') button")
    page.wait_for_selector("#answer")
    for letter, rank, overall in [("A", "2", "4"), ("B", "1", "6"), ("C", "3", "2"), ("D", "2", "4")]:
        page.select_option(f"#rank-{letter}", rank)
        page.check(f"input[name=rate-{letter}-overall][value='{overall}']", force=True)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / "desk.png")


def take_run(page: Page) -> None:
    page.goto("/runs/")
    page.click("main table a:has-text('PPO model')")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / "run.png")


if __name__ == "__main__":
    main()
