"""Taking an item, staying with it, giving it back, judging it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from labeling.campaigns import services as campaigns_services
from labeling.data.exports import streams
from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments.answers import ComparisonAnswer, DemonstrationAnswer, Edit, Recorded
from labeling.guidelines import services as guidelines_services
from labeling.guidelines.rating_form import RatingForm
from labeling.models import (
    Campaign,
    Draft,
    Guideline,
    Item,
    ItemResponse,
    Judgment,
    Pass,
    Pool,
    Rater,
    Response,
    Slot,
)
from labeling.queue import slots
from labeling.queue.claiming import claim as claiming_claim
from labeling.queue.claiming import order
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
ALL_RANKED: dict[str, Any] = {
    "ranks": {0: 1, 1: 2, 2: 3, 3: 4},
    "ratings": {n: {"overall": "4"} for n in range(4)},
}


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def claim(campaign: Campaign, rater: Rater, now: datetime = NOON) -> Slot:
    slot = claiming_claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    return slot


def write(campaign: Campaign, rater: Rater, now: datetime = NOON) -> Judgment:
    slot = claim(campaign, rater, now)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text="Four."), now=now
    )


def judge(slot: Slot, rater: Rater, **given: Any) -> Judgment:
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=ComparisonAnswer(**ALL_RANKED | given), now=NOON
    )


def position_of(slot: Slot) -> int:
    return Item.objects.get(pk=slot.item_id).position


# --- claiming -------------------------------------------------------------------------------------


def test_a_claim_leases_the_item_for_the_campaigns_minutes(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    stored = Slot.objects.get(pk=slot.pk)
    assert (stored.state, stored.rater, stored.lease) == ("leased", rosa, slot.lease)
    assert stored.expires_at == slot.expires_at == after(30)


def test_what_a_claim_returns_is_what_is_stored(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    stored = Slot.objects.get(pk=slot.pk)
    for field in Slot._meta.concrete_fields:
        assert getattr(slot, field.attname) == getattr(stored, field.attname), field.name


def test_a_second_claim_returns_the_item_already_held(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    first = claim(demonstration_campaign, rosa)

    assert claim(demonstration_campaign, rosa, after(5)).lease == first.lease


def test_an_item_of_ones_own_whose_lease_lapsed_comes_back_before_a_new_one(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    first = claim(demonstration_campaign, rosa)

    again = claim(demonstration_campaign, rosa, after(40))

    assert again.lease == first.lease
    assert again.expires_at == after(70)


def test_two_raters_never_hold_one_slot(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    assert claim(demonstration_campaign, rosa).pk != claim(demonstration_campaign, raul).pk


def test_a_rater_never_gets_an_item_twice(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, overlap=3)

    items = [write(campaign, rosa).item_id for _ in range(5)]

    assert len(set(items)) == 5
    assert claiming_claim.claim(campaign=campaign, rater=rosa, now=NOON) is None


def test_a_campaign_that_is_not_open_hands_out_nothing(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    campaigns_services.pause_campaign(campaign=demonstration_campaign, by=None, now=NOON)

    assert claiming_claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON) is None


def test_a_paused_campaign_leaves_raters_what_they_hold(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    campaigns_services.pause_campaign(campaign=demonstration_campaign, by=None, now=NOON)

    assert claim(demonstration_campaign, rosa).lease == slot.lease


def test_finish_first_completes_an_item_before_it_starts_the_next(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, overlap=2)
    for _ in range(3):
        write(campaign, rosa)

    assert [write(campaign, raul).item.position for _ in range(3)] == [0, 1, 2]


def test_spread_gives_every_item_one_judgment_before_any_gets_two(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, overlap=2, order="spread"
    )
    for _ in range(3):
        write(campaign, rosa)

    positions = [write(campaign, raul).item.position for _ in range(3)]

    assert positions == [3, 4, 0]


def test_what_was_given_back_goes_before_what_nobody_has_had(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    first = claim(demonstration_campaign, rosa)
    write(demonstration_campaign, raul)
    slots.release(lease=lease_of(first), rater=rosa, now=after(1))

    assert claim(demonstration_campaign, raul, after(2)).item_id == first.item_id


def test_a_lapsed_lease_goes_to_another_rater_when_nothing_is_free(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    slot = claim(campaign, rosa)
    assert claiming_claim.claim(campaign=campaign, rater=raul, now=after(29)) is None

    taken = claim(campaign, raul, after(30))

    assert (taken.pk, taken.rater) == (slot.pk, raul)
    assert taken.lease != slot.lease


def test_a_free_item_goes_before_a_lapsed_lease(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    lapsed = claim(demonstration_campaign, rosa)

    assert claim(demonstration_campaign, raul, after(60)).pk != lapsed.pk


def test_a_sweep_finds_what_a_raters_place_hides(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    """As when the slot was locked by somebody's claim while rosa's went past, and that claim then
    failed.
    """
    for _ in range(4):
        write(demonstration_campaign, rosa)
    last = Slot.objects.get(campaign=demonstration_campaign, state="free")
    Slot.objects.filter(pk=last.pk).update(queue_rank=0)

    assert claim(demonstration_campaign, rosa).pk == last.pk


def test_an_empty_queue_is_swept_once_a_minute(
    demonstration_campaign: Campaign, rosa: Rater, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        write(demonstration_campaign, rosa)
    claiming_claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)

    with django_assert_num_queries(6):  # admitted, claim, sweep due; savepoint, lapsed, savepoint
        claiming_claim.claim(campaign=demonstration_campaign, rater=rosa, now=after(0.5))


def test_the_next_claim_looks_no_further_back_than_the_last(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, overlap=3)

    ranks = [queue_rank_after_write(campaign, rosa) for _ in range(3)]

    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def queue_rank_after_write(campaign: Campaign, rater: Rater) -> int:
    write(campaign, rater)
    return campaign.places.get(rater=rater).fresh_rank


# --- staying and giving back ----------------------------------------------------------------------


def test_a_heartbeat_counts_the_lease_from_now(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    assert slots.heartbeat(lease=lease_of(slot), rater=rosa, now=after(20)) == after(50)


def test_a_heartbeat_revives_a_lapsed_lease_that_nobody_took(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    assert slots.heartbeat(lease=lease_of(slot), rater=rosa, now=after(90)) == after(120)


def test_a_heartbeat_of_somebody_elses_lease_does_nothing(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    assert slots.heartbeat(lease=lease_of(slot), rater=raul, now=after(20)) is None
    assert Slot.objects.get(pk=slot.pk).expires_at == after(30)


def test_a_heartbeat_after_the_submit_does_nothing(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    assert slots.heartbeat(lease=lease_of(slot), rater=rosa, now=after(1)) is None


def test_a_released_item_may_come_back_to_the_same_rater_in_the_same_order(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    first = claim(comparison_campaign, rosa)
    shown = order.presented(first)
    slots.release(lease=lease_of(first), rater=rosa, now=NOON)

    again = claim(comparison_campaign, rosa)

    assert again.item_id == first.item_id
    assert again.lease != first.lease
    assert order.presented(again) == shown


def test_a_skipped_item_never_comes_back(demonstration_campaign: Campaign, rosa: Rater) -> None:
    first = claim(demonstration_campaign, rosa)

    slots.skip(lease=lease_of(first), rater=rosa, reason="not_my_field", note="law", now=NOON)

    later = [write(demonstration_campaign, rosa).item_id for _ in range(4)]
    assert first.item_id not in later
    assert claiming_claim.claim(campaign=demonstration_campaign, rater=rosa, now=after(5)) is None
    assert Pass.objects.get().note == "law"


def test_a_skipped_item_goes_to_another_rater(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    first = claim(demonstration_campaign, rosa)
    slots.skip(lease=lease_of(first), rater=rosa, reason="not_my_field", now=NOON)

    assert claim(demonstration_campaign, raul).item_id == first.item_id


def test_nobody_gives_back_what_another_holds(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    assert not slots.release(lease=lease_of(slot), rater=raul, now=NOON)
    assert not slots.skip(lease=lease_of(slot), rater=raul, reason="technical", now=NOON)
    assert Slot.objects.get(pk=slot.pk).rater == rosa


# --- drafts ---------------------------------------------------------------------------------------


def test_a_later_draft_replaces_the_earlier(demonstration_campaign: Campaign, rosa: Rater) -> None:
    item = claim(demonstration_campaign, rosa).item
    slots.save_draft(item=item, rater=rosa, content={"text": "F"}, now=NOON)
    slots.save_draft(item=item, rater=rosa, content={"text": "Four"}, now=after(1))

    assert Draft.objects.get().content == {"text": "Four"}


def test_a_submit_ends_the_draft_and_a_late_save_does_not_bring_it_back(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    slots.save_draft(item=slot.item, rater=rosa, content={"text": "Four"}, now=NOON)
    submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    slots.save_draft(item=slot.item, rater=rosa, content={"text": "Four"}, now=after(1))

    assert not Draft.objects.exists()


def test_a_draft_outlives_the_lease(demonstration_campaign: Campaign, rosa: Rater) -> None:
    slot = claim(demonstration_campaign, rosa)
    slots.save_draft(item=slot.item, rater=rosa, content={"text": "Four"}, now=NOON)

    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)

    assert Draft.objects.get(rater=rosa).content == {"text": "Four"}


# --- submitting -----------------------------------------------------------------------------------


def test_a_demonstration_is_stored_with_what_was_measured(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    judgment = submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=DemonstrationAnswer(text=" Four.\n", sources="head"),
        recorded=Recorded(presentation={"n": 1}, active_s=12.5, warnings=["fast"]),
        now=after(3),
    )

    stored = Judgment.objects.get(pk=judgment.pk)
    assert stored.demonstration.text == " Four.\n"
    assert (
        stored.demonstration.sources,
        stored.presentation,
        stored.active_s,
        stored.warnings,
    ) == (
        "head",
        {"n": 1},
        12.5,
        ["fast"],
    )
    assert (stored.slot_id, stored.leased_at, stored.submitted_at, stored.is_extra) == (
        slot.pk,
        NOON,
        after(3),
        False,
    )
    assert stored.slot.state == "submitted"


def test_submitting_twice_stores_once(demonstration_campaign: Campaign, rosa: Rater) -> None:
    slot = claim(demonstration_campaign, rosa)

    first = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )
    second = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four!"), now=after(1)
    )

    assert first == second
    assert Judgment.objects.get().demonstration.text == "Four."


def test_an_empty_text_is_refused_and_the_item_stays(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="empty"):
        submit.submit(
            lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text=" \n"), now=NOON
        )

    assert Slot.objects.get(pk=slot.pk).state == "leased"


def test_nobody_submits_under_a_lease_of_another(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="is not assigned to you"):
        submit.submit(
            lease=lease_of(slot), rater=raul, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_a_lease_that_never_was_is_refused(rosa: Rater) -> None:
    with pytest.raises(judgments_rows.UnableToSubmit, match="is not assigned to you"):
        submit.submit(
            lease=uuid.uuid4(), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_a_comparison_keeps_the_order_that_was_shown(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    shown = order.presented(slot)

    judgment = judge(slot, rosa, ranks={0: 3, 1: 1, 2: 1, 3: None}, strength=2, reason="shorter")

    rows = judgment.comparison.ranked.order_by("position")
    assert [row.response for row in rows] == shown
    assert [row.rank for row in rows] == [2, 1, 1, None]
    assert (judgment.comparison.strength, judgment.comparison.reason) == (2, "shorter")


def test_the_order_differs_between_raters_and_items(day_shift: Pool, guideline: Guideline) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=30, n_responses=9
    )

    raters = [rater_called(f"Rater {n}", pool=day_shift) for n in range(30)]
    orders = {
        tuple(response.pk for response in order.presented(claim(campaign, rater)))
        for rater in raters
    }

    assert len(orders) == 30


def test_what_was_not_asked_or_not_answered_is_absent(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)

    judgment = judge(
        slot, rosa, ratings={n: {"overall": 7, "opinion": "", "sexual": "on"} for n in range(4)}
    )

    assert judgment.comparison.ranked.first().ratings == {"overall": 7, "sexual": True}
    assert judgment.comparison.reason is None
    assert judgment.comparison.strength is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ranks": {}}, "No response is ranked"),
        ({"ranks": {0: None}}, "No response is ranked"),
        ({"ranks": {0: 1, 4: 2}}, "no response E"),
        ({"ranks": {-1: 1}}, "no response"),
        ({"ranks": {0: 0}}, "Ranks start at 1"),
        ({"ratings": {0: {"overall": 4}}}, r"Response B: rate “Overall” \(1–7\)"),
        (
            {"ratings": {n: {"overall": 8} for n in range(4)}},
            "Response A: “Overall” must be between 1 and 7",
        ),
        ({"ratings": {n: {"overall": "x"} for n in range(4)}}, "whole number"),
        (
            {"ratings": {n: {"overall": 1, "opinion": "perhaps"} for n in range(4)}},
            "set or not set",
        ),
        (
            {"ratings": {n: {"overall": 1, "colour": 1} for n in range(4)}},
            "is not part of this rating form",
        ),
        ({"strength": 5}, "from 1 to 4"),
    ],
)
def test_a_comparison_that_cannot_be_stored_gets_a_sentence(
    comparison_campaign: Campaign, rosa: Rater, given: dict[str, Any], sentence: str
) -> None:
    slot = claim(comparison_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match=sentence):
        judge(slot, rosa, **given)

    assert Slot.objects.get(pk=slot.pk).state == "leased"


def test_a_demonstration_for_a_comparison_is_refused(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="a different kind"):
        submit.submit(
            lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_the_guideline_that_was_shown_is_stamped_and_not_the_one_that_came_since(
    comparison_campaign: Campaign, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Be brief.", form=RatingForm(), by=None, now=NOON
    )
    comparison_campaign.refresh_from_db()

    assert judge(slot, rosa).guideline_version.number == 1
    assert judge(claim(comparison_campaign, raul), raul, ratings={}).guideline_version.number == 2


# --- late -----------------------------------------------------------------------------------------


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


# --- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_items", [3, 30])
def test_the_cost_of_an_item_does_not_grow(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    n_items: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    for _ in range(n_items - 1):
        judge(claim(campaign, raul), raul)
    judge(claim(campaign, rosa), rosa)

    with django_assert_num_queries(2):  # admitted, claim
        slot = claim(campaign, rosa)
    item = slot.item
    with django_assert_num_queries(4):  # savepoint, is it judged, draft, savepoint
        slots.save_draft(item=item, rater=rosa, content={"reason": "B is short"}, now=NOON)
    with django_assert_num_queries(2):
        slots.heartbeat(lease=lease_of(slot), rater=rosa, now=NOON)
    with django_assert_num_queries(
        9
    ):  # presented, savepoint, fill, lease, judgment, comparison, ranked, draft, savepoint
        judge(slot, rosa)


# --- second thoughts ------------------------------------------------------------------------------


def test_an_undo_gives_back_what_was_handed_out_next(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa)
    following = claim(comparison_campaign, rosa)

    undo.undo(lease=lease_of(slot), rater=rosa, draft={}, now=NOON)

    assert Slot.objects.get(pk=following.pk).state == Slot.State.FREE
    assert claim(comparison_campaign, rosa).lease == slot.lease


def test_an_undo_of_a_late_answer_frees_the_slot_it_had_filled(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2
    )
    slot = claim(campaign, rosa)
    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)
    claim(campaign, raul)
    late = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(1)
    )

    undo.undo(lease=lease_of(slot), rater=rosa, draft={"text": "Four."}, now=after(1))

    assert late.slot is not None
    late.slot.refresh_from_db()
    assert late.slot.state == Slot.State.FREE
    assert Draft.objects.get().content == {"text": "Four."}


def test_an_answer_that_something_was_built_on_is_not_undone(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa, edit=Edit(0, "Better."))
    other = Item.objects.exclude(pk=slot.item_id).earliest("pk")
    ItemResponse.objects.create(item=other, response=Response.objects.get(source__kind="person"))

    with pytest.raises(undo.UnableToUndo):
        undo.undo(lease=lease_of(slot), rater=rosa, draft={}, now=NOON)

    assert Judgment.objects.count() == 1
    assert Slot.objects.get(pk=slot.pk).state == Slot.State.SUBMITTED


def test_a_second_edit_of_the_same_prompt_is_a_response_of_its_own(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa, edit=Edit(0, "Better."))

    correct.correct(
        lease=lease_of(slot),
        rater=rosa,
        version=1,
        answer=ComparisonAnswer(**ALL_RANKED, edit=Edit(0, "Better still.")),
        now=after(1),
    )

    assert list(
        Response.objects.filter(source__kind="person")
        .order_by("number")
        .values_list("text", flat=True)
    ) == [
        "Better.",
        "Better still.",
    ]


def test_counts_and_exports_use_the_version_that_stands(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=DemonstrationAnswer(text="Four."),
        recorded=Recorded(active_s=60),
        now=NOON,
    )

    correct.correct(
        lease=lease_of(slot),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Four!"),
        recorded=Recorded(active_s=5),
        now=after(9),
    )

    assert [row.response for row in streams.demonstrations()] == ["Four!"]
    assert demonstration_campaign.judgments.count() == rosa.judgments.count() == 1
    assert Judgment.objects.get().active_s == 65
