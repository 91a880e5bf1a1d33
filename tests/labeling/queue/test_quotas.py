"""A pool's limits per rater, checked at the claim."""

from datetime import datetime, timedelta

import pytest

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Pool, Rater, Slot
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim
from tests.cast import NOON, open_demonstration_campaign

pytestmark = pytest.mark.django_db


def limited(pool: Pool, *, per_day: int | None = None, at_once: int | None = None) -> None:
    pools_services.edit_pool(
        pool=pool,
        name=pool.name,
        description="",
        is_held_out=False,
        terms=pools_services.PoolTerms(max_per_day=per_day, max_at_once=at_once),
        by=None,
        now=NOON,
    )


def write(campaign: Campaign, rater: Rater, *, now: datetime = NOON) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease, rater=rater, answer=DemonstrationAnswer(text="An answer."), now=now
    )


def refusal(campaign: Campaign, rater: Rater, *, now: datetime = NOON) -> str:
    with pytest.raises(claim.UnableToClaim) as raised:
        claim.claim(campaign=campaign, rater=rater, now=now)
    return raised.value.sentence


def test_a_full_day_is_refused_with_a_sentence(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    limited(day_shift, per_day=2)
    write(demonstration_campaign, rosa)
    write(demonstration_campaign, rosa)

    assert (
        refusal(demonstration_campaign, rosa)
        == "You have reached the daily limit of 2 items in “Day shift”. More are available after"
        " midnight."
    )


def test_the_next_day_begins_at_the_raters_own_midnight(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    User.objects.filter(rater=rosa).update(time_zone="Asia/Tokyo")
    limited(day_shift, per_day=1)
    write(demonstration_campaign, Rater.everyone.get(pk=rosa.pk), now=NOON)

    tokyo_midnight = NOON + timedelta(hours=3)

    assert "after midnight" in refusal(
        demonstration_campaign, rosa, now=tokyo_midnight - timedelta(minutes=1)
    )
    assert claim.claim(campaign=demonstration_campaign, rater=rosa, now=tokyo_midnight) is not None


def test_full_hands_are_refused_over_all_campaigns_of_the_pool(
    day_shift: Pool, guideline: Guideline, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    other = open_demonstration_campaign(pool=day_shift, guideline=guideline, name="Write more")
    limited(day_shift, at_once=1)
    claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)

    assert refusal(other, rosa).startswith("You have 1 item of “Day shift” open")


def test_an_item_in_progress_comes_back_whatever_the_quota(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    limited(day_shift, at_once=1, per_day=1)

    again = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)

    assert slot is not None
    assert again == slot


def test_one_raters_quota_is_not_anothers(
    day_shift: Pool, rosa: Rater, raul: Rater, demonstration_campaign: Campaign
) -> None:
    limited(day_shift, per_day=1)
    write(demonstration_campaign, rosa)

    assert claim.claim(campaign=demonstration_campaign, rater=raul, now=NOON) is not None


def test_a_paused_pool_gives_nothing_until_it_is_resumed(
    day_shift: Pool, alice: User, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    pools_services.pause_pool(pool=day_shift, by=alice, now=NOON)
    assert "is paused" in refusal(demonstration_campaign, rosa)

    pools_services.resume_pool(pool=day_shift, by=alice, now=NOON)

    assert claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON) is not None
    assert list(
        AuditEvent.objects.filter(by=alice).order_by("pk").values_list("action", flat=True)
    ) == ["pause", "resume"]


def test_pausing_twice_is_one_act(day_shift: Pool, alice: User) -> None:
    assert pools_services.pause_pool(pool=day_shift, by=alice, now=NOON)
    assert not pools_services.pause_pool(pool=day_shift, by=alice, now=NOON)


def test_a_paused_rater_is_given_nothing_and_others_are(
    day_shift: Pool, alice: User, rosa: Rater, raul: Rater, demonstration_campaign: Campaign
) -> None:
    assert accounts_services.pause_raters(pool=day_shift, raters=[rosa], by=alice, now=NOON) == 1

    assert "paused you" in refusal(demonstration_campaign, rosa)
    assert claim.claim(campaign=demonstration_campaign, rater=raul, now=NOON) is not None


def test_what_is_held_when_the_pause_comes_can_be_submitted(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Campaign
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    accounts_services.pause_raters(pool=day_shift, raters=[rosa], by=None, now=NOON)
    assert slot is not None
    assert slot.lease is not None

    submit.submit(
        lease=slot.lease, rater=rosa, answer=DemonstrationAnswer(text="An answer."), now=NOON
    )

    assert Slot.objects.get(pk=slot.pk).state == Slot.State.SUBMITTED
