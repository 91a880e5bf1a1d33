"""The review queue: which items come first, and which leave it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater, ReviewRequest
from labeling.queue.gold import scores
from labeling.queue.gold import services as gold_services
from labeling.review import selectors as review_selectors
from labeling.review import services as review_services
from labeling.review.selectors import QueueOrder
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import conversation_with_a_failure
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order
from tests.labeling.review.reviewed_work import item_at, judge, queued


def test_items_on_which_raters_are_furthest_apart_come_first(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge(comparison_campaign, rosa, [RIGHT, RIGHT, RIGHT])
    judge(comparison_campaign, raul, [RIGHT, WRONG, [0, 1, 3, 2]])

    rows = review_selectors.review_queue(
        campaign=comparison_campaign, order=QueueOrder.DISAGREEMENT
    )

    expected = [item_at(comparison_campaign, place).pk for place in (1, 2, 0)]
    assert [row.item_id for row in rows] == expected
    assert [row.agreement for row in rows] == [0.0, pytest.approx(5 / 6), 1.0]


def test_the_queue_of_a_conversation_campaign_opens_on_answers_and_not_on_disagreement(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    alice: User,
    signed_in: Callable[[User], Client],
) -> None:
    talked = conversation_with_a_failure(pool=day_shift, guideline=guideline, rater=rosa)
    turns = Judgment.of_people.filter(rater=rosa)
    turns.update(active_s=20)
    pk, client = talked.item.campaign_id, signed_in(alice)

    page = words(client.get(f"/campaigns/{pk}/review/"))
    listed = client.get(f"/api/v1/campaigns/{pk}/review").json()

    assert f"/campaigns/{pk}/review/{turns[0].item_id}/" in page
    assert "Most disagreement" not in page
    assert len(listed["results"]) == turns.count()


def test_the_fastest_judgment_for_its_length_comes_first(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    given = judge(comparison_campaign, rosa, [RIGHT] * 3, active_s=[60, 3, 20])

    assert queued(comparison_campaign, QueueOrder.FAST) == [
        given[1].item_id,
        given[2].item_id,
        given[0].item_id,
    ]


def test_a_newcomers_first_judgments_wait_and_a_veterans_do_not(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    veteran = judge(comparison_campaign, rosa, [RIGHT])[0]
    Judgment.of_people.filter(pk=veteran.pk).update(submitted_at=NOON + timedelta(days=9))
    Judgment.of_people.bulk_create(
        Judgment(
            kind="comparison",
            rater=rosa,
            prompt=veteran.prompt,
            submitted_at=NOON + timedelta(days=1, minutes=number),
        )
        for number in range(20)
    )
    assert queued(comparison_campaign, QueueOrder.NEW) == []

    newcomer = judge(comparison_campaign, raul, [RIGHT])[0]

    assert queued(comparison_campaign, QueueOrder.NEW) == [newcomer.item_id]


def test_the_random_share_is_the_same_each_time(comparison_campaign: Campaign, rosa: Rater) -> None:
    given = judge(comparison_campaign, rosa, [RIGHT] * 5)

    gold_services.set_golds(
        campaign=comparison_campaign, values={"review_share": 100}, by=None, now=NOON
    )
    assert set(queued(comparison_campaign, QueueOrder.RANDOM)) == {
        judgment.item_id for judgment in given
    }
    assert queued(comparison_campaign, QueueOrder.RANDOM) == queued(
        comparison_campaign, QueueOrder.RANDOM
    )

    gold_services.set_golds(
        campaign=comparison_campaign, values={"review_share": 0}, by=None, now=NOON
    )
    assert queued(comparison_campaign, QueueOrder.RANDOM) == []


def test_recent_work_of_a_paused_rater_waits_until_it_is_reviewed(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    first, second = judge(comparison_campaign, rosa, [RIGHT, RIGHT])
    scores.pause_rater(campaign=comparison_campaign, rater=rosa, by=alice, now=NOON)
    assert set(queued(comparison_campaign, QueueOrder.PAUSED)) == {first.item_id, second.item_id}

    assert first.item is not None
    review_services.adjudicate(
        item=first.item, ranks=gold_order(first.item), reason="none", by=alice, now=NOON
    )

    assert queued(comparison_campaign, QueueOrder.PAUSED) == [second.item_id]
    assert ReviewRequest.objects.get(judgment=first).done_at == NOON


def test_what_was_adjudicated_leaves_the_queue(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    (judgment,) = judge(comparison_campaign, rosa, [RIGHT])
    assert judgment.item is not None

    review_services.adjudicate(
        item=judgment.item, ranks={}, reason="ambiguous_prompt", by=alice, now=NOON
    )

    assert queued(comparison_campaign, QueueOrder.FAST) == []


def test_the_share_that_was_pasted_is_shown_and_orders_the_queue(
    written: Judgment, demonstration_campaign: Campaign
) -> None:
    assert written.item is not None
    (row,) = review_selectors.review_queue(campaign=demonstration_campaign, order=QueueOrder.PASTED)
    (entry,) = review_selectors.review_item(item=written.item, is_blind=True).answers

    assert row.pasted == entry.pasted_share == 0.75
    assert entry.who == "1"
