"""Review: what comes first in the queue, deciding an order, telling raters, and what they may say
to that.
"""

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.data.exports import shapes
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import DemonstrationAnswer, Recorded
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import (
    Adjudication,
    Campaign,
    Gold,
    Item,
    Judgment,
    JudgmentReview,
    Rater,
    ReviewRequest,
    Slot,
)
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.queue.gold import scores
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from labeling.review import rater_reviews, set_aside
from labeling.review import selectors as review_selectors
from labeling.review import services as review_services
from labeling.review.rater_reviews import Verdict
from labeling.review.selectors import QueueOrder
from labeling.review.services import Remark
from tests.cast import NOON
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order, rank_by


def judge(
    campaign: Campaign,
    rater: Rater,
    orders: list[list[int]],
    *,
    active_s: list[float] | None = None,
) -> list[Judgment]:
    """One judgment after the other, each by its order of response numbers."""
    given = []
    for number, order in enumerate(orders):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
        assert slot is not None
        seconds = active_s[number] if active_s else 40
        given.append(rank_by(slot, order, rater=rater, at=number, active_s=seconds))
    return given


def queued(campaign: Campaign, order: str) -> list[int]:
    return [row.item_id for row in review_selectors.review_queue(campaign=campaign, order=order)]


def item_at(campaign: Campaign, place: int) -> Item:
    return campaign.items.order_by("position")[place]


# --- the queue ------------------------------------------------------------------------------------


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
    Judgment.objects.filter(pk=veteran.pk).update(submitted_at=NOON + timedelta(days=9))
    Judgment.objects.bulk_create(
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


# --- demonstrations, feedback, appeals ------------------------------------------------------------


@pytest.fixture
def written(demonstration_campaign: Campaign, rosa: Rater) -> Judgment:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Four, since two and two are four."),
        recorded=Recorded(
            presentation={"typing": {"typed": 10, "pasted": 30, "n_pastes": 1}}, active_s=20
        ),
        now=NOON,
    )


def test_a_demonstration_is_scored_and_its_writer_told(
    written: Judgment, rosa: Rater, alice: User
) -> None:
    assert written.item is not None
    review_services.review_demonstrations(
        item=written.item, remarks={written.pk: Remark(6, "Say why.")}, by=alice, now=NOON
    )

    (told,) = rater_reviews.reviews_of(rater=rosa)
    assert (told.review.score, told.review.feedback) == (6, "Say why.")
    assert Notice.objects.filter(person=rosa.user, kind=Notice.Kind.FEEDBACK).count() == 1


@pytest.mark.parametrize("score", [0, 8])
def test_a_score_outside_one_to_seven_is_refused(
    score: int, written: Judgment, alice: User
) -> None:
    assert written.item is not None
    with pytest.raises(review_services.UnableToReview):
        review_services.review_demonstrations(
            item=written.item, remarks={written.pk: Remark(score)}, by=alice, now=NOON
        )


def test_the_share_that_was_pasted_is_shown_and_orders_the_queue(
    written: Judgment, demonstration_campaign: Campaign
) -> None:
    assert written.item is not None
    (row,) = review_selectors.review_queue(campaign=demonstration_campaign, order=QueueOrder.PASTED)
    (entry,) = review_selectors.review_item(item=written.item, is_blind=True).answers

    assert row.pasted == entry.pasted_share == 0.75
    assert entry.who == "1"


@pytest.fixture
def review(written: Judgment, alice: User) -> JudgmentReview:
    assert written.item is not None
    review_services.review_demonstrations(
        item=written.item, remarks={written.pk: Remark(2, "Too short.")}, by=alice, now=NOON
    )
    return JudgmentReview.objects.get()


def test_a_rater_appeals_once_and_the_reviewer_is_told(review: JudgmentReview, alice: User) -> None:
    assert review_services.appeal(review=review, text="The prompt asked for one word.", now=NOON)
    assert not review_services.appeal(review=review, text="Again.", now=NOON)

    assert list(review_selectors.appeals(is_answered=False)) == [review]
    assert Notice.objects.filter(person=alice, key=f"appeal:{review.pk}").exists()


def test_an_appeal_is_answered(review: JudgmentReview, rosa: Rater, alice: User) -> None:
    review_services.appeal(review=review, text="The prompt asked for one word.", now=NOON)

    review_services.answer_appeal(
        review=review, text="True. It stands at 5 now.", by=alice, now=NOON
    )

    assert list(review_selectors.appeals(is_answered=False)) == []
    (told,) = rater_reviews.reviews_of(rater=rosa)
    assert told.review.answer == "True. It stands at 5 now."
    assert AuditEvent.objects.filter(action="answer_appeal", by=alice).exists()


def test_the_same_remark_again_tells_nobody(
    review: JudgmentReview, written: Judgment, rosa: Rater, alice: User
) -> None:
    assert written.item is not None
    review_services.review_demonstrations(
        item=written.item, remarks={written.pk: Remark(2, "Too short.")}, by=alice, now=NOON
    )

    assert Notice.objects.filter(person=rosa.user).count() == 1


def test_a_decided_order_is_told_in_the_raters_own_letters_and_kept_secret_while_it_is_a_gold(
    comparison_campaign: Campaign, raul: Rater, alice: User
) -> None:
    (judgment,) = judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)
    remarks = {judgment.pk: Remark(feedback="Turned around.")}
    review_services.adjudicate(
        item=item, ranks=gold_order(item), reason="rater_error", remarks=remarks, by=alice, now=NOON
    )
    (told,) = rater_reviews.reviews_of(rater=raul)
    assert told.decided.split(" › ") == told.given.split(" › ")[::-1]

    gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.ADJUDICATION, by=alice, now=NOON
    )

    (told,) = rater_reviews.reviews_of(rater=raul)
    assert told.decided == ""


def test_the_letters_a_rater_is_told_are_those_of_their_page(
    comparison_campaign: Campaign, raul: Rater, alice: User
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=raul, now=NOON)
    assert slot is not None
    shown = [response.number for response in claiming_order.presented(slot)]
    judgment = rank_by(slot, RIGHT, rater=raul)
    assert slot.state == Slot.State.LEASED
    assert judgment.item is not None
    review_services.adjudicate(
        item=judgment.item,
        ranks=gold_order(judgment.item),
        reason="none",
        remarks={judgment.pk: Remark(feedback="Well done.")},
        by=alice,
        now=NOON,
    )

    (told,) = rater_reviews.reviews_of(rater=raul)

    assert told.given == " › ".join("ABCD"[shown.index(number)] for number in RIGHT)


# --- what was decided of an answer, without a word ------------------------------------------------


def told_to(rater: Rater) -> list[str]:
    return list(
        Notice.objects.filter(person=rater.user).order_by("pk").values_list("sentence", flat=True)
    )


def test_whose_answer_is_set_aside_is_told_and_appeals_once(
    written: Judgment, rosa: Rater, alice: User
) -> None:
    set_aside.set_aside(
        judgment=written, reason="Copied from Rater 2, failed golds.", by=alice, now=NOON
    )

    (told,) = rater_reviews.reviews_of(rater=rosa)
    assert (told.state, told.may_appeal) == (Verdict.SET_ASIDE, True)
    assert told_to(rosa) == ["One of your answers in “Write” was set aside. It stays paid."]
    assert review_services.appeal(review=told.review, text="I wrote it myself.", now=NOON)
    assert not review_services.appeal(review=told.review, text="I did.", now=NOON)
    assert list(review_selectors.appeals(is_answered=False)) == [told.review]
    assert Notice.objects.filter(person=alice, key=f"appeal:{told.review.pk}").exists()


def test_taking_an_answer_back_after_an_appeal_is_told(
    written: Judgment, rosa: Rater, alice: User
) -> None:
    set_aside.set_aside(judgment=written, reason="", by=alice, now=NOON)
    review_services.appeal(
        review=rater_reviews.reviews_of(rater=rosa)[0].review,
        text="I wrote it myself.",
        now=NOON,
    )

    set_aside.take_back(judgment=written, by=alice, now=NOON)

    (told,) = rater_reviews.reviews_of(rater=rosa)
    assert (told.state, told.may_appeal) == (Verdict.COUNTS, False)
    assert told_to(rosa)[1:] == ["One of your answers in “Write” that was set aside counts again."]


def test_a_demonstration_taken_back_waits_for_review_again(
    written: Judgment, demonstration_campaign: Campaign, alice: User
) -> None:
    set_aside.set_aside(judgment=written, reason="", by=alice, now=NOON)
    set_aside.take_back(judgment=written, by=alice, now=NOON)

    assert queued(demonstration_campaign, QueueOrder.FAST) == [written.item_id]


def test_whose_order_is_decided_against_is_told_and_nobody_else(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge(comparison_campaign, rosa, [RIGHT])
    (bad,) = judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)

    for _again in range(2):
        review_services.adjudicate(
            item=item,
            ranks=gold_order(item),
            reason="rater_error",
            promotes=True,
            by=alice,
            now=NOON,
        )

    (told,) = rater_reviews.reviews_of(rater=raul)
    assert (told.review.judgment, told.state, told.decided, told.may_appeal) == (
        bad,
        Verdict.DECIDED,
        "",
        True,
    )
    assert told_to(raul) == ["In “Compare”, a reviewer decided on a different ranking than yours."]
    assert (rater_reviews.reviews_of(rater=rosa), told_to(rosa)) == ([], [])


def test_a_decision_that_is_overturned_is_told_to_whom_it_was_against(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge(comparison_campaign, rosa, [RIGHT])
    judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)
    right = gold_order(item)
    review_services.adjudicate(item=item, ranks=right, reason="rater_error", by=alice, now=NOON)
    review_services.appeal(
        review=rater_reviews.reviews_of(rater=raul)[0].review,
        text="The scale says otherwise.",
        now=NOON,
    )

    turned = {response: 5 - (rank or 0) for response, rank in right.items()}
    review_services.adjudicate(
        item=item, ranks=turned, reason="guideline_gap", by=alice, now=NOON + timedelta(hours=1)
    )

    assert [entry.state for entry in rater_reviews.reviews_of(rater=raul)] == [Verdict.COUNTS]
    assert [entry.state for entry in rater_reviews.reviews_of(rater=rosa)] == [Verdict.DECIDED]
    assert told_to(raul)[1:] == [
        "In “Compare”, a reviewer's decision against your ranking was reversed."
    ]


def test_who_is_given_feedback_with_the_decision_is_told_once(
    comparison_campaign: Campaign, raul: Rater, alice: User
) -> None:
    (judgment,) = judge(comparison_campaign, raul, [WRONG])
    item = item_at(comparison_campaign, 0)
    remarks = {judgment.pk: Remark(feedback="Turned around.")}

    review_services.adjudicate(
        item=item, ranks=gold_order(item), reason="rater_error", remarks=remarks, by=alice, now=NOON
    )

    assert told_to(raul) == ["One of your answers in “Compare” was reviewed."]
