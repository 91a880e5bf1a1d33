"""Why a rater gets an item: per campaign and per item, without revealing its purpose."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling.models import (
    Campaign,
    Guideline,
    Item,
    Judgment,
    Pool,
    Prompt,
    Rater,
    RaterSkill,
    Slot,
)
from tests.cast import open_comparison_campaign
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start
from tests.tooling.recordings import recorded

DECLARED, TESTED, SHOWN = RaterSkill.Basis.DECLARED, RaterSkill.Basis.TESTED, RaterSkill.Basis.SHOWN
LANGUAGE, TOPIC = RaterSkill.Axis.LANGUAGE, RaterSkill.Axis.TOPIC


def knows(rater: Rater, axis: str, code: str, basis: str, *, days_ago: int = 30) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    RaterSkill.objects.create(rater=rater, axis=axis, code=code, basis=basis, at=at)


@pytest.fixture
@recorded
def routed(day_shift: Pool, comparison_campaign: Campaign, rosa: Rater) -> Campaign:
    """Its prompts are in Swiss German and ask for a summary; Rosa knows both."""
    Pool.objects.update(routes_by_language=True, routes_by_category=True, languages=["en"])
    Prompt.objects.update(language="de-CH", category=Prompt.Category.SUMMARIZATION)
    knows(rosa, LANGUAGE, "de", DECLARED)
    knows(rosa, TOPIC, Prompt.Category.SUMMARIZATION, SHOWN)
    return comparison_campaign


def my_work(client: Client) -> str:
    return page_of(client.get("/my-work/"))


def open_to_me(client: Client) -> str:
    return my_work(client).split('id="open"')[1].split("</section>")[0]


def why_held(client: Client) -> str:
    """The line under the current item."""
    return (
        my_work(client)
        .split('<div dir="auto">')[1]
        .split("</div>")[0]
        .split('"desk-hint">')[1]
        .split("</span>")[0]
    )


def test_my_work_says_by_what_the_items_of_each_campaign_come(
    routed: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    knows(rosa, TOPIC, Prompt.Category.CHAT, TESTED)

    page = my_work(signed_in(rosa))

    assert "You are in “Day shift”." in page
    assert (
        "Items are assigned by language: de (you added it), en (shared by everyone in the pool)."
        in page
    )
    assert (
        "Items are assigned by topic: chat (you passed a test), summarization (earned by your"
        " answers)." in page
    )


def test_a_pool_that_does_not_route_says_no_more_than_the_rule(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    knows(rosa, LANGUAGE, "de", DECLARED)

    page = my_work(signed_in(rosa))

    assert "You are in “Day shift”." in page
    assert "you added it" not in page


def test_the_desk_says_once_what_is_the_same_for_every_campaign(
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    rosa: Rater,
    signed_in: SignedIn,
) -> None:
    page = page_of(signed_in(rosa).get("/desk/"))

    assert comparison_campaign.name in page
    assert demonstration_campaign.name in page
    assert page.count("You are in “Day shift”.") == 1


def test_a_rater_without_skills_sees_that(
    routed: Campaign, raul: Rater, signed_in: SignedIn
) -> None:
    assert "Items are assigned by topic: none added yet." in my_work(signed_in(raul))


def test_the_current_item_and_past_ones_say_which_skills_they_match(
    routed: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, routed)
    reason = "Matches your skills: de (you added it), summarization (earned by your answers)."

    assert why_held(client) == reason
    client.post(address + "submit", comparison())
    client.post(f"/desk/item/{Slot.objects.get(rater=rosa, state=Slot.State.LEASED).lease}/release")

    assert my_work(client).count(reason) == 1


def test_what_one_learned_after_an_answer_is_no_reason_for_it(
    routed: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, routed) + "submit", comparison())
    Judgment.of_people.update(submitted_at=timezone.now() - timedelta(days=2))
    knows(rosa, LANGUAGE, "de-CH", TESTED, days_ago=1)

    page = my_work(client)

    assert page.count("Matches your skills: de (you added it)") == 1  # of the answer
    assert page.count("Matches your skills: de-CH (you passed a test)") == 1  # of the current item


def test_upsetting_content_is_there_because_one_agreed_to_it(
    routed: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    Rater.everyone.update(accepts=["violence", "hate"])
    client = signed_in(rosa)
    start(client, routed)

    assert why_held(client).endswith("You agreed to see: violence.")


def test_calibration_a_gold_and_a_repeat_give_the_reason_of_any_item(
    routed: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    start(client, routed)
    slot = Slot.objects.get(rater=rosa, state=Slot.State.LEASED)
    plain = open_to_me(client)

    Item.objects.filter(pk=slot.item_id).update(is_calibration=True)
    calibration = open_to_me(client)
    other = Item.objects.exclude(pk=slot.item_id).first()
    Item.objects.filter(pk=slot.item_id).update(is_calibration=False, repeat_of=other)
    repeat = open_to_me(client)
    Item.objects.filter(pk=slot.item_id).update(repeat_of=None)
    Slot.objects.filter(pk=slot.pk).update(is_gold=True)
    gold = open_to_me(client)

    assert plain == calibration == repeat == gold


@pytest.mark.parametrize("n_campaigns", [1, 4])
def test_reasons_cost_the_same_however_many_campaigns_and_answers_there_are(
    n_campaigns: int,
    routed: Campaign,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(rosa)
    names = [f"Campaign {n}" for n in range(1, n_campaigns)]
    more = [
        open_comparison_campaign(pool=day_shift, guideline=guideline, name=name) for name in names
    ]
    Prompt.objects.update(language="de", category=Prompt.Category.SUMMARIZATION)
    for campaign in [routed, *more]:
        client.post(start(client, campaign) + "submit", comparison())

    with django_assert_num_queries(18):
        client.get("/my-work/")
