"""How much is asked for: overlap that follows doubt, items that everybody judges, repeats, and
budgets.
"""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, Notice, User
from labeling.campaigns import board
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.services import Effort
from labeling.data.exports import streams
from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments.answers import ComparisonAnswer, DemonstrationAnswer, Recorded
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rate, Rater, Slot
from labeling.people.pools import services as pools_services
from labeling.quality import services as quality_services
from labeling.quality.votes.item_consensus import certainty_of
from labeling.queue import claim, order, work_left
from labeling.queue import slots as queue_slots
from labeling.statistics.consensus import certainty
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign, rater_called

DYNAMIC = Effort(max_overlap=5)


def comparing(
    pool: Pool,
    guideline: Guideline,
    effort: Effort,
    *,
    n_items: int = 1,
    overlap: int = 2,
    **fields: Any,
) -> Campaign:
    values: dict[str, Any] = {"n_responses": 2, "overlap": overlap, "effort": effort} | fields
    return open_comparison_campaign(pool=pool, guideline=guideline, n_items=n_items, **values)


def raters_in(pool: Pool, n: int) -> list[Rater]:
    names = [f"rater {number}" for number in range(n)]
    users = User.objects.bulk_create(
        User(email=f"{name.replace(' ', '')}@example.org", name=name, is_rater=True)
        for name in names
    )
    raters = Rater.objects.bulk_create(Rater(alias=user.name, user=user) for user in users)
    pools_services.add_raters(pool=pool, raters=raters, by=None, now=NOON)
    return raters


def prefer(
    slot: Slot | None,
    *,
    number: int | None = 0,
    now: datetime = NOON,
    active_s: float | None = None,
) -> Judgment:
    """Whoever holds the slot puts response `number` first; None ties all."""
    assert slot is not None
    assert slot.lease is not None
    assert slot.rater is not None
    shown = order.presented(slot)
    ranks: dict[int, int | None] = {
        place: 1 if number in (None, response.number) else 2 for place, response in enumerate(shown)
    }
    ratings = {place: {"overall": 4} for place in ranks}
    return submit.submit(
        lease=slot.lease,
        rater=slot.rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        recorded=Recorded(active_s=active_s),
        now=now,
    )


def judge_one(
    campaign: Campaign, rater: Rater, *, number: int | None = 0, now: datetime = NOON
) -> Judgment | None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    return prefer(slot, number=number, now=now) if slot else None


def votes(campaign: Campaign, raters: Sequence[Rater], numbers: Sequence[int | None]) -> None:
    for rater, number in zip(raters, numbers, strict=True):
        assert judge_one(campaign, rater, number=number) is not None


# --- how sure votes are ---------------------------------------------------------------------------


def test_two_usual_raters_who_agree_are_surer_than_two_against_one() -> None:
    agree = certainty.certainty(units=[0, 0], raters=[1, 2], labels=[1, 1], accuracy={})
    apart = certainty.certainty(units=[0, 0, 0], raters=[1, 2, 3], labels=[1, 1, -1], accuracy={})

    # 0.75² against two labels of 0.125² each; 0.75² · 0.125 against 0.125² · 0.75 and 0.125³
    assert agree == pytest.approx(0.5625 / (0.5625 + 2 * 0.015625))
    assert apart == pytest.approx(0.0703125 / (0.0703125 + 0.01171875 + 0.001953125))


def test_a_reliable_rater_outweighs_two_that_hardly_beat_chance() -> None:
    sure = certainty.certainty(
        units=[0] * 3, raters=[1, 2, 3], labels=[1, -1, -1], accuracy={1: 0.95, 2: 0.4, 3: 0.4}
    )

    assert sure == pytest.approx(0.95 * 0.09 / (0.95 * 0.09 + 0.025 * 0.16 + 0.025 * 0.09))


def test_nothing_is_certain_without_votes() -> None:
    assert certainty.certainty(units=[], raters=[], labels=[], accuracy={}) == 0.0


# --- dynamic overlap ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_item_on_which_raters_agree_keeps_its_overlap(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC)

    votes(campaign, raters_in(day_shift, 2), [0, 0])

    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_a_doubtful_item_is_judged_once_more_until_raters_are_sure(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC)
    raters = raters_in(day_shift, 6)

    votes(campaign, raters[:2], [0, 1])
    assert campaign.slots.count() == 3
    votes(campaign, raters[2:3], [0])  # two against one: 0.84
    assert campaign.slots.count() == 4
    votes(campaign, raters[3:4], [0])  # three against one: 0.97

    assert campaign.slots.count() == 4
    assert claim.claim(campaign=campaign, rater=raters[4], now=NOON) is None


@pytest.mark.django_db
def test_an_item_that_stays_doubtful_ends_at_the_most(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC)
    raters = raters_in(day_shift, 7)

    votes(campaign, raters[:5], [0, 1, None, 0, 1])

    assert judge_one(campaign, raters[5]) is None
    assert Judgment.objects.filter(is_extra=False).count() == 5


@pytest.mark.django_db
def test_a_correction_that_settles_a_doubt_takes_the_free_slot_back(
    day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC)
    raters = raters_in(day_shift, 2)
    votes(campaign, raters, [0, 1])
    second = Judgment.objects.get(rater=raters[1])
    assert second.lease is not None

    shown = second.comparison.ranked.order_by("position").select_related("response")
    ranks: dict[int, int | None] = {row.position: 1 + row.response.number for row in shown}
    ratings = {place: {"overall": 4} for place in ranks}
    correct.correct(
        lease=second.lease,
        rater=raters[1],
        version=1,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOON,
    )

    assert set(campaign.slots.values_list("state", flat=True)) == {"submitted"}
    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_raters_who_call_all_bad_agree(day_shift: Pool, guideline: Guideline) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC)
    for rater in raters_in(day_shift, 2):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
        assert slot is not None
        assert slot.lease is not None
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(
                ranks={},
                ratings={place: {"overall": 1} for place in range(2)},
                reason="Both are off.",
                is_all_bad=True,
            ),
            now=NOON,
        )

    assert campaign.slots.count() == 2


@pytest.mark.django_db
def test_deciding_costs_the_same_whatever_the_campaign_holds(
    day_shift: Pool, guideline: Guideline, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    campaign = comparing(day_shift, guideline, DYNAMIC, n_items=30)
    first, second = raters_in(day_shift, 2)
    for _ in range(30):
        judge_one(campaign, first)
    slot = claim.claim(campaign=campaign, rater=second, now=NOON)

    with django_assert_max_num_queries(24):
        prefer(slot, number=1)


def drain(campaign: Campaign, rater: Rater, seed: int, start: threading.Barrier) -> None:
    """Judges at random until three claims in a row find nothing; gives one item in ten back."""
    chance = random.Random(seed)
    now, n_empty = NOON, 0
    start.wait()
    try:
        while n_empty < 3:
            slot = claim.claim(campaign=campaign, rater=rater, now=now)
            now += timedelta(seconds=90 if slot is None else 1)
            n_empty = n_empty + 1 if slot is None else 0
            if slot is not None and chance.random() < 0.1:
                assert slot.lease is not None
                queue_slots.release(lease=slot.lease, rater=rater, now=now)
            elif slot is not None:
                prefer(slot, number=chance.choice([0, 1, None]), now=now)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_twenty_raters_at_once_never_exceed_the_most(day_shift: Pool, guideline: Guideline) -> None:
    effort = Effort(max_overlap=5, calibration_percent=20, repeat_percent=20)
    campaign = comparing(day_shift, guideline, effort, n_items=20)
    raters = raters_in(day_shift, 20)
    start = threading.Barrier(len(raters))

    with ThreadPoolExecutor(len(raters)) as threads:
        futures = [
            threads.submit(drain, campaign, rater, seed, start) for seed, rater in enumerate(raters)
        ]
        for future in futures:
            future.result()

    given = Counter(Judgment.objects.filter(is_extra=False).values_list("item", flat=True))
    plain = campaign.items.filter(is_calibration=False, repeat_of=None)
    assert all(2 <= given[item.pk] <= 5 for item in plain)
    assert all(
        given[item.pk] == len(raters) for item in campaign.items.filter(is_calibration=True)
    ), "everybody, once"
    pairs = Counter(Judgment.objects.values_list("item", "rater"))
    assert set(pairs.values()) == {1}
    assert not Judgment.objects.filter(is_extra=True).exists()
    assert not campaign.slots.exclude(state="submitted").filter(reserved_for=None).exists(), (
        "nothing is left"
    )
    for item in plain:
        if given[item.pk] < 5:
            assert certainty_of(item=item) >= 0.9


# --- calibration ----------------------------------------------------------------------------------


@pytest.fixture
def calibrated(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater) -> Campaign:
    """Items 0 and 5 of 10 are judged by everybody; overlap 1."""
    return open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=10, effort=Effort(calibration_percent=20)
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

    assert write_all(calibrated, newcomer, most=3) == [0, 5, 3]


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
def repeating(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Campaign:
    """Item 0 of 12 comes again, to whoever judged it; overlap 1."""
    return comparing(
        day_shift, guideline, Effort(repeat_percent=5), n_items=12, overlap=1, n_responses=3
    )


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

    assert not Judgment.objects.filter(item__repeat_of=first.item_id).exists()
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
        day_shift, guideline, Effort(repeat_percent=5), n_items=order.REPEAT_AFTER + 1, overlap=1
    )
    later = NOON + timedelta(hours=1)
    for number in range(order.REPEAT_AFTER + 1):
        judge_one(campaign, rosa, now=NOON + timedelta(minutes=number))

    assert work_left.has_work(campaign=campaign, rater=rosa, now=later)
    judge_one(campaign, rosa, now=later)

    assert Judgment.objects.filter(item__repeat_of__isnull=False).count() == 1
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


# --- budgets --------------------------------------------------------------------------------------


def budgeted(pool: Pool, guideline: Guideline, unit: str, amount: str) -> Campaign:
    effort = Effort(budget_unit=unit, budget=Decimal(amount))
    return comparing(pool, guideline, effort, n_items=6, overlap=1)


@pytest.mark.django_db
def test_a_spent_budget_pauses_the_campaign_and_admins_are_told(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")

    judge_one(campaign, rosa)
    judge_one(campaign, rosa)

    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is None
    (notice,) = Notice.objects.filter(person=alice)
    assert "“Compare” has spent its budget and is paused" in notice.sentence
    assert (
        AuditEvent.objects.filter(action="state:paused", by=None, after__reason="budget").count()
        == 1
    )


@pytest.mark.django_db
def test_what_is_in_hand_can_be_submitted_after_the_budget_is_spent(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")
    held = claim.claim(campaign=campaign, rater=raul, now=NOON)
    judge_one(campaign, rosa)
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(1)}, by=None, now=NOON
    )

    assert not prefer(held).is_extra


@pytest.mark.django_db
def test_hours_are_counted_in_active_seconds(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "hours", "1")

    for seconds in (1800.0, 1500.0):
        prefer(
            claim.claim(campaign=campaign, rater=rosa, now=NOON),
            active_s=seconds,
            now=NOON + timedelta(hours=1),
        )
    campaign.refresh_from_db()
    assert campaign.state == "open"  # five minutes are left, and a judgment like these takes less
    prefer(
        claim.claim(campaign=campaign, rater=rosa, now=NOON),
        active_s=290.0,
        now=NOON + timedelta(hours=1),
    )

    campaign.refresh_from_db()
    assert campaign.state == "paused"


@pytest.mark.django_db
def test_money_is_counted_at_the_pools_rate(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    Rate.objects.create(
        pool=day_shift, kind="comparison", basis="item", amount=50, currency="EUR", valid_from=NOON
    )
    campaign = budgeted(day_shift, guideline, "money", "1.50")

    for _ in range(3):
        judge_one(campaign, rosa)

    campaign.refresh_from_db()
    assert campaign.state == "paused"


@pytest.mark.django_db
def test_money_needs_a_rate(day_shift: Pool, guideline: Guideline) -> None:
    with pytest.raises(
        campaigns_services.UnableToCreateCampaign, match="no rate for this kind of work"
    ):
        budgeted(day_shift, guideline, "money", "5")


@pytest.mark.django_db
def test_a_campaign_with_a_spent_budget_goes_on_when_it_is_raised(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "1")
    judge_one(campaign, rosa)
    campaign.refresh_from_db()

    with pytest.raises(campaigns_services.UnableToOpen, match="budget is spent"):
        campaigns_services.open_campaign(campaign=campaign, by=alice, now=NOON)
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(3)}, by=alice, now=NOON
    )

    assert campaigns_services.open_campaign(campaign=campaign, by=alice, now=NOON)
    assert judge_one(campaign, rosa) is not None


@pytest.mark.django_db
def test_an_undone_answer_is_not_spent(day_shift: Pool, guideline: Guideline, rosa: Rater) -> None:
    campaign = budgeted(day_shift, guideline, "judgments", "2")
    judgment = judge_one(campaign, rosa)
    assert judgment is not None
    assert judgment.lease is not None

    undo.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    campaign.refresh_from_db()
    assert (campaign.spent_judgments, campaign.state) == (0, "open")


# --- changing it in mid-campaign ------------------------------------------------------------------


@pytest.mark.django_db
def test_a_higher_overlap_asks_everybody_for_more(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=3, overlap=1)
    first, second = raters_in(day_shift, 2)
    while judge_one(campaign, first):
        pass
    assert judge_one(campaign, second) is None

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 2}, by=alice, now=NOON)

    assert judge_one(campaign, first) is None
    for _ in range(3):
        assert judge_one(campaign, second) is not None
    assert set(Counter(Judgment.objects.values_list("item", flat=True)).values()) == {2}


@pytest.mark.django_db
def test_a_lower_overlap_keeps_what_was_judged_and_what_is_in_hand(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=2, overlap=3)
    first, second, third = raters_in(day_shift, 3)
    judge_one(campaign, first)
    held = claim.claim(campaign=campaign, rater=second, now=NOON)

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 1}, by=alice, now=NOON)

    prefer(held)
    assert judge_one(campaign, third) is not None
    assert judge_one(campaign, third) is None
    assert sorted(Counter(Judgment.objects.values_list("item__position", flat=True)).items()) == [
        (0, 2),
        (1, 1),
    ]


@pytest.mark.django_db
def test_another_guideline_leaves_old_answers_under_theirs(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=3, overlap=1)
    old = judge_one(campaign, rosa)
    held = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    stricter = guidelines_services.create_guideline(
        name="Stricter", text="Be strict.", by=alice, now=NOON
    )

    campaigns_services.change_campaign(
        campaign=campaign, values={"guideline": stricter}, by=alice, now=NOON
    )
    in_hand = prefer(held)
    new = judge_one(campaign, rosa)

    assert old is not None
    assert new is not None
    old.refresh_from_db()
    assert [str(judgment.guideline_version) for judgment in (old, in_hand, new)] == [
        "Helpful answers v1",
        "Helpful answers v1",
        "Stricter v1",
    ]


@pytest.mark.django_db
def test_a_form_that_changed_leaves_unasked_questions_unanswered(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=2, overlap=1)
    old = judge_one(campaign, rosa)
    assert old is not None
    form = rating_form.RatingForm(
        (*rating_form.default().questions, rating_form.Flag(name="rude", label="rude", help=""))
    )
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Mind the tone.", form=form, by=alice, now=NOON
    )
    campaign.refresh_from_db()
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=ComparisonAnswer(
            ranks={0: 1, 1: 2},
            ratings={0: {"overall": 4, "rude": False}, 1: {"overall": 3, "rude": True}},
        ),
        now=NOON,
    )

    answered = [row.ratings.get("rude") for row in old.comparison.ranked.order_by("position")]
    assert answered == [None, None]
    assert [
        judgment.guideline_version.number
        for judgment in Judgment.objects.order_by("pk")
        if judgment.guideline_version
    ] == [
        1,
        2,
    ]


@pytest.mark.django_db
def test_what_is_asked_for_can_be_made_dynamic_while_work_goes_on(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=2)
    raters = raters_in(day_shift, 3)
    for number, rater in enumerate(raters[:2]):
        for _ in range(2):
            judge_one(campaign, rater, number=number)
    assert judge_one(campaign, raters[2]) is None

    campaigns_services.change_campaign(
        campaign=campaign, values={"max_overlap": 4}, by=alice, now=NOON
    )

    assert judge_one(campaign, raters[2]) is not None


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_not_written_down(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, Effort())
    n_events = AuditEvent.objects.count()

    assert not campaigns_services.change_campaign(
        campaign=campaign, values={"overlap": 2}, by=alice, now=NOON
    )
    assert campaigns_services.change_campaign(
        campaign=campaign, values={"overlap": 3}, by=alice, now=NOON
    )

    assert AuditEvent.objects.count() == n_events + 1
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.before, event.after) == ("change", {"overlap": 2}, {"overlap": 3})


@pytest.mark.django_db
def test_a_closed_campaign_goes_on_by_the_newest_guideline_when_it_is_opened_again(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = comparing(day_shift, guideline, Effort(), n_items=2, overlap=1)
    judge_one(campaign, rosa)
    campaigns_services.close_campaign(campaign=campaign, by=alice, now=NOON)
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Anew.", form=rating_form.default(), by=alice, now=NOON
    )
    assert judge_one(campaign, rosa) is None

    assert campaigns_services.reopen_campaign(campaign=campaign, by=alice, now=NOON)

    assert campaign.guideline_version.number == 2
    assert campaign.closed_at is None
    assert judge_one(campaign, rosa) is not None
    assert not campaigns_services.reopen_campaign(campaign=campaign, by=alice, now=NOON)
