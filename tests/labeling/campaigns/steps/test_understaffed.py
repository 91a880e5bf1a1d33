"""A campaign whose pool has nobody, or too few raters, says so before and after it is opened."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import Campaign, CrowdLink, Guideline, Pool, Rater, RaterSkill
from labeling.people.accounts import services as accounts_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.onboarding import services as onboarding_services
from labeling.people.pools import services as pools_services
from labeling.queue.stuck import understaffed
from tests.cast import NOON, rater_called, some_prompts
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import write_next
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

NOBODY = "Nobody can work on this campaign yet"


@pytest.fixture
@recorded
def draft(day_shift: Pool, guideline: Guideline) -> Campaign:
    return campaigns_services.create_campaign(
        name="Write",
        settings=DemonstrationSettings(),
        pool=day_shift,
        guideline=guideline,
        prompts=some_prompts(2),
        by=None,
        now=NOON,
    )


def test_a_draft_with_an_empty_pool_says_to_invite_raters(
    alice: User, draft: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{draft.pk}/"))

    assert NOBODY in page
    assert "The pool Day shift has no raters." in page
    assert f'href="/pools/{draft.pool_id}/invitations/">Invite raters' in page


def test_opening_a_campaign_for_nobody_does_not_say_that_raters_get_its_items(
    alice: User, draft: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).post(f"/campaigns/{draft.pk}/open", follow=True))

    assert "Write is open, but nobody can work on it yet." in page
    assert "Raters now get its items" not in page
    assert NOBODY in page


def test_a_campaign_with_a_rater_opens_without_a_warning(
    alice: User, rosa: Rater, draft: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).post(f"/campaigns/{draft.pk}/open", follow=True))

    assert "Raters now get its items" in page
    assert NOBODY not in page


def test_a_pending_invitation_is_counted(
    alice: User, draft: Campaign, day_shift: Pool, signed_in: SignedIn
) -> None:
    invitees = [Invitee("rosa@example.org", "Rosa")]
    invitations_services.invite_to_pool(pool=day_shift, invitees=invitees, by=alice, now=NOON)

    staff = understaffed(campaign=draft, now=NOON)

    assert staff is not None
    assert (staff.n_members, staff.n_invited) == (0, 1)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("pool paused", "The pool Day shift is paused."),
        ("raters paused", "All raters of the pool Day shift are paused"),
        ("onboarding", "No rater of the pool Day shift has finished onboarding."),
    ],
)
def test_the_warning_says_why_nobody_can_work(
    state: str,
    sentence: str,
    alice: User,
    rosa: Rater,
    draft: Campaign,
    day_shift: Pool,
    signed_in: SignedIn,
) -> None:
    if state == "pool paused":
        pools_services.pause_pool(pool=day_shift, by=alice, now=NOON)
    elif state == "raters paused":
        accounts_services.pause_raters(pool=day_shift, raters=[rosa], by=alice, now=NOON)
    else:
        onboarding_services.add_step(
            pool=day_shift, kind="consent", title="Consent", text="I agree.", by=alice, now=NOON
        )

    page = words(signed_in(alice).get(f"/campaigns/{draft.pk}/"))

    assert NOBODY in page
    assert sentence in page


def test_fewer_raters_than_answers_for_each_item_are_said(
    alice: User, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/"))

    assert "Too few raters for this campaign" in page
    assert "1 rater of the pool Day shift can work now; each item needs 3." in page


def test_a_draft_whose_items_match_nobody_says_so(
    alice: User, rosa: Rater, draft: Campaign, day_shift: Pool, signed_in: SignedIn
) -> None:
    RaterSkill.objects.filter(rater=rosa).delete()
    Pool.objects.filter(pk=day_shift.pk).update(routes_by_language=True)

    page = words(signed_in(alice).get(f"/campaigns/{draft.pk}/"))

    assert "Some items match no one in the pool" in page
    assert "2 answers need raters with other languages" in page


def test_an_open_crowd_link_brings_raters(alice: User, draft: Campaign) -> None:
    CrowdLink.objects.create(campaign=draft, name="Study", token="t", created_at=NOON)

    assert understaffed(campaign=draft, now=NOON) is None


def test_a_finished_campaign_needs_nobody(
    alice: User, draft: Campaign, day_shift: Pool, signed_in: SignedIn
) -> None:
    rater = rater_called("Rosa", pool=day_shift)
    campaigns_services.open_campaign(campaign=draft, by=None, now=NOON)
    for _ in range(2):
        write_next(draft, rater, now=NOON)
    pools_services.remove_raters(pool=day_shift, raters=[rater], by=alice, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{draft.pk}/"))

    assert NOBODY not in page
