"""An admin decides an order and makes it a gold; a rater gets it and sees the result. Both themes,
and a phone.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, Gold, Guideline, Judgment, Pool, Rater, Slot
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.review.services import Remark
from tests.browser.desk.hands import rank_all, rate_all
from tests.cast import open_comparison_campaign, rater_called

OpenPage = Callable[..., Page]
RIGHT, WRONG = [0, 1, 2, 3], [3, 2, 1, 0]


def judge(campaign: Campaign, rater: Rater, orders: list[list[int]]) -> list[Judgment]:
    given = []
    for number, order in enumerate(orders):
        now = timezone.now() - timedelta(hours=2) + timedelta(minutes=number)
        slot = claim.claim(campaign=campaign, rater=rater, now=now)
        assert slot is not None
        assert slot.lease is not None
        ranks: dict[int, int | None] = {
            place: order.index(response.number) + 1
            for place, response in enumerate(claiming_order.presented(slot))
        }
        ratings = {place: {"overall": 4} for place in ranks}
        given.append(
            submit.submit(
                lease=slot.lease,
                rater=rater,
                answer=ComparisonAnswer(ranks=ranks, ratings=ratings, reason="By the sums."),
                recorded=Recorded(active_s=45),
                now=now,
            )
        )
    return given


@pytest.fixture
def campaign(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    """Two raters reversed the second item; half of the items may be golds, and feedback is on."""
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=6, overlap=3, name="Helpful answers"
    )
    values = {"gold_share": 50, "gold_feedback": True, "review_share": 100, "gold_min": 3}
    gold_services.set_golds(campaign=campaign, values=values, by=None, now=timezone.now())
    judge(campaign, rater_called("Raul", pool=day_shift), [RIGHT, RIGHT, RIGHT])
    judge(campaign, rater_called("Rita", pool=day_shift), [RIGHT, WRONG, [1, 0, 2, 3]])
    return campaign


def test_a_decided_order_becomes_a_gold_that_a_rater_meets_and_is_scored_by(
    campaign: Campaign, rosa: Rater, alice: User, open_page: OpenPage
) -> None:
    page = open_page(f"/campaigns/{campaign.pk}/review/", alice)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.wait_for_selector(".review[data-mounted]")
    for letter, digit in zip(
        "abcd", "1234", strict=True
    ):  # by keys alone: the letter goes to its rank, the digit sets it
        page.keyboard.press(letter)
        page.keyboard.press(digit)
    page.get_by_text("rater error").click()
    page.get_by_label("Why this ranking is right").fill("By the sums.")
    page.get_by_label("Make this ranking a gold item").check()
    page.get_by_label("Make this ranking a gold item").press("Control+Enter")
    expect(page.get_by_text("Saved. Raters see their feedback")).to_be_visible()
    gold = Gold.objects.get()

    slot = next_gold(campaign, rosa)
    desk = open_page(f"/desk/item/{slot.lease}/", rosa)
    assert "gold" not in desk.content().lower()
    right = {row.response_id: row.rank for row in gold.ranks.all()}
    desk.wait_for_selector(".desk[data-mounted]")
    rate_all(desk, 4, 4, 4, 4)
    rank_all(desk, *(right[response.pk] or 0 for response in claiming_order.presented(slot)))
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("[data-review]")).to_contain_text("›")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_url(lambda url: str(slot.lease) not in url)

    desk.goto("/my-work/")
    expect(desk.get_by_text("100 % of 1 check passed")).to_be_visible()
    page.goto(f"/campaigns/{campaign.pk}/gold/")
    row = page.get_by_role("row", name=rosa.alias)  # one answer has no interval, so no figure
    expect(row.get_by_role("cell").nth(1)).to_have_text("1 of 1")


def next_gold(campaign: Campaign, rater: Rater) -> Slot:
    for _turn in range(6):
        slot = claim.claim(campaign=campaign, rater=rater, now=timezone.now())
        assert slot is not None
        if slot.is_gold:
            return slot
        judge(campaign, rater, [RIGHT])
    raise AssertionError("no gold came")


def test_the_pages_are_accessible(
    campaign: Campaign,
    day_shift: Pool,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
) -> None:
    rosa = staged(campaign, day_shift, alice)
    item = campaign.items.order_by("position")[1]
    pages = {
        "review": (f"/campaigns/{campaign.pk}/review/", alice),
        "review-item": (f"/campaigns/{campaign.pk}/review/{item.pk}/?names=shown", alice),
        "gold": (f"/campaigns/{campaign.pk}/gold/", alice),
        "appeals": ("/appeals/", alice),
        "guideline-gaps": (f"/guidelines/{campaign.guideline_id}/versions/", alice),
        "my-work-reviews": ("/my-work/", rosa),
    }
    windows: dict[object, Page] = {each: open_page("/profile/", each) for each in (alice, rosa)}
    for name, (address, person) in pages.items():
        page = windows[person]
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        look_over(page, f"{name}")
        page.set_viewport_size({"width": 390, "height": 844})
        look_over(page, f"{name}-phone")


def staged(campaign: Campaign, pool: Pool, alice: User) -> Rater:
    """Golds in use and suspect, a rater who failed them, reviews and an appeal."""
    now = timezone.now()
    items = list(campaign.items.order_by("position"))
    for item in items[3:6]:
        ranks: dict[int, int | None] = {
            response.pk: response.number + 1 for response in item.responses.all()
        }
        gold_services.make_gold(
            item=item,
            ranks=ranks,
            origin=Gold.Origin.EXPERT,
            note="By the sums.",
            by=alice,
            now=now,
        )
    rosa = rater_called("Rosa", pool=pool)
    for _turn in range(5):
        slot = claim.claim(campaign=campaign, rater=rosa, now=now)
        if slot is None:
            break
        judge(campaign, rosa, [WRONG if slot.is_gold else RIGHT])
    given = rosa.judgments.filter(is_gold=False).order_by("pk")[0]
    assert given.item is not None
    review_services.adjudicate(
        item=given.item,
        ranks={response.pk: response.number + 1 for response in given.item.responses.all()},
        reason="guideline_gap",
        note="The guideline does not say whether sums or words count.",
        remarks={given.pk: Remark(feedback="The sums come first here; the guideline will say so.")},
        by=alice,
        now=now,
    )
    review = given.review
    review_services.appeal(review=review, text="The guideline puts the wording first.", now=now)
    return rosa
