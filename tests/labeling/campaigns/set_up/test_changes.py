"""Changing an open campaign: overlap, guideline, form and rule of overlap."""

from collections import Counter

import pytest

from accounts.models import AuditEvent, User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Guideline, Judgment, Pool, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON
from tests.labeling.campaigns.judging import comparing, judge_one, prefer, raters_in


@pytest.mark.django_db
def test_a_higher_overlap_asks_everybody_for_more(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, n_items=3, overlap=1)
    first, second = raters_in(day_shift, 2)
    while judge_one(campaign, first):
        pass
    assert judge_one(campaign, second) is None

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 2}, by=alice, now=NOON)

    assert judge_one(campaign, first) is None
    for _ in range(3):
        assert judge_one(campaign, second) is not None
    assert set(Counter(Judgment.of_people.values_list("item", flat=True)).values()) == {2}


@pytest.mark.django_db
def test_a_lower_overlap_keeps_what_was_judged_and_what_is_in_hand(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, n_items=2, overlap=3)
    first, second, third = raters_in(day_shift, 3)
    judge_one(campaign, first)
    held = claim.claim(campaign=campaign, rater=second, now=NOON)

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 1}, by=alice, now=NOON)

    prefer(held)
    assert judge_one(campaign, third) is not None
    assert judge_one(campaign, third) is None
    assert sorted(Counter(Judgment.of_people.values_list("item__position", flat=True)).items()) == [
        (0, 2),
        (1, 1),
    ]


@pytest.mark.django_db
def test_another_guideline_leaves_old_answers_under_theirs(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = comparing(day_shift, guideline, n_items=3, overlap=1)
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
    campaign = comparing(day_shift, guideline, n_items=2, overlap=1)
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
        for judgment in Judgment.of_people.order_by("pk")
        if judgment.guideline_version
    ] == [
        1,
        2,
    ]


@pytest.mark.django_db
def test_what_is_asked_for_can_be_made_dynamic_while_work_goes_on(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = comparing(day_shift, guideline, n_items=2)
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
    campaign = comparing(day_shift, guideline)
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
    campaign = comparing(day_shift, guideline, n_items=2, overlap=1)
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
