"""Approve, ask to return, reject: a person decides, and Prolific does it."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.models import CrowdVisit, Guideline, Pool, ProlificStudy, ProlificSubmission
from labeling.people.crowd import services as crowd_services
from labeling.people.prolific import client, dues, reviews, services
from labeling.quality import services as quality_services
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import judge
from tests.labeling.people.prolific.conftest import PAGE, PLAN, begin, poll
from tests.labeling.people.prolific.prolific_stub import LOST, Prolific

SignedIn = Callable[..., Client]

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
MESSAGE = (
    "Both of your answers are the single letter x, which the guideline names as no answer. " * 2
)


def finished(study: ProlificStudy, participant: str) -> CrowdVisit:
    visit = begin(study.link, participant)
    CrowdVisit.objects.filter(pk=visit.pk).update(state="complete", code="D0NE42", ended_at=NOON)
    return visit


@pytest.fixture
def waiting(study: ProlificStudy, prolific: Prolific) -> ProlificSubmission:
    """Finished here, and handed in with the right code."""
    finished(study, "p1")
    prolific.submit("s1", "p1", "AWAITING REVIEW", study_code="D0NE42")
    poll(study)
    return ProlificSubmission.objects.get()


def test_one_submission_is_approved(
    waiting: ProlificSubmission, prolific: Prolific, alice: User
) -> None:
    reviews.approve(submission=waiting, by=alice, now=NOON)

    assert prolific.submissions["s1"]["status"] == "APPROVED"
    assert ProlificSubmission.objects.get().status == "APPROVED"
    event = AuditEvent.objects.get(action="approve")
    assert (event.before, event.after) == ({"status": "AWAITING REVIEW"}, {"status": "APPROVED"})
    with pytest.raises(reviews.UnableToReview):
        reviews.approve(submission=waiting, by=alice, now=NOON)


def test_only_those_who_finished_here_with_their_own_code_are_approved_together(
    waiting: ProlificSubmission, study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    finished(study, "p2")
    prolific.submit("s2", "p2", "AWAITING REVIEW", study_code="NOCODE")
    begin(study.link, "p3")
    prolific.submit("s3", "p3", "AWAITING REVIEW", study_code="D0NE42")
    prolific.submit("s4", "p4", "AWAITING REVIEW", study_code="D0NE42")
    poll(study)
    everyone = set(ProlificSubmission.objects.values_list("pk", flat=True))

    n = reviews.approve_passed(study=study, submission_ids=everyone, by=alice, now=NOON)

    assert n == 1
    statuses = {number: each["status"] for number, each in prolific.submissions.items()}
    assert statuses == {"s1": "APPROVED"} | dict.fromkeys(("s2", "s3", "s4"), "AWAITING REVIEW")


def test_only_what_the_page_listed_is_approved(
    waiting: ProlificSubmission, study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    finished(study, "p2")
    prolific.submit("s2", "p2", "AWAITING REVIEW", study_code="D0NE42")
    poll(study)

    reviews.approve_passed(study=study, submission_ids={waiting.pk}, by=alice, now=NOON)

    assert prolific.submissions["s2"]["status"] == "AWAITING REVIEW"


def test_an_approval_without_an_answer_is_seen_by_the_next_poll(
    waiting: ProlificSubmission, study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    prolific.faults["/transition/"] = LOST
    with pytest.raises(client.NoAnswer):
        reviews.approve(submission=waiting, by=alice, now=NOON)

    poll(study)

    assert ProlificSubmission.objects.get().status == "APPROVED"


def test_a_participant_is_asked_once_to_return(
    waiting: ProlificSubmission, prolific: Prolific, alice: User
) -> None:
    reviews.ask_to_return(submission=waiting, reason="Technical problems", by=alice, now=NOON)

    assert prolific.bodies[-2] == {"request_return_reasons": ["Technical problems"]}
    with pytest.raises(reviews.UnableToReview):
        reviews.ask_to_return(submission=waiting, reason="Again", by=alice, now=NOON)


def test_a_rejection_needs_a_category_and_a_long_message(
    waiting: ProlificSubmission, prolific: Prolific, alice: User
) -> None:
    with pytest.raises(reviews.UnableToReview):
        reviews.reject(
            submission=waiting, category="LOW_EFFORT", message="Bad.", by=alice, now=NOON
        )
    reviews.reject(submission=waiting, category="LOW_EFFORT", message=MESSAGE, by=alice, now=NOON)

    assert prolific.bodies[-2] == {
        "action": "REJECT",
        "rejection_category": "LOW_EFFORT",
        "message": MESSAGE,
    }
    assert prolific.submissions["s1"]["status"] == "REJECTED"


def test_an_admin_approves_on_the_page_what_it_lists(
    waiting: ProlificSubmission,
    study: ProlificStudy,
    prolific: Prolific,
    signed_in: SignedIn,
    alice: User,
) -> None:
    admin = signed_in(alice)
    address = f"/crowd-links/{study.link_id}/prolific/approve/"

    page = words(admin.get(address))
    admin.post(address, {"submission": [str(waiting.pk)]})

    assert "3.00 GBP" in page
    assert prolific.submissions["s1"]["status"] == "APPROVED"


def test_an_admin_rejects_one_submission_on_its_page(
    waiting: ProlificSubmission, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    admin = signed_in(alice)
    address = f"/prolific-submissions/{waiting.pk}/"
    form = {"act": "reject", "reject-category": "LOW_EFFORT", "reject-message": "Bad."}

    refused = admin.post(address, form)
    admin.post(address, form | {"reject-message": MESSAGE})

    assert refused.status_code == 422
    assert prolific.submissions["s1"]["status"] == "REJECTED"
    assert "Rejected" in words(admin.get(address))


def test_a_page_of_a_submission_shows_who_it_is_by_alias_only(
    waiting: ProlificSubmission, signed_in: SignedIn, alice: User
) -> None:
    assert waiting.visit is not None

    page = words(signed_in(alice).get(f"/prolific-submissions/{waiting.pk}/"))

    assert waiting.visit.rater.alias in page
    assert "p1" not in page.split()


def test_the_page_shows_how_far_a_rater_agrees_with_its_interval(
    prolific: Prolific, day_shift: Pool, guideline: Guideline, signed_in: SignedIn, alice: User
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=6, overlap=2, name="Compare"
    )
    link = crowd_services.create_crowd_link(
        campaign=campaign,
        name="Comparisons",
        id_parameter="PROLIFIC_PID",
        completion_code="C0MP42",
        n_items=6,
        by=None,
        now=NOON,
    )
    study = services.connect(link=link, page=PAGE, plan=PLAN, by=alice, now=NOON)
    for number in "12":
        visit = begin(link, f"p{number}")
        prolific.submit(f"s{number}", f"p{number}", "ACTIVE")
        for _item in range(6):
            judge(campaign, visit.rater)
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    poll(study)

    page = words(signed_in(alice).get(f"/crowd-links/{link.pk}/prolific/"))

    assert len(re.findall(r">\d+ – \d+ %<", page)) == 2, "one for each of two raters"


def test_a_copied_code_has_not_passed(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    begin(study.link, "p1")
    prolific.submit("s1", "p1", "AWAITING REVIEW", study_code="D0NE42")
    poll(study)

    (row,) = dues.rows(study=study)

    assert not row.has_passed
    page = words(signed_in(alice).get(f"/prolific-submissions/{row.submission.pk}/"))
    assert "the visit is not complete" in page
