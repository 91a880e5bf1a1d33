"""Looking at a study on Prolific: submissions beside visits, and items that are free at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notice, User
from labeling.models import (
    CrowdLink,
    CrowdVisit,
    ProlificStudy,
    ProlificSubmission,
    Slot,
    StepAttempt,
)
from labeling.people.crowd import selectors as crowd_selectors
from labeling.people.crowd import services as crowd_services
from labeling.people.onboarding import services as onboarding_services
from labeling.people.prolific import polling
from labeling.queue.claiming import claim
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.people.prolific.conftest import begin, poll
from tests.labeling.people.prolific.prolific_stub import Prolific
from tests.labeling.people.test_crowd_pages import answer, enter, take

SignedIn = Callable[..., Client]

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def hold_an_item(visit: CrowdVisit) -> None:
    slot = claim.claim(campaign=visit.link.campaign, rater=visit.rater, now=NOON)
    assert slot is not None


def n_held() -> int:
    return Slot.objects.filter(state=Slot.State.LEASED).count()


@pytest.mark.parametrize(
    ("status", "state"), [("RETURNED", "returned"), ("TIMED-OUT", "timed_out")]
)
def test_a_worker_who_is_gone_on_prolific_frees_their_item_at_once(
    study: ProlificStudy, prolific: Prolific, status: str, state: str
) -> None:
    visit = begin(study.link, "p1")
    hold_an_item(visit)
    prolific.submit("s1", "p1", "ACTIVE")
    poll(study)
    assert n_held() == 1

    prolific.submissions["s1"]["status"] = status
    poll(study)

    visit.refresh_from_db()
    assert (n_held(), visit.state) == (0, state)


def test_every_page_of_the_list_is_read(study: ProlificStudy, prolific: Prolific) -> None:
    for number in range(5):
        prolific.submit(f"s{number}", f"p{number}", "ACTIVE")

    poll(study)
    poll(study)

    assert ProlificSubmission.objects.count() == 5


def test_a_submission_without_a_visit_is_listed_until_its_worker_comes(
    study: ProlificStudy, prolific: Prolific
) -> None:
    prolific.submit("s1", "p1", "ACTIVE")
    poll(study)
    assert ProlificSubmission.objects.get().visit is None

    visit = begin(study.link, "p1")
    poll(study)

    assert ProlificSubmission.objects.get().visit == visit


def test_the_latest_of_two_submissions_counts(study: ProlificStudy, prolific: Prolific) -> None:
    visit = begin(study.link, "p1")
    prolific.submit("s1", "p1", "RETURNED")
    prolific.submit("s2", "p1", "ACTIVE", started_at="2026-03-02T12:30:00Z")

    poll(study)

    visit.refresh_from_db()
    assert visit.state == "working"


def test_a_study_is_looked_at_when_it_is_due(study: ProlificStudy, prolific: Prolific) -> None:
    assert poll(study)
    n = len(prolific.requests)

    assert not polling.poll_study(study_id=study.pk, now=NOON + timedelta(minutes=1))
    assert len(prolific.requests) == n
    assert polling.due_study_ids(now=NOON + timedelta(minutes=1)) == []
    assert polling.due_study_ids(now=NOON + timedelta(minutes=2)) == [study.pk]


def test_after_failures_the_looks_become_rarer(study: ProlificStudy, prolific: Prolific) -> None:
    prolific.faults["/api/v1/"] = 500

    pauses = []
    for _number in range(6):
        poll(study)
        study.refresh_from_db()
        pauses.append((study.poll_due_at - NOON) // timedelta(minutes=1))

    assert pauses == [4, 8, 16, 32, 60, 60]
    assert "500" in study.problem
    prolific.faults.clear()
    poll(study)
    study.refresh_from_db()
    assert (study.problem, study.n_failures) == ("", 0)


def test_prolific_says_how_long_to_wait(study: ProlificStudy, prolific: Prolific) -> None:
    prolific.faults["/api/v1/"] = 429

    poll(study)

    study.refresh_from_db()
    assert study.poll_due_at == NOON + timedelta(seconds=7200)


def test_a_refused_token_is_said_on_the_page_and_to_admins_once(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    prolific.faults["/api/v1/"] = 401

    poll(study)
    poll(study)

    study.refresh_from_db()
    assert "PREFERABLY_PROLIFIC_TOKEN" in study.problem
    assert Notice.objects.filter(person=alice).count() == 1


def test_prolific_counts_the_places_of_a_connected_link(
    study: ProlificStudy, prolific: Prolific
) -> None:
    """It fills a free place before the site knows that it is free."""
    for number in range(10):
        begin(study.link, f"p{number}")

    with pytest.raises(crowd_services.UnableToVisit):
        begin(study.link, "p10")


def test_a_worker_who_finished_gets_the_code_though_their_time_is_up(
    study: ProlificStudy, prolific: Prolific
) -> None:
    worker, _entered = enter(study.link, "p1")
    answer(worker, answer(worker, take(worker, study.link.campaign)).url)
    CrowdVisit.objects.update(state="working", ended_at=None, code="")
    prolific.submit("s1", "p1", "TIMED-OUT")

    polling.poll_study(study_id=study.pk, is_asked=True, now=timezone.now())

    visit = CrowdVisit.objects.get()
    assert (visit.state, visit.code) == ("complete", "D0NE42")


def test_a_worker_for_whom_nothing_is_left_gets_a_code_of_their_own(
    study: ProlificStudy, link: CrowdLink
) -> None:
    worker, _entered = enter(link, "p1")
    Slot.objects.filter(campaign=link.campaign).delete()

    worker.post("/crowd/finish")

    page = words(worker.get("/crowd/done/"))
    assert study.no_work_code in page
    assert f"https://app.prolific.com/submissions/complete?cc={study.no_work_code}" in page
    assert "D0NE42" not in page


def refuse(visit: CrowdVisit) -> None:
    """The pool has an onboarding, and the worker has no attempt left."""
    step = onboarding_services.add_step(
        pool=visit.link.campaign.pool,
        kind="topics",
        title="Topics",
        text="",
        questions=[{"topic": "chess"}],
        by=None,
        now=NOON,
    )
    StepAttempt.objects.create(
        step=step,
        version=step.versions.get(),
        rater=visit.rater,
        number=1,
        state="refused",
        submitted_at=NOON,
    )


def test_a_worker_who_does_not_pass_the_onboarding_is_screened_out_and_frees_the_place(
    study: ProlificStudy, link: CrowdLink
) -> None:
    worker, _entered = enter(link, "p1")
    visit = CrowdVisit.objects.get()
    refuse(visit)
    assert "/crowd/done/" in words(worker.get(f"/onboarding/{link.campaign.pool_id}/"))

    worker.post("/crowd/finish")

    visit.refresh_from_db()
    assert (visit.state, visit.code) == ("screened_out", study.screen_out_code)
    assert study.screen_out_code in words(worker.get("/crowd/done/"))
    assert crowd_selectors.n_places_taken(link=link, now=NOON) == 0


def test_without_prolific_nobody_is_screened_out(link: CrowdLink) -> None:
    worker, _entered = enter(link, "p1")
    visit = CrowdVisit.objects.get()
    refuse(visit)

    worker.post("/crowd/finish")

    visit.refresh_from_db()
    assert (visit.state, visit.code) == ("working", "")


def test_without_prolific_a_worker_without_an_answer_gets_no_code(link: CrowdLink) -> None:
    worker, _entered = enter(link, "p1")
    Slot.objects.filter(campaign=link.campaign).delete()

    worker.post("/crowd/finish")

    assert "D0NE42" not in words(worker.get("/crowd/done/"))


def test_the_page_checks_when_asked(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    begin(study.link, "p1")
    prolific.submit("s1", "p1", "AWAITING REVIEW", study_code="D0NE42")
    admin = signed_in(alice)

    admin.post(f"/crowd-links/{study.link_id}/prolific/check")

    page = words(admin.get(f"/crowd-links/{study.link_id}/prolific/"))
    assert "Awaiting review" in page
