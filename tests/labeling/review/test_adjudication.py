"""Deciding an item's order: golds made from it, raters compared with it, and exports of it."""

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.data.exports import shapes
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Adjudication, Campaign, Gold, JudgmentReview, Rater
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.review import set_aside
from labeling.review.services import Remark
from tests.cast import NOON
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order
from tests.labeling.review.reviewed_work import item_at, judge

# --- deciding -------------------------------------------------------------------------------------


def test_an_order_is_decided_told_and_promoted_in_one_act(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    (good,) = judge(comparison_campaign, rosa, [RIGHT])
    (bad,) = judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)

    review_services.adjudicate(
        item=item,
        ranks=gold_order(item),
        reason="rater_error",
        note="The sums are right in this order.",
        remarks={bad.pk: Remark(feedback="Look at the sums."), good.pk: Remark()},
        promotes=True,
        by=alice,
        now=NOON,
    )

    gold = Gold.objects.get(made_from=item)
    assert (gold.origin, gold.note) == (
        Gold.Origin.ADJUDICATION,
        "The sums are right in this order.",
    )
    assert list(JudgmentReview.objects.values_list("judgment", "feedback")) == [
        (bad.pk, "Look at the sums.")
    ]
    assert list(
        Notice.objects.filter(kind=Notice.Kind.FEEDBACK).values_list("person", flat=True)
    ) == [raul.user_id]
    assert {"adjudicate", "review", "create"} <= set(
        AuditEvent.objects.filter(by=alice).values_list("action", flat=True)
    )


def test_gaps_in_the_ranks_are_closed(comparison_campaign: Campaign, alice: User) -> None:
    item = item_at(comparison_campaign, 0)
    responses = sorted(gold_order(item))

    decided = review_services.adjudicate(
        item=item,
        ranks=dict(zip(responses, [3, 1, None, 3], strict=True)),
        reason="none",
        by=alice,
        now=NOON,
    )

    assert list(decided.ranks.order_by("response_id").values_list("rank", flat=True)) == [
        2,
        1,
        None,
        2,
    ]


def test_a_later_decision_takes_the_place_of_the_first(
    comparison_campaign: Campaign, alice: User
) -> None:
    item = item_at(comparison_campaign, 0)
    review_services.adjudicate(item=item, ranks=gold_order(item), reason="none", by=alice, now=NOON)

    review_services.adjudicate(
        item=item,
        ranks={},
        reason="true_disagreement",
        note="A matter of taste.",
        by=alice,
        now=NOON,
    )

    decided = Adjudication.objects.get(item=item)
    assert (decided.reason, decided.ranks.count()) == ("true_disagreement", 0)
    assert AuditEvent.objects.filter(action="adjudicate").last().before["reason"] == "none"


def test_the_log_keeps_the_order_that_was_overturned(
    comparison_campaign: Campaign, alice: User
) -> None:
    item = item_at(comparison_campaign, 0)
    right = gold_order(item)
    first, second, third, fourth = sorted(right, key=lambda response: right[response] or 0)
    review_services.adjudicate(item=item, ranks=right, reason="none", by=alice, now=NOON)

    turned = {second: 1, first: 2, third: 2, fourth: None}
    review_services.adjudicate(item=item, ranks=turned, reason="rater_error", by=alice, now=NOON)

    event = AuditEvent.objects.filter(action="adjudicate").latest("pk")
    assert event.before["ranks"] == ["1. a model 0", "2. a model 1", "3. a model 2", "4. a model 3"]
    assert event.after["ranks"] == ["1. a model 1", "2. a model 0", "2. a model 2", "– a model 3"]


def test_a_response_of_another_item_is_refused(comparison_campaign: Campaign, alice: User) -> None:
    item, other = item_at(comparison_campaign, 0), item_at(comparison_campaign, 1)

    with pytest.raises(review_services.UnableToReview):
        review_services.adjudicate(
            item=item, ranks=gold_order(other), reason="none", by=alice, now=NOON
        )


def test_an_order_that_decides_nothing_is_not_promoted_and_nothing_of_it_is_kept(
    comparison_campaign: Campaign, alice: User
) -> None:
    item = item_at(comparison_campaign, 0)

    with pytest.raises(review_services.UnableToReview):
        review_services.adjudicate(
            item=item, ranks={}, reason="none", promotes=True, by=alice, now=NOON
        )

    assert not Adjudication.objects.exists()


def test_an_experts_answer_becomes_a_gold(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    (judgment,) = judge(comparison_campaign, rosa, [[2, 0, 1, 3]])

    gold = gold_services.make_gold_of_answer(judgment=judgment, by=alice, now=NOON)

    assert gold.origin == Gold.Origin.EXPERT
    assert dict(gold.ranks.values_list("response__number", "rank")) == {2: 1, 0: 2, 1: 3, 3: 4}


# --- the adjudicated order as a measure and as data -----------------------------------------------


def test_raters_are_compared_with_the_adjudicated_order(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge(comparison_campaign, rosa, [RIGHT, RIGHT])
    judge(comparison_campaign, raul, [WRONG, [0, 1, 3, 2]])
    for place in (0, 1):
        item = item_at(comparison_campaign, place)
        review_services.adjudicate(
            item=item, ranks=gold_order(item), reason="rater_error", by=alice, now=NOON
        )

    by_rater, everybody = gold_selectors.with_adjudicated(campaign=comparison_campaign)

    assert (by_rater[rosa.pk].value, by_rater[rosa.pk].n) == (1.0, 12)
    assert by_rater[raul.pk].value == pytest.approx(5 / 12)
    assert everybody.value == pytest.approx(17 / 24)


def test_an_answer_that_was_set_aside_is_not_held_against_the_adjudicated_order(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge(comparison_campaign, rosa, [RIGHT])
    (wrong,) = judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)
    review_services.adjudicate(
        item=item, ranks=gold_order(item), reason="rater_error", by=alice, now=NOON
    )
    set_aside.set_aside(judgment=wrong, reason="Guessed.", by=alice, now=NOON)

    by_rater, everybody = gold_selectors.with_adjudicated(campaign=comparison_campaign)

    assert list(by_rater) == [rosa.pk]
    assert (everybody.value, everybody.n) == (1.0, 6)


def test_adjudicated_orders_leave_as_rows_of_their_own(
    comparison_campaign: Campaign, alice: User
) -> None:
    item = item_at(comparison_campaign, 0)
    review_services.adjudicate(
        item=item,
        ranks=gold_order(item),
        reason="guideline_gap",
        note="Say it.",
        by=alice,
        now=NOON,
    )

    (row,) = shapes.records("adjudicated", campaigns=[comparison_campaign.pk])

    assert [response["rank"] for response in row["responses"]] == [1, 2, 3, 4]
    assert (row["reason"], row["note"], row["item"]) == ("guideline_gap", "Say it.", item.pk)


def test_guideline_gaps_collect_at_their_guideline(
    comparison_campaign: Campaign, alice: User
) -> None:
    review_services.adjudicate(
        item=item_at(comparison_campaign, 0), ranks={}, reason="guideline_gap", by=alice, now=NOON
    )
    review_services.adjudicate(
        item=item_at(comparison_campaign, 1), ranks={}, reason="rater_error", by=alice, now=NOON
    )

    gaps = guidelines_selectors.guideline_gaps(guideline=comparison_campaign.guideline)

    assert [gap.item for gap in gaps] == [item_at(comparison_campaign, 0)]
