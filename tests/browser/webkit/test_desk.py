"""The desk and pages of each role in WebKit."""

from collections.abc import Sequence

from django.utils import timezone
from selenium.webdriver.common.keys import Keys

from accounts.models import User
from labeling.models import Campaign, Draft, Judgment, Rater
from labeling.queue.claiming import claim
from tests.browser.desk.hands import WRITTEN
from tests.browser.webkit.conftest import Window
from tests.training import cast

REVIEW = "document.querySelector('[data-review]')?.checkVisibility()"
DRAFT = "document.querySelector('.desk textarea').value"


def begin(window: Window, rater: Rater) -> str:
    slot = claim.claim(campaign=Campaign.objects.get(), rater=rater, now=timezone.now())
    assert slot is not None
    window.log_in(rater)
    window.open(f"/desk/item/{slot.lease}/")
    return window.driver.current_url


def submit(window: Window, first: str) -> None:
    window.press_with(Keys.CONTROL, Keys.ENTER)
    window.wait(lambda: window.evaluate(REVIEW))
    window.press_with(Keys.CONTROL, Keys.ENTER)
    window.wait(lambda: window.driver.current_url != first)


def test_a_comparison_is_judged_by_keys_alone(
    window: Window, rosa: Rater, comparing: Campaign
) -> None:
    first = begin(window, rosa)

    window.press(Keys.ARROW_DOWN)
    for score in "6552":
        window.press(score, Keys.ARROW_RIGHT)
    window.evaluate("document.querySelector('[data-text]').focus()")
    window.press("1", "2", "2", "4")
    assert window.evaluate("document.querySelector('[data-line]').innerText") == "A › B = C › D"
    submit(window, first)

    ranked = Judgment.of_people.get().comparison.ranked.order_by("position")
    assert [(response.rank, response.ratings) for response in ranked] == [
        (1, {"overall": 6}),
        (2, {"overall": 5}),
        (2, {"overall": 5}),
        (3, {"overall": 2}),
    ]


def test_what_was_typed_is_there_after_a_reload_and_can_be_submitted(
    window: Window, rosa: Rater, writing: Campaign
) -> None:
    first = begin(window, rosa)

    window.press(WRITTEN)
    window.wait(lambda: WRITTEN.strip() in str(Draft.objects.values().first()))
    window.open(first.removeprefix(window.address))
    assert str(window.evaluate(DRAFT)).strip() == WRITTEN.strip()
    submit(window, first)

    assert Judgment.of_people.get().demonstration.text.strip() == WRITTEN.strip()


def test_pages_fit_a_small_laptop_and_a_narrow_window(
    window: Window, alice: User, noor: User, rosa: Rater, comparison_campaign: Campaign
) -> None:
    campaign = f"/campaigns/{comparison_campaign.pk}/"
    pages: dict[User | Rater, Sequence[str]] = {
        rosa: ["/desk/", "/my-work/", "/profile/"],
        alice: ["/campaigns/", "/campaigns/new/", campaign, f"{campaign}items/", "/people/"],
        noor: ["/runs/", f"/models/{cast.a_model(noor).pk}/", f"/runs/{cast.a_ppo_run(noor).pk}/"],
    }
    too_wide = []
    for person, paths in pages.items():
        window.log_in(person)
        for width in (1280, 480):
            window.driver.set_window_size(width, 900)
            for path in paths:
                window.open(path)
                assert window.driver.current_url.endswith(path)
                if window.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                    too_wide.append(f"{path} at {width}")
    assert not too_wide
