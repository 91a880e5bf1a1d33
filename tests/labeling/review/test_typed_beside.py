"""A decision that is typed while a button beside one answer is pressed."""

from html import unescape

import form_browser
import pytest

from accounts.models import User
from labeling.models import Adjudication, Campaign, Judgment
from labeling.review import set_aside
from tests.cast import NOON
from tests.labeling.review.test_gold_and_review_pages import SignedIn, split
from tests.pages.stale.two_tabs import Tab, as_lists

__all__ = ["split"]
TYPED = {
    **{f"rank-{letter}": str(place) for place, letter in enumerate("ABCD", start=1)},
    "reason": "rater_error",
    "note": "By the sums.",
    "everybody": "Look at the sums.",
    "promotes": "on",
}


@pytest.mark.parametrize("act", ["aside", "back", "gold"])
def test_a_button_beside_one_answer_keeps_the_decision_typed_so_far(
    act: str,
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    judgment, other = split
    client = signed_in(alice)
    path = f"/campaigns/{comparison_campaign.pk}/review/{judgment.item_id}/"
    if act == "back":
        set_aside.set_aside(judgment=judgment, reason="", by=alice, now=NOON)
    typed = TYPED | {f"feedback-{other.pk}": "Read both."}
    page = Tab.opened(client, path, "campaign_review_item")
    posted = page.form.values | as_lists(typed)

    answer = client.post(f"{path}{act}/{judgment.pk}", posted, follow=True)

    after = form_browser.Page(path, 200, answer.text)
    kept = Tab(client, "campaign_review_item", after).form.values
    assert answer.redirect_chain == [(path, 302)]
    assert {name: kept[name] for name in typed} == as_lists(typed)
    again = Tab.opened(client, path, "campaign_review_item").form.values
    assert again["note"] == [""], "it was shown once, and is on the page"
    assert not Adjudication.objects.exists()


def test_a_decision_that_somebody_else_saved_meanwhile_is_not_typed_over(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    judgment, _other = split
    client = signed_in(alice)
    path = f"/campaigns/{comparison_campaign.pk}/review/{judgment.item_id}/"
    page = Tab.opened(client, path, "campaign_review_item")
    theirs = Tab.opened(client, path, "campaign_review_item")
    theirs.send(TYPED | {"note": "Theirs, and it stands.", "everybody": "", "promotes": []})

    posted = page.form.values | {"note": ["Mine, by the sums."]}
    answer = client.post(f"{path}aside/{judgment.pk}", posted, follow=True)

    said = unescape(answer.text)
    assert "What you wrote was not saved: “Mine, by the sums.”" in said
    assert said.count("was changed after you opened the page") == 1, "only where one has typed"
    after = form_browser.Page(path, 200, answer.text)
    assert Tab(client, "campaign_review_item", after).form.values["note"] == [
        "Theirs, and it stands."
    ]
