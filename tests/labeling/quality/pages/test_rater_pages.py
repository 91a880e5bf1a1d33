"""The pages of one rater, through HTTP: their measures, what they wrote, and withdrawing them."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.answers import words
from tests.labeling.quality.judging import judge_all

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


# --- one rater ------------------------------------------------------------------------------------


def test_a_rater_in_a_campaign_is_shown_with_judgments_and_measures(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/raters/{rosa.pk}/"))

    assert f"5 answers in {measured.name}." in page
    assert "Reliability" in page or "reliability" in page
    assert page.count("Question ") >= 5


def test_a_rater_is_shown_over_all_campaigns(
    measured: Campaign,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    alice: User,
    signed_in: SignedIn,
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, name="Another")
    judge_all(other, rosa)
    quality_services.compute_quality(campaign_id=other.pk, now=NOON)

    page = words(signed_in(alice).get(f"/raters/{rosa.pk}/"))

    assert "7 answers in all campaigns and imports." in page
    assert "Another" in page


def test_a_writers_page_lists_what_they_wrote(
    demonstration_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease, rater=rosa, answer=DemonstrationAnswer(text="An answer."), now=NOON
    )

    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/raters/{rosa.pk}/"))

    assert ">Demonstration<" in page


# --- the right to withdraw ------------------------------------------------------------------------


def test_an_admin_withdraws_a_rater_and_sees_that_no_snapshot_holds_them(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.post(f"/raters/{rosa.pk}/withdraw")

    page = words(client.get(f"/raters/{rosa.pk}/withdrawal/"))

    assert "Later snapshots and exports leave out their answers" in page
    assert "5 answers from this rater are stored, and no snapshot contains any." in page


def test_a_researcher_sees_what_a_withdrawal_touches_but_withdraws_nobody(
    rosa: Rater, noor: User, signed_in: SignedIn
) -> None:
    client = signed_in(noor)

    page = words(client.get(f"/raters/{rosa.pk}/withdrawal/"))

    assert "Withdraw this rater" not in page
    assert client.post(f"/raters/{rosa.pk}/withdraw").status_code == 403
