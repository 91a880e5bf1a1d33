"""German words are longer: pages still fit on a phone and a small laptop."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from labeling.models import Campaign, Rater
from tests.training import cast

OpenPage = Callable[..., Page]


def test_german_pages_fit_their_window(
    open_page: OpenPage,
    live_server: LiveServer,
    alice: User,
    noor: User,
    rosa: Rater,
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
) -> None:
    User.objects.update(language="de")
    of_alice = [
        "/campaigns/",
        "/campaigns/new/",
        "/people/",
        "/pools/new/",
        "/guidelines/new/",
        "/prompts/",
        "/audit/",
        "/quality/",
    ]
    of_alice += [
        f"/campaigns/{comparison_campaign.pk}/{part}"
        for part in ("", "items/", "set-up/", "export/", "quality/", "agreement/", "gold/")
    ]
    of_noor = [
        "/runs/",
        "/snapshots/new/",
        "/models/new/",
        "/suites/",
        "/suites/new/",
        "/schedules/",
    ]
    of_noor += ["/nodes/", "/profile/", "/snapshots/new/?kind=unpaired"]
    model = cast.a_model(noor)
    for kind in ("prompts", "unpaired"):
        cast.a_snapshot(noor, kind=kind)
    of_noor += [f"/models/{model.pk}/", f"/runs/{cast.a_ppo_run(noor).pk}/"]
    of_noor += [f"/runs/new/{kind}/" for kind in ("grpo", "kto", "ppo")]
    of_noor += [f"/schedules/new/{name}/" for name in ("best-of-n", "iterative-dpo-raters")]
    pages = {rosa: ["/desk/", "/my-work/", "/profile/"], alice: of_alice, noor: of_noor}

    too_wide = []
    for person, paths in pages.items():
        page = open_page(paths[0], person)
        for path in paths:
            page.goto(live_server.url + path)
            assert page.get_attribute("html", "lang") == "de"
            for width, height in ((390, 844), (1024, 700)):
                page.set_viewport_size({"width": width, "height": height})
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    too_wide.append((path, width))

    assert too_wide == []


def test_a_comparison_in_german_fits_a_small_laptop(
    open_page: OpenPage, rosa: Rater, comparison_campaign: Campaign
) -> None:
    User.objects.update(language="de")
    page = open_page("/desk/", rosa, width=1280, height=800)

    page.get_by_role("button", name="Beginnen").click()
    page.get_by_text("Ihre Rangfolge:").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_can_be_done_with_a_comparison_fits_a_phone(
    language: str, open_page: OpenPage, rosa: Rater, comparison_campaign: Campaign
) -> None:
    User.objects.update(language=language)
    page = open_page("/desk/", rosa, width=360, height=740)
    page.locator(".desk-open button").click()
    page.wait_for_selector(".desk[data-mounted]")

    ends = page.locator(".desk-do").evaluate(
        "(bar) => [...bar.children].map((each) => each.getBoundingClientRect().right)"
    )

    assert max(ends) <= 360 - 12
