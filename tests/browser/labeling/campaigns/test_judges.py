"""AI judges in Chromium: the page and the form of a new one fit and are accessible, wide and on a
phone, light and dark; an admin stops a judge and starts it again.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign
from tests.training.judges.conftest import a_judge, a_model, judge, pairs, server, started, work
from tests.training.judges.judge_stub import JudgeStub, completion, data_of, error, shorter
from training.models import Judge

__all__ = ["judge", "pairs", "server"]
OpenPage = Callable[..., Page]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judged(judge: Judge, server: JudgeStub, noor: User, alice: User) -> Judge:
    """It flips on one pair and refuses another. A second one is refused by its server, a third one
    was never started.
    """
    first = judge.campaign.items.order_by("position")[0].prompt.messages[0]["content"]
    server.decide = lambda body: (
        completion("A") if data_of(body)["conversation"][0]["content"] == first else shorter(body)
    )
    work(at_most=6)
    server.decide = lambda _body: completion("CANNOT")
    work()
    server.decide = lambda _body: error(401, "The key is not valid.")
    started(a_judge(judge.campaign, a_model(server.url, noor, name="another"), alice), alice)
    work()
    a_judge(judge.campaign, a_model(server.url, noor, name="a third one"), alice)
    server.decide = shorter
    return judge


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_pass_axe_and_fit(
    open_page: OpenPage,
    judged: Judge,
    alice: User,
    look_over: Callable[..., None],
    width: int,
) -> None:
    page = open_page(f"/campaigns/{judged.campaign_id}/judges/", alice, width=width, refusals=1)
    expect(page.get_by_text("It judged 3 of 4 pairs")).to_be_visible()
    look_over(page, f"judges-{width}")
    page.get_by_role("link", name="Add judge").click()
    expect(page.get_by_label("Instructions")).to_be_visible()
    look_over(page, f"judge-new-{width}")
    page.get_by_role("button", name="Add judge").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    look_over(page, f"judge-new-refused-{width}")


def test_an_admin_stops_a_judge_and_starts_it_again(
    open_page: OpenPage, judged: Judge, alice: User
) -> None:
    page = open_page(f"/campaigns/{judged.campaign_id}/judges/", alice)
    page.get_by_role("button", name="Stop Judge 1").click()
    expect(page.get_by_text("Judge 1 stopped.")).to_be_visible()
    card = page.locator("section.card", has_text="Judge 1")
    card.get_by_label("Limit").fill("7.5")
    card.get_by_role("button", name="Start Judge 1").click()
    expect(page.get_by_text("Judge 1 started.")).to_be_visible()

    judged.refresh_from_db()
    assert (judged.state, judged.money_limit) == (Judge.State.RUNNING, 7_500_000)


def test_a_campaign_without_judges_says_what_one_is(
    open_page: OpenPage, pairs: Campaign, alice: User, look_over: Callable[..., None]
) -> None:
    page = open_page(f"/campaigns/{pairs.pk}/judges/", alice, width=390)

    expect(page.get_by_role("heading", name="No AI judges yet")).to_be_visible()
    look_over(page, "judges-none-390")
