"""Choosing work: what the desk lists and hands out, and why there is nothing."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from labeling.desk import open_campaigns
from labeling.desk import words as desk_words
from labeling.models import Campaign, Guideline, Pool, QueuePlace, Rater, Slot
from labeling.people.accounts import services as accounts_services
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start, words


def test_the_desk_lists_campaigns_open_to_the_rater_with_progress_in_words(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(rosa).get("/desk/"))

    assert "Compare" in page
    assert "5 to do" in page, "it counts items of this rater, not the 15 free slots of all"


def test_an_empty_desk_says_how_work_gets_there(rosa: Rater, signed_in: SignedIn) -> None:
    assert "No open campaigns" in page_of(signed_in(rosa).get("/desk/"))


def test_a_campaign_of_another_pool_does_not_exist_for_the_rater(
    comparison_campaign: Campaign, signed_in: SignedIn, db: None
) -> None:
    stranger = accounts_services.create_person(
        email="sam@example.org",
        name="Sam",
        roles=["rater"],
        password="correct horse battery",
        by=None,
        now=timezone.now(),
    )

    assert signed_in(stranger).post(f"/desk/{comparison_campaign.pk}/next").status_code == 404


def test_starting_takes_an_item_and_goes_to_it(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = start(signed_in(rosa), comparison_campaign)

    assert address == f"/desk/item/{slot_of(rosa).lease}/"


def test_opening_the_next_page_takes_nothing(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = signed_in(rosa).get(f"/desk/{comparison_campaign.pk}/next")

    assert "Take the next item" in page_of(page)
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_the_next_page_goes_to_the_item_already_held(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    assert client.get(f"/desk/{comparison_campaign.pk}/next")["Location"] == address


def test_nothing_left_is_said_on_the_desk(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    for _ in range(5):
        client.post(
            start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)}
        )

    page = page_of(client.post(f"/desk/{demonstration_campaign.pk}/next", follow=True))

    assert "Nothing left for you in “Write” right now." in page
    assert "Nothing left for you here" in page


def test_what_only_others_can_answer_is_nothing_to_do(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    """Two free slots are left for the only item, which this rater has answered."""
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    client = signed_in(rosa)
    assert "1 to do" in page_of(client.get("/desk/"))
    url = start(client, campaign)
    assert "1 to do" in page_of(client.get("/desk/")), "the item that they hold"
    client.post(url + "submit", comparison(step="stop"))

    page = page_of(client.get("/desk/"))

    assert "nothing to do · 1 by you today" in page
    assert "Nothing left for you here" in page


def test_a_campaign_with_more_free_slots_than_are_searched_says_what_is_wanted_of_all(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, monkeypatch: Any
) -> None:
    for module in (open_campaigns, desk_words):
        monkeypatch.setattr(module, "MOST_COUNTED", 14)

    assert "more than 14 answers wanted" in page_of(signed_in(rosa).get("/desk/"))


def test_an_item_whose_lease_lapsed_is_work(
    rosa: Rater, raul: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    start(signed_in(raul), campaign)
    client = signed_in(rosa)
    assert "Nothing left for you here" in page_of(client.get("/desk/"))

    Slot.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    assert "Start" in page_of(client.get("/desk/"))


def test_looking_again_finds_what_a_place_in_the_queue_hid(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    place: dict[str, Any] = {"seed": 1, "fresh_rank": 10**9, "returned_rank": 0}
    QueuePlace.objects.create(campaign=demonstration_campaign, rater=rosa, **place)

    assert "Check again" in page_of(client.get("/desk/"))
    assert start(client, demonstration_campaign).startswith("/desk/item/")
