"""The items of a campaign through HTTP: the list, and one item with its answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.models import Campaign, Guideline, Pass, Pool, Rater
from tests.cast import open_comparison_campaign, open_demonstration_campaign, rater_called
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import rank_next, skip_next, write_next

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


@pytest.mark.parametrize(
    ("status", "n_shown"),
    [("", 5), ("untouched", 4), ("started", 0), ("finished", 1), ("skipped", 1)],
)
def test_items_are_filtered_by_where_they_stand(
    status: str,
    n_shown: int,
    alice: User,
    rosa: Rater,
    raul: Rater,
    demonstration_campaign: Campaign,
    signed_in: SignedIn,
) -> None:
    write_next(demonstration_campaign, rosa, now=timezone.now())
    skip_next(demonstration_campaign, raul, reason=Pass.Reason.NOT_MY_FIELD, now=timezone.now())

    page = page_of(
        signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/items/?status={status}")
    )

    assert page.count('aria-label="item ') == n_shown


@pytest.mark.parametrize("n_items", [1, 20])
def test_items_ask_as_many_queries_for_one_as_for_twenty(
    n_items: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    client = signed_in(alice)

    with django_assert_num_queries(8):
        client.get(f"/campaigns/{campaign.pk}/items/")


def test_an_item_shows_every_answer_in_letters(
    alice: User, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    judgment = rank_next(
        comparison_campaign,
        rosa,
        ranks={0: 1, 1: 1, 2: None, 3: 2},
        reason="Both are right.",
        now=timezone.now(),
    )
    first = {entry.position: entry.response_id for entry in judgment.comparison.ranked.all()}
    letters = {pk: "ABCD"[index] for index, pk in enumerate(sorted(first.values()))}
    tied = " = ".join(sorted([letters[first[0]], letters[first[1]]]))

    page = words(
        signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{judgment.item_id}/")
    )

    assert f"{tied} › {letters[first[3]]}" in page
    assert f"Unranked: {letters[first[2]]}" in page
    assert "Both are right." in page
    assert "Overall <strong>4</strong>" in page
    assert rosa.alias in page


def test_an_item_shows_a_demonstration_as_it_reads(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    judgment = write_next(demonstration_campaign, rosa, text="It is **four**.", now=timezone.now())

    page = words(
        signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/items/{judgment.item_id}/")
    )

    assert "It is <strong>four</strong>." in page


@pytest.mark.parametrize("n_answers", [1, 20])
def test_an_item_asks_as_many_queries_for_one_answer_as_for_twenty(
    n_answers: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=20)
    for number in range(n_answers):
        rank_next(campaign, rater_called(f"Rater {number}", pool=day_shift), now=timezone.now())
    client, item = signed_in(alice), campaign.items.get()

    with django_assert_num_queries(13):
        client.get(f"/campaigns/{campaign.pk}/items/{item.pk}/")
