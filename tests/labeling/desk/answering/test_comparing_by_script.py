"""Comparing responses through HTTP, as the page's script does."""

import re

import pytest
from django.utils import timezone

from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue import slots
from tests.cast import open_comparison_campaign
from tests.html import page_of, squeezed
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start, words


def work_on(html: str) -> str:
    """The work on a page or in an answer, without what is new in every answer: tokens, and seconds
    that are left.
    """
    html = squeezed(html)
    start = html.index('<div class="desk"')
    work = html[start : html.index("</aside>", start)]
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|data-expires-in="\d+"', "", work)


@pytest.mark.parametrize("kind", ["comparison", "demonstration"])
def test_a_script_gets_the_next_item_with_the_answer(
    kind: str, rosa: Rater, request: pytest.FixtureRequest, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    campaign = request.getfixturevalue(f"{kind}_campaign")
    given = comparison() if kind == "comparison" else {"step": "submit", "text": words(200)}
    address = start(client, campaign) + "submit"

    answer = client.post(address, given, headers={"X-Desk": "fragment"}).json()

    assert answer["next"] == f"/desk/item/{slot_of(rosa).lease}/"
    page = client.get(answer["next"]).text
    assert work_on(answer["html"]) == work_on(page)
    assert "<html" not in answer["html"]
    assert "/undo" in answer["html"]


def test_an_item_that_comes_with_the_answer_brings_its_draft(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"
    following = demonstration_campaign.items.get(position=1)
    slots.save_draft(
        item=following,
        rater=rosa,
        content={"revision": 3, "fields": {"text": ["Begun."]}},
        now=timezone.now(),
    )

    answer = client.post(
        address, {"step": "submit", "text": words(200)}, headers={"X-Desk": "fragment"}
    ).json()

    assert "Begun." in answer["html"]


def test_an_answer_sent_twice_brings_the_same_next_item_twice(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"
    given = {"step": "submit", "text": words(200)}

    first, second = (
        client.post(address, given, headers={"X-Desk": "fragment"}).json() for _ in range(2)
    )

    assert first["next"] == second["next"]
    assert work_on(first["html"]) == work_on(second["html"])
    assert "This item was already saved" in second["html"]
    assert Judgment.of_people.count() == 1


def test_a_script_is_led_to_the_desk_when_nothing_is_left(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    address = start(client, campaign) + "submit"

    answer = client.post(address, comparison(), headers={"X-Desk": "fragment"})

    assert answer.json() == {"next": "/desk/"}


def test_a_script_gets_the_review_alone(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"

    answer = client.post(address, comparison(step="review"), headers={"X-Desk": "fragment"}).json()

    assert answer["is_ready"]
    assert "B › A = C › D" in answer["review"]
    assert "<html" not in answer["review"]


def test_a_second_press_of_edit_keeps_the_edit(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    page = page_of(
        client.post(address + "submit", comparison(step="edit", edit_of="B", edit="My long edit."))
    )

    assert ">\nMy long edit.</textarea>" in page


def test_edit_says_that_nothing_is_ranked_yet(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(client.post(start(client, comparison_campaign) + "submit", {"step": "edit"}))

    assert "Nothing is ranked yet." in page
