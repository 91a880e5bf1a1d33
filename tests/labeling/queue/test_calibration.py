"""Calibration items do not wait for raters who have left, so that the campaign ends; a rater who
returns gets them again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from labeling.campaigns import board
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, CrowdLink, CrowdVisit, Guideline, Pool, Rater, Slot
from labeling.people.accounts import services as accounts_services
from labeling.people.crowd import services as crowd_services
from labeling.people.pools import services as pools_services
from labeling.people.withdrawals import withdrawal
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.gold import scores
from tests.cast import (
    NOON,
    lease_of,
    login_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
)
from tests.labeling.campaigns.judging import judge_one
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db

PERCENT = 50
"""Items 0 and 2 of 4 are judged by everybody."""


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Campaign:
    """Open, overlap 1; Rosa is in the pool."""
    return open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=4, calibration_percent=PERCENT
    )


def write(campaign: Campaign, rater: Rater, *, most: int = 10, now: datetime = NOON) -> int:
    """How many items they were given."""
    for n in range(most):
        slot = claim.claim(campaign=campaign, rater=rater, now=now)
        if slot is None:
            return n
        submit.submit(
            lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text="Four."), now=now
        )
    return most


def standing(campaign: Campaign, *, now: datetime = NOON) -> tuple[bool, int]:
    """Whether the board calls it done, and how much it calls stuck."""
    found = board.campaign_board(campaign=campaign, now=now)
    return found.progress.is_done, found.stuck.n


def close_login(rater: Rater, *, is_active: bool = False) -> None:
    user = login_of(rater)
    accounts_services.change_person(
        user=user,
        email=user.email,
        name=user.name,
        roles=["rater"],
        time_zone="UTC",
        is_active=is_active,
        by=None,
        now=NOON,
    )


LEAVING: dict[str, Callable[[Pool, Rater], object]] = {
    "removed": lambda pool, rater: pools_services.remove_raters(
        pool=pool, raters=[rater], by=None, now=NOON
    ),
    "withdrawn": lambda _pool, rater: withdrawal.withdraw_rater(rater=rater, by=None, now=NOON),
    "login closed": lambda _pool, rater: close_login(rater),
    "logins closed": lambda _pool, rater: accounts_services.deactivate_raters(
        raters=[rater], by=None, now=NOON
    ),
    "paused": lambda pool, rater: accounts_services.pause_raters(
        pool=pool, raters=[rater], by=None, now=NOON
    ),
}


@pytest.mark.parametrize("how", LEAVING)
def test_who_comes_no_more_leaves_no_judgment_to_wait_for(
    how: str, campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    LEAVING[how](day_shift, raul)

    assert write(campaign, rosa) == 4
    assert not campaign.slots.exclude(state="submitted").exists()
    assert standing(campaign) == (True, 0)


@pytest.mark.parametrize("how", LEAVING)
def test_what_they_judged_before_stays(
    how: str, campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    assert write(campaign, raul, most=1) == 1

    LEAVING[how](day_shift, raul)

    assert write(campaign, rosa) == 4
    # Which of the items he judged depends on the numbers of rows.
    assert campaign.slots.filter(state="submitted").count() == 5
    assert standing(campaign) == (True, 0)


@pytest.mark.parametrize(
    "how", sorted(LEAVING.keys() - {"withdrawn"})
)  # a withdrawal ends their leases
def test_what_they_held_is_asked_of_nobody_in_their_place(
    how: str, campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    held = claim.claim(campaign=campaign, rater=raul, now=NOON)
    LEAVING[how](day_shift, raul)
    later = NOON + timedelta(hours=2)
    write(campaign, rosa)
    while_held = standing(campaign)

    assert claim.claim(campaign=campaign, rater=rosa, now=later) is None

    assert while_held == (False, 0)
    assert standing(campaign, now=later) == (True, 0)
    assert submit.submit(
        lease=lease_of(held), rater=raul, answer=DemonstrationAnswer(text="Four."), now=later
    ).is_extra


def test_who_is_let_back_in_is_asked_again(
    campaign: Campaign, day_shift: Pool, raul: Rater, rita: Rater
) -> None:
    accounts_services.pause_raters(pool=day_shift, raters=[raul], by=None, now=NOON)
    close_login(rita)
    while_away = campaign.slots.filter(item__position=0).count()

    accounts_services.resume_raters(pool=day_shift, raters=[raul], by=None, now=NOON)
    close_login(rita, is_active=True)

    assert while_away == 1
    assert campaign.slots.filter(item__position=0).count() == 3


def test_a_pause_by_golds_is_no_reason_to_wait_in_that_campaign(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, n_responses=2, calibration_percent=PERCENT
    )

    scores.pause_rater(campaign=campaign, rater=raul, by=None, now=NOON)
    judge_one(campaign, rosa)
    while_paused = standing(campaign)
    scores.resume_rater(campaign=campaign, rater=raul, by=None, now=NOON)

    assert while_paused == (True, 0)
    assert judge_one(campaign, raul) is not None
    assert standing(campaign) == (True, 0)


def test_a_closed_campaign_asks_who_came_meanwhile_when_it_is_opened_again(
    campaign: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    write(campaign, rosa)
    campaigns_services.close_campaign(campaign=campaign, by=None, now=NOON)
    newcomer = rater_called("Nina", pool=day_shift)
    while_closed = standing(campaign)

    campaigns_services.reopen_campaign(campaign=campaign, by=None, now=NOON)

    assert while_closed == (True, 0)
    assert write(campaign, newcomer) == 2


# --- external crowds ------------------------------------------------------------------------------


@pytest.fixture
@recorded
def link(campaign: Campaign) -> CrowdLink:
    return crowd_services.create_crowd_link(
        campaign=campaign,
        name="Study",
        id_parameter="ID",
        completion_code="C",
        n_items=2,
        n_places=50,
        by=None,
        now=NOON,
    )


def workers(link: CrowdLink, n: int) -> list[CrowdVisit]:
    return [
        crowd_services.begin_visit(link=link, external_id=f"worker-{number}", now=NOON)
        for number in range(n)
    ]


def test_a_crowd_worker_is_asked_while_their_visit_goes_on(
    campaign: Campaign, link: CrowdLink
) -> None:
    (visit,) = workers(link, 1)

    assert write(campaign, visit.rater, most=2) == 2
    assert set(Slot.objects.filter(rater=visit.rater).values_list("item__position", flat=True)) == {
        0,
        2,
    }


def test_workers_who_return_their_study_leave_nothing_behind(
    campaign: Campaign, link: CrowdLink, rosa: Rater
) -> None:
    for visit in workers(link, 5):
        claim.claim(campaign=campaign, rater=visit.rater, now=NOON)
        crowd_services.return_visit(visit=visit, now=NOON)

    assert write(campaign, rosa) == 4
    assert campaign.slots.count() == 4
    assert standing(campaign) == (True, 0)


def test_workers_whose_time_is_up_leave_nothing_behind(
    campaign: Campaign, link: CrowdLink, rosa: Rater
) -> None:
    for visit in workers(link, 3):
        claim.claim(campaign=campaign, rater=visit.rater, now=NOON)
    later = NOON + timedelta(hours=3)

    assert crowd_services.end_expired_visits(now=later) == 3

    assert write(campaign, rosa, now=later) == 4
    assert standing(campaign, now=later) == (True, 0)


def test_workers_who_have_done_their_share_leave_what_they_judged(
    campaign: Campaign, link: CrowdLink, rosa: Rater
) -> None:
    (visit,) = workers(link, 1)
    first = claim.claim(campaign=campaign, rater=visit.rater, now=NOON)
    slots.skip(lease=lease_of(first), rater=visit.rater, reason="not_my_field", now=NOON)
    write(campaign, visit.rater, most=2)

    assert crowd_services.complete_visit(visit=visit, now=NOON)

    write(campaign, rosa)
    assert campaign.slots.filter(state="submitted", rater=visit.rater).count() == 2
    assert standing(campaign) == (True, 0)


def test_an_admin_who_resumes_a_pool_asks_nothing_of_workers_who_left(
    campaign: Campaign, day_shift: Pool, link: CrowdLink, rosa: Rater
) -> None:
    (visit,) = workers(link, 1)
    crowd_services.return_visit(visit=visit, now=NOON)

    accounts_services.resume_raters(pool=day_shift, raters=[visit.rater], by=None, now=NOON)

    write(campaign, rosa)
    assert standing(campaign) == (True, 0)
