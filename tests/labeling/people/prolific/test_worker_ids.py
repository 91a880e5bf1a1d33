"""The ID of a crowd worker on their platform: theirs to download, and gone after a withdrawal."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.models import CrowdVisit, ProlificStudy, ProlificSubmission, Rater
from labeling.people import tasks as people_tasks
from labeling.people.crowd import services as crowd_services
from labeling.people.prolific import bonuses, dues, removal
from labeling.people.withdrawals import withdrawal
from tests.cast import NOON, login_of
from tests.labeling.answers import downloaded, words
from tests.labeling.people.prolific.conftest import begin, poll
from tests.labeling.people.prolific.prolific_stub import Prolific

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
WORKER = "5f2b9c1e-worker"
MONTH_LATER = NOON + timedelta(days=31)


def withdraw(visit: CrowdVisit) -> Rater:
    assert withdrawal.withdraw_rater(rater=visit.rater, by=None, now=NOON)
    return visit.rater


def finished(study: ProlificStudy, prolific: Prolific, status: str) -> CrowdVisit:
    visit = begin(study.link, WORKER)
    CrowdVisit.objects.filter(pk=visit.pk).update(state="complete", ended_at=NOON)
    prolific.submit("s1", WORKER, status)
    poll(study)
    return visit


def stored_ids() -> list[str]:
    visits = CrowdVisit.objects.values_list("external_id", flat=True)
    return [*visits, *ProlificSubmission.objects.values_list("participant_id", flat=True)]


def own_records(rater: Rater, signed_in: SignedIn) -> list[dict[str, Any]]:
    answer = signed_in(login_of(rater)).get("/my-data/file")
    lines = downloaded(answer).decode().splitlines()
    return [row for row in map(json.loads, lines) if row["type"] in ("visit", "submission")]


def test_a_workers_own_file_names_their_ids_and_bonuses(
    study: ProlificStudy, prolific: Prolific, alice: User, signed_in: SignedIn
) -> None:
    visit = finished(study, prolific, "TIMED-OUT")
    ids = set(study.submissions.values_list("pk", flat=True))
    bonuses.prepare(study=study, submission_ids=ids, by=alice, now=NOON)

    seen, handed_in = own_records(visit.rater, signed_in)

    assert (seen["worker_id"], seen["study"]) == (WORKER, "Spring study")
    assert (handed_in["participant_id"], handed_in["submission_id"]) == (WORKER, "s1")
    assert [bonus["amount"] for bonus in handed_in["bonuses"]] == [300]


def test_a_withdrawal_removes_the_id_everywhere(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn
) -> None:
    rater = withdraw(finished(study, prolific, "APPROVED"))

    assert [WORKER in stored for stored in stored_ids()] == [False, False]
    seen, handed_in = own_records(rater, signed_in)
    assert (seen["worker_id"], handed_in["participant_id"]) == (None, None)


def test_the_page_that_asks_says_what_happens_to_the_id(
    study: ProlificStudy, rosa: Rater, signed_in: SignedIn
) -> None:
    sentence = "Your ID on the platform that sent you here is deleted."
    worker = begin(study.link, WORKER).rater

    assert sentence in words(signed_in(login_of(worker)).get("/my-data/withdraw/"))
    assert sentence not in words(signed_in(login_of(rosa)).get("/my-data/withdraw/"))


@pytest.mark.parametrize("is_key_changed", [False, True])
def test_a_worker_who_withdrew_is_recognized_and_refused(
    study: ProlificStudy, settings: LazySettings, is_key_changed: bool
) -> None:
    visit = begin(study.link, WORKER)
    withdraw(visit)
    crowd_services.return_visit(visit=visit, now=NOON)
    if is_key_changed:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key"

    with pytest.raises(crowd_services.UnableToVisit):
        begin(study.link, WORKER)

    assert CrowdVisit.objects.count() == 1


def test_a_look_at_prolific_does_not_bring_the_id_back(
    study: ProlificStudy, prolific: Prolific
) -> None:
    withdraw(finished(study, prolific, "AWAITING REVIEW"))
    prolific.submit("s2", WORKER, "ACTIVE", started_at="2026-03-02T12:30:00Z")

    poll(study)

    assert WORKER not in stored_ids()
    assert len({*stored_ids()}) == 1, "one person, so that nothing is paid twice"
    assert ProlificSubmission.objects.filter(visit__isnull=False).count() == 2


def test_a_submission_that_was_there_before_the_visit_loses_its_id_too(
    study: ProlificStudy, prolific: Prolific
) -> None:
    prolific.submit("s1", WORKER, "ACTIVE")
    poll(study)
    withdraw(begin(study.link, WORKER))

    poll(study)

    assert WORKER not in stored_ids()


def test_the_visit_of_a_worker_who_withdrew_still_ends_with_their_submission(
    study: ProlificStudy, prolific: Prolific
) -> None:
    visit = begin(study.link, WORKER)
    withdraw(visit)
    prolific.submit("s1", WORKER, "RETURNED")

    poll(study)

    visit.refresh_from_db()
    assert visit.state == "returned"


def test_a_bonus_is_paid_after_the_withdrawal_and_then_the_submissions_number_goes(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    withdraw(finished(study, prolific, "TIMED-OUT"))
    assert removal.remove_settled(now=MONTH_LATER) == 0, "300 is still due"
    ids = set(study.submissions.values_list("pk", flat=True))
    batch = bonuses.prepare(study=study, submission_ids=ids, by=alice, now=NOON)
    bonuses.pay(batch=batch, total=batch.total, by=alice, now=NOON)
    assert removal.remove_settled(now=MONTH_LATER) == 0, "the bonus is on its way"
    assert bonuses.send(batch_id=batch.pk, now=NOON)
    assert bonuses.look_up(batch_id=batch.pk, now=NOON)

    assert removal.remove_settled(now=NOON) == 0, "for a month it stays"
    assert removal.remove_settled(now=MONTH_LATER) == 1

    poll(study)
    (row,) = dues.rows(study=study)
    assert (row.prolific_id, row.received, row.due) == ("", 300, 0)
    assert removal.remove_settled(now=MONTH_LATER) == 0


def test_who_withdrew_before_ids_were_removed_loses_theirs_within_the_hour(
    study: ProlificStudy, prolific: Prolific
) -> None:
    rater = finished(study, prolific, "APPROVED").rater
    Rater.everyone.filter(pk=rater.pk).update(withdrawn_at=NOON)
    stays = begin(study.link, "somebody-else")

    people_tasks.remove_worker_ids()

    assert WORKER not in stored_ids()
    stays.refresh_from_db()
    assert stays.external_id == "somebody-else"
