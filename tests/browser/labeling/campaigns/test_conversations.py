"""An admin's pages of conversations, and the form for a campaign of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.cast import some_prompts
from tests.labeling.desk.conversations.talking import (
    conversation_with_a_failure,
    model_source,
)

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_list_and_a_conversation_fit_and_are_accessible(
    open_page: OpenPage,
    look_over_each: Callable[..., None],
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
) -> None:
    talked = conversation_with_a_failure(pool=day_shift, guideline=guideline, rater=rosa)
    campaign = f"/campaigns/{talked.item.campaign_id}/"
    page = open_page(campaign, alice)

    look_over_each(
        page,
        {
            "conversations": f"{campaign}conversations/",
            "conversation-record": f"{campaign}conversations/{talked.pk}/",
        },
        widths=(1440, 390),
    )


def test_a_campaign_is_set_up_with_a_weight_for_each_model(
    open_page: OpenPage,
    look_over: Callable[[Page, str], None],
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
) -> None:
    some_prompts(2)
    for name in ("first", "second"):
        model_source(name)
    page = open_page("/campaigns/new/", alice, width=390)

    page.get_by_label("Name").fill("Talk")
    page.get_by_text("Talk with models").click()
    page.get_by_role("checkbox", name="first").check()
    page.get_by_role("checkbox", name="second").check()
    page.get_by_label("Weight of second").fill("3")
    look_over(page, "conversation-form-390")
    page.get_by_role("button", name="Create campaign").click()

    expect(page.get_by_role("link", name="Conversations", exact=True)).to_be_visible()
    shares = Campaign.objects.get().conversation_plan.sources.order_by("source__name")
    assert list(shares.values_list("source__name", "weight")) == [("first", 1), ("second", 3)]
