"""Taking an item, holding it by heartbeat, giving it back, and its draft."""

import pytest
from pytest_django import DjangoAssertNumQueries

from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Draft, Guideline, Pass, Pool, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim as claiming_claim
from labeling.queue.claiming import order
from tests.cast import NOON, lease_of, open_comparison_campaign, open_demonstration_campaign
from tests.labeling.queue.rater_steps import after, claim, judge, write

pytestmark = pytest.mark.django_db


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
    # presented, savepoint, withdrawn, fill, lease, judgment, comparison, ranked, draft, savepoint
    with django_assert_num_queries(10):
        judge(slot, rosa)
