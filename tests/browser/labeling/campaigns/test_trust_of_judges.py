"""Trust in an AI judge in Chromium: the table of its looks fits and is accessible, wide and on a
phone, light and dark, and an admin begins looks by the form.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Rater
from tests.training.judges.conftest import server
from tests.training.judges.test_trust import LATER, drawn, judge, many, rosa, vote
from training.judges import trust
from training.models import Judge

__all__ = ["judge", "many", "rosa", "server"]
OpenPage = Callable[..., Page]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [1440, 390])
def test_trust_passes_axe_and_fits(
    open_page: OpenPage,
    judge: Judge,
    rosa: Rater,
    alice: User,
    look_over: Callable[..., None],
    width: int,
) -> None:
    page = open_page(f"/campaigns/{judge.campaign_id}/judges/", alice, width=width)
    page.get_by_label("Wanted agreement with people").fill("80")
    look_over(page, f"judges-trust-form-{width}")
    page.get_by_role("button", name="Begin looks Judge 1").click()
    expect(page.get_by_text("Not trusted yet")).to_be_visible()
    vote(rosa, drawn(judge), agrees=lambda: True)
    trust.advance(now=LATER)
    page.reload()
    expect(page.get_by_text("It is trusted in 1 of 1 part")).to_be_visible()
    look_over(page, f"judges-trust-{width}")
