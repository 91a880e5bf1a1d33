"""Answers that arrive after the lease has lapsed or the item was given back."""

import pytest

from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Draft, Guideline, Pool, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import order
from tests.cast import NOON, lease_of, open_comparison_campaign, open_demonstration_campaign
from tests.labeling.queue.rater_steps import after, claim, judge, write

pytestmark = pytest.mark.django_db


def test_a_late_submit_counts_while_nobody_took_the_slot(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    judgment = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(600)
    )

    assert (judgment.slot_id, judgment.is_extra) == (slot.pk, False)


def test_a_submit_after_giving_back_counts_while_a_slot_is_free(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)

    judgment = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(1)
    )

    assert (judgment.slot_id, judgment.is_extra) == (slot.pk, False)


def test_a_late_submit_counts_in_another_slot_of_the_item(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2
    )
    slot = claim(campaign, rosa)
    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)
    taken = claim(campaign, raul)
    assert taken.pk == slot.pk

    judgment = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(1)
    )

    assert not judgment.is_extra
    assert judgment.slot_id != taken.pk


def test_a_late_submit_is_kept_as_extra_when_every_slot_is_taken(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    slot = claim(campaign, rosa)
    write(campaign, raul, after(31))

    judgment = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(32)
    )

    assert (judgment.slot_id, judgment.is_extra) == (None, True)
    assert judgment.demonstration.text == "Four."
    assert (
        submit.submit(
            lease=lease_of(slot),
            rater=rosa,
            answer=DemonstrationAnswer(text="Four."),
            now=after(33),
        )
        == judgment
    )


def test_an_extra_judgment_keeps_the_order_that_was_shown(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    slot = claim(campaign, rosa)
    shown = order.presented(slot)
    judge(claim(campaign, raul, after(31)), raul)

    judgment = judge(slot, rosa)

    assert judgment.is_extra
    assert [row.response for row in judgment.comparison.ranked.order_by("position")] == shown


def test_an_old_tab_submits_into_the_slot_taken_anew(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    old = claim(demonstration_campaign, rosa)
    slots.release(lease=lease_of(old), rater=rosa, now=NOON)
    new = claim(demonstration_campaign, rosa)

    judgment = submit.submit(
        lease=lease_of(old), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    assert judgment.slot_id == new.pk
    assert Slot.objects.get(pk=new.pk).state == "submitted"


def test_the_new_tab_of_an_item_answered_in_the_old_one_loses_no_text(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    old = claim(demonstration_campaign, rosa)
    slots.release(lease=lease_of(old), rater=rosa, now=NOON)
    new = claim(demonstration_campaign, rosa)
    submit.submit(
        lease=lease_of(old), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    with pytest.raises(judgments_rows.UnableToSubmit, match="saved as a draft"):
        submit.submit(
            lease=lease_of(new), rater=rosa, answer=DemonstrationAnswer(text="Five."), now=NOON
        )

    assert Draft.objects.get(rater=rosa).content["text"] == "Five."


def test_a_second_text_for_an_item_becomes_a_draft_and_says_so(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    old = claim(demonstration_campaign, rosa)
    slots.release(lease=lease_of(old), rater=rosa, now=NOON)
    new = claim(demonstration_campaign, rosa)
    submit.submit(
        lease=lease_of(new), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    with pytest.raises(judgments_rows.UnableToSubmit, match="saved as a draft"):
        submit.submit(
            lease=lease_of(old),
            rater=rosa,
            answer=DemonstrationAnswer(text="Four, again."),
            now=NOON,
        )

    assert Draft.objects.get(rater=rosa).content["text"] == "Four, again."


def test_a_closed_campaign_still_takes_what_was_written(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    campaigns_services.close_campaign(campaign=demonstration_campaign, by=None, now=NOON)

    assert not submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(1)
    ).is_extra
