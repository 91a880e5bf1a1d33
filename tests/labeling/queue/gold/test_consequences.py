"""Consequences of gold scores: warnings, pauses, returns, feedback; and suspect golds."""

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling.models import (
    Campaign,
    Gold,
    Guideline,
    Judgment,
    Pool,
    Rater,
    RaterStanding,
    ReviewRequest,
)
from labeling.queue import admission
from labeling.queue.claiming import claim
from labeling.queue.gold import scores
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.queue.gold.scene import RIGHT, WRONG, next_gold, rank_by, work_through


def until_paused(campaign: Campaign, rater: Rater) -> list[Judgment]:
    given = []
    for number in range(12):
        given += work_through(campaign, rater, n=1, on_gold=WRONG, at=number)
        standing = standing_of(campaign, rater)
        if standing is not None and standing.paused_at is not None:
            break
    return given


def standing_of(campaign: Campaign, rater: Rater) -> RaterStanding | None:
    return RaterStanding.objects.filter(campaign=campaign, rater=rater).first()


def test_a_rater_below_the_first_threshold_is_warned_once(campaign: Campaign, rosa: Rater) -> None:
    gold_services.set_golds(campaign=campaign, values={"gold_pause_below": 0}, by=None, now=NOON)

    work_through(campaign, rosa, n=12, on_gold=WRONG)

    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.warned_at is not None
    assert standing.paused_at is None
    assert Notice.objects.filter(person=rosa.user, kind=Notice.Kind.WARNING).count() == 1
    assert AuditEvent.objects.filter(action="warn").count() == 1


def test_nothing_happens_before_enough_golds_were_answered(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=8, on_gold=WRONG)  # four golds, five are needed

    assert standing_of(campaign, rosa) is None


def test_a_rater_whose_whole_interval_lies_below_is_paused(
    campaign: Campaign, rosa: Rater, alice: User
) -> None:
    given = until_paused(campaign, rosa)

    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.paused_at is not None
    with pytest.raises(claim.UnableToClaim) as refusal:
        claim.claim(campaign=campaign, rater=rosa, now=NOON + timedelta(hours=1))
    assert refusal.value.blocker.reason == admission.BlockReason.RATER_PAUSED
    ordinary = {judgment.pk for judgment in given if not judgment.is_gold}
    assert set(ReviewRequest.objects.values_list("judgment_id", flat=True)) == ordinary
    assert set(Notice.objects.filter(kind=Notice.Kind.PAUSED).values_list("person", flat=True)) == {
        rosa.user_id,
        alice.pk,
    }
    assert AuditEvent.objects.filter(
        action="pause", target_type="labeling.rater", target_id=rosa.pk
    ).exists()


def test_one_bad_gold_among_many_pauses_nobody(campaign: Campaign, rosa: Rater) -> None:
    rank_by(next_gold(campaign, rosa), WRONG, rater=rosa, at=30)
    work_through(campaign, rosa, n=10, on_gold=RIGHT, at=40)

    assert standing_of(campaign, rosa) is None


def test_whoever_is_let_back_in_is_judged_by_new_golds_only(
    campaign: Campaign, rosa: Rater, alice: User
) -> None:
    until_paused(campaign, rosa)

    assert scores.resume_rater(
        campaign=campaign, rater=rosa, by=alice, now=NOON + timedelta(hours=1)
    )

    work_through(campaign, rosa, n=3, on_gold=WRONG, at=120)
    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.paused_at is None


def test_a_pause_is_of_one_campaign(
    campaign: Campaign, rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Another")
    scores.pause_rater(campaign=campaign, rater=rosa, by=None, now=NOON)

    assert claim.claim(campaign=other, rater=rosa, now=NOON) is not None


# --- suspects, and raters' feedback ---------------------------------------------------------------


def test_a_gold_that_everybody_fails_is_suspect(campaign: Campaign, day_shift: Pool) -> None:
    wrong = Gold.objects.order_by("pk")[0]
    for name in ("Rosa", "Raul", "Rita"):
        rater = rater_called(name, pool=day_shift)
        for number in range(13):
            slot = claim.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
            if slot is None:
                break
            is_wrong = wrong.uses.filter(item=slot.item_id).exists()
            rank_by(slot, WRONG if is_wrong else RIGHT, rater=rater, at=number)

    rows = gold_selectors.gold_rows(uses=gold_selectors.gold_uses(campaign=campaign))

    assert [row.gold for row in rows if row.is_suspect] == [wrong]
    assert rows[0].gold == wrong
    assert gold_selectors.n_suspect(campaign=campaign) == 1
    gold_services.retire_gold(gold=wrong, by=None, now=NOON)
    assert gold_selectors.n_suspect(campaign=campaign) == 0


def test_raters_get_gold_feedback_only_if_the_campaign_shows_it(
    campaign: Campaign, rosa: Rater
) -> None:
    rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    assert gold_selectors.gold_feedback(rater=rosa) == []

    gold_services.set_golds(campaign=campaign, values={"gold_feedback": True}, by=None, now=NOON)

    (told,) = gold_selectors.gold_feedback(rater=rosa)
    assert told.passed.value == 0
    letters = {told.golds[0].given, told.golds[0].right}
    assert told.golds[0].given.split(" › ") == told.golds[0].right.split(" › ")[::-1]
    assert len(letters) == 2
