"""Items that every rater judges, and items that a rater judges twice."""

from datetime import timedelta

import pytest

from labeling.campaigns import board
from labeling.data.exports import streams
from labeling.desk.judgments import submit, undo
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rater, Slot
from labeling.people.pools import services as pools_services
from labeling.quality import services as quality_services
from labeling.queue import slots as queue_slots
from labeling.queue.claiming import claim, order, work_left
from tests.cast import NOON, open_demonstration_campaign, rater_called
from tests.labeling.campaigns.judging import comparing, judge_one, prefer
from tests.tooling.recordings import recorded

# --- calibration ----------------------------------------------------------------------------------


@pytest.fixture
@recorded
def calibrated(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater) -> Campaign:
    """Items 0 and 5 of 10 are judged by everybody; overlap 1."""
    return open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=10, calibration_percent=20
    )


def write_all(campaign: Campaign, rater: Rater, *, most: int = 100) -> list[int]:
    """Positions of the items they were given."""
    positions = []
    for _ in range(most):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
        if slot is None:
            break
        assert slot.lease is not None
        submit.submit(
            lease=slot.lease, rater=rater, answer=DemonstrationAnswer(text="Four."), now=NOON
        )
        positions.append(slot.item.position)
    return positions


@pytest.mark.django_db
def test_every_rater_of_the_pool_judges_calibration_items(
    calibrated: Campaign, rosa: Rater, raul: Rater
) -> None:
    assert write_all(calibrated, rosa) == list(range(10))
    assert write_all(calibrated, raul) == [0, 5]
    assert board.campaign_rows(campaigns=[calibrated], now=NOON)[0].progress.is_done


@pytest.mark.django_db
def test_who_joins_later_is_calibrated_first(
    calibrated: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    write_all(calibrated, rosa, most=3)

    newcomer = rater_called("Nina", pool=day_shift)

    *first, then = write_all(calibrated, newcomer, most=3)
    assert (sorted(first), then) == ([0, 5], 3)  # the two were added together, in no order


@pytest.mark.django_db
def test_who_leaves_leaves_no_judgment_to_wait_for(
    calibrated: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    pools_services.remove_raters(pool=day_shift, raters=[raul], by=None, now=NOON)

    write_all(calibrated, rosa)

    assert not calibrated.slots.exclude(state="submitted").exists()


@pytest.mark.django_db
def test_a_skipped_calibration_item_waits_for_nobody(
    calibrated: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claim.claim(campaign=calibrated, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    queue_slots.skip(lease=slot.lease, rater=rosa, reason="not_my_field", now=NOON)

    write_all(calibrated, rosa)
    write_all(calibrated, raul)

    assert not calibrated.slots.exclude(state="submitted").exists()


# --- repeats --------------------------------------------------------------------------------------


@pytest.fixture
@recorded
def repeating(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Campaign:
    """Item 0 of 12 comes again, to whoever judged it; overlap 1."""
    return comparing(day_shift, guideline, repeat_percent=5, n_items=12, overlap=1, n_responses=3)


@pytest.mark.django_db
def test_a_repeat_comes_after_others_and_in_reversed_order(
    repeating: Campaign, rosa: Rater
) -> None:
    slots = []
    for number in range(10):
        slot = claim.claim(campaign=repeating, rater=rosa, now=NOON + timedelta(minutes=number))
        prefer(slot, now=NOON + timedelta(minutes=number))
        slots.append(slot)

    again = [slot for slot in slots if slot is not None and slot.item.repeat_of_id is not None]
    assert [slots.index(slot) for slot in again] == [order.REPEAT_AFTER + 1]
    first, repeat = slots[0], again[0]
    assert first is not None
    assert repeat.item.repeat_of_id == first.item_id
    assert order.presented(repeat) == order.presented(first)[::-1]
    assert len(order.presented(repeat)) == 3


@pytest.mark.django_db
def test_a_repeat_does_not_bring_upsetting_content_back(repeating: Campaign, rosa: Rater) -> None:
    first = judge_one(repeating, rosa)
    assert first is not None
    Prompt.objects.filter(pk=first.prompt_id).update(sensitive=["hate"])

    for number in range(1, 12):
        judge_one(repeating, rosa, now=NOON + timedelta(minutes=number))

    assert not Judgment.of_people.filter(item__repeat_of=first.item_id).exists()
    assert not work_left.has_work(campaign=repeating, rater=rosa, now=NOON + timedelta(hours=1))


@pytest.mark.django_db
def test_a_repeat_is_for_nobody_else(
    repeating: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    judge_one(repeating, rosa)

    for number in range(20):
        slot = claim.claim(campaign=repeating, rater=raul, now=NOON + timedelta(minutes=number))
        if slot is None:
            break
        assert slot.item.repeat_of_id is None
        prefer(slot, now=NOON + timedelta(minutes=number))


@pytest.mark.django_db
def test_the_desk_knows_of_a_repeat_that_is_due(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = comparing(
        day_shift, guideline, repeat_percent=5, n_items=order.REPEAT_AFTER + 1, overlap=1
    )
    later = NOON + timedelta(hours=1)
    for number in range(order.REPEAT_AFTER + 1):
        judge_one(campaign, rosa, now=NOON + timedelta(minutes=number))

    assert work_left.has_work(campaign=campaign, rater=rosa, now=later)
    judge_one(campaign, rosa, now=later)

    assert Judgment.of_people.filter(item__repeat_of__isnull=False).count() == 1
    assert not work_left.has_work(campaign=campaign, rater=rosa, now=later)


@pytest.mark.django_db
def test_an_undone_answer_takes_its_repeat_back(repeating: Campaign, rosa: Rater) -> None:
    judgment = judge_one(repeating, rosa)
    assert judgment is not None
    assert judgment.lease is not None
    assert Slot.objects.filter(reserved_for=rosa).exists()

    undo.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    assert not Slot.objects.filter(reserved_for=rosa).exists()


@pytest.mark.django_db
def test_repeats_leave_only_when_they_are_asked_for(repeating: Campaign, rosa: Rater) -> None:
    for number in range(12):
        judge_one(repeating, rosa, now=NOON + timedelta(minutes=number))

    rows = list(streams.comparisons())
    with_repeats = list(streams.comparisons(include_repeats=True))

    assert (len(rows), len(with_repeats)) == (11, 12)
    assert [row.is_repeat for row in with_repeats].count(True) == 1


@pytest.mark.django_db
def test_repeats_feed_agreement_with_oneself(repeating: Campaign, rosa: Rater) -> None:
    for number in range(12):
        judge_one(repeating, rosa, now=NOON + timedelta(minutes=number))

    report = quality_services.compute_quality(
        campaign_id=repeating.pk, now=NOON + timedelta(hours=1)
    )

    assert report is not None
    assert report.results["agreement"]["self"]["n"] == 3
    assert report.results["agreement"]["self"]["value"] == 1.0


@pytest.mark.django_db
def test_a_repeat_that_is_not_due_is_no_work_that_is_left(repeating: Campaign, rosa: Rater) -> None:
    judge_one(repeating, rosa)

    progress = board.campaign_rows(campaigns=[repeating], now=NOON)[0].progress

    assert (progress.n_slots, progress.n_submitted) == (12, 1)
