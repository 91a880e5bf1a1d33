"""Scorecards in Chromium: accessible, within their window, and saved as a PNG."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import MOUNTED
from tests.training.benchmarks.scorecards import rows

Opener = Callable[..., Page]
PNG = b"\x89PNG\r\n\x1a\n"


def test_scorecards_are_accessible_and_fit(
    open_page: Opener, look_over_each: Callable[..., None], noor: User
) -> None:
    base, tuned, judge = rows.full_cards(noor)
    page = open_page("/models/scorecards/", noor)

    look_over_each(
        page,
        {
            "scorecards": "/models/scorecards/",
            "model-scored": f"/models/{tuned.pk}/",
            "scorecard": f"/models/{tuned.pk}/scorecard/",
            "scorecard-reward": f"/models/{judge.pk}/scorecard/",
            "scorecard-compare": (f"/models/scorecards/compare/?model={base.pk}&model={tuned.pk}"),
        },
        widths=(1440, 390),
    )


def test_models_are_selected_compared_and_saved_as_a_picture(open_page: Opener, noor: User) -> None:
    base, tuned, _judge = rows.full_cards(noor)
    page = open_page("/models/", noor)
    page.get_by_role("link", name="Scorecards").click()
    for model in (base, tuned):
        page.get_by_role("checkbox", name=f"Select {model.name}").check()
    page.get_by_role("button", name="Compare selected").click()
    expect(page.get_by_role("heading", name="Compare models")).to_be_visible()
    page.wait_for_function(MOUNTED)

    page.get_by_label("Suite", exact=True).select_option(label="Are you sure 1")
    expect(page.get_by_text("18 items of Are you sure 1 are scored differently.")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("link", name="PNG").click()
    assert saved.value.suggested_filename == "scorecard.png"
    assert saved.value.path().read_bytes().startswith(PNG)
