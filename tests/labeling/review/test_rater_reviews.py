"""Feedback to raters, their appeals, and what they see of decisions on their answers."""

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.models import Campaign, Gold, Judgment, JudgmentReview, Rater, Slot
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.queue.gold import services as gold_services
from labeling.review import rater_reviews, set_aside
from labeling.review import selectors as review_selectors
from labeling.review import services as review_services
from labeling.review.rater_reviews import Verdict
from labeling.review.selectors import QueueOrder
from labeling.review.services import Remark
from tests.cast import NOON
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order, rank_by
from tests.labeling.review.reviewed_work import item_at, judge, queued
from tests.tooling.recordings import recorded

# --- demonstrations, feedback, appeals ------------------------------------------------------------


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


@pytest.fixture
@recorded
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
