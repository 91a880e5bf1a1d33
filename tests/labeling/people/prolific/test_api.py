"""The same by REST as on the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import CrowdLink, CrowdVisit, ProlificBonusBatch, ProlificStudy
from labeling.people.prolific import bonuses
from tests.cast import NOON
from tests.labeling.people.prolific.conftest import begin, poll
from tests.labeling.people.prolific.prolific_stub import LOST, Prolific

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db
BODY = {"description": "Write answers.", "reward": 300, "minutes": 20, "n_places": 5}


@pytest.fixture
def api(signed_in: SignedIn, alice: User) -> Client:
    return signed_in(alice)


def post(api: Client, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(f"/api/v1/{path}", body or {}, "application/json", headers=headers)


def test_a_study_goes_from_draft_to_paused_with_its_cost_read_first(
    prolific: Prolific, link: CrowdLink, api: Client
) -> None:
    made = post(api, "prolific-studies", BODY | {"crowd_link": link.pk}, key="one")
    again = post(api, "prolific-studies", BODY | {"crowd_link": link.pk}, key="one")
    path = f"prolific-studies/{made.json()['id']}"
    cost = api.get(f"/api/v1/{path}/cost?n_places=5").json()
    states = [post(api, f"{path}/{act}").json()["status"] for act in ("publish", "pause")]
    places = post(api, f"{path}/places", {"n_places": 9}).json()["n_places"]

    assert (made.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert cost == {"n_places": 5, "rewards": 1500, "total": 2100, "currency": "GBP"}
    assert (states, places) == (["ACTIVE", "PAUSED"], 9)
    assert api.delete(f"/api/v1/{path}").status_code == 409
    assert len(prolific.studies) == 1


def test_what_prolific_refuses_is_a_sentence(
    prolific: Prolific, link: CrowdLink, api: Client
) -> None:
    prolific.faults["/api/v1/"] = 401

    refused = post(api, "prolific-studies", BODY | {"crowd_link": link.pk})

    assert refused.status_code == 409
    assert "PREFERABLY_PROLIFIC_TOKEN" in refused.json()["detail"]


def test_submissions_are_listed_without_the_participants_id(
    study: ProlificStudy, prolific: Prolific, api: Client
) -> None:
    visit = begin(study.link, "p1")
    prolific.submit("s1", "p1", "AWAITING REVIEW")
    prolific.submit("s2", "p2", "ACTIVE")
    poll(study)

    listed = api.get(f"/api/v1/prolific-submissions?study={study.pk}")

    rows = {row["prolific_id"]: row for row in listed.json()["results"]}
    assert (rows["s1"]["rater"], rows["s2"]["rater"]) == (visit.rater_id, None)
    assert b"p1" not in listed.content
    assert api.get("/api/v1/prolific-submissions").json() == listed.json()
    assert api.get("/api/v1/prolific-submissions?study=999").json()["results"] == []


def test_one_is_approved_and_another_rejected(
    study: ProlificStudy, prolific: Prolific, api: Client
) -> None:
    for number in "12":
        prolific.submit(f"s{number}", f"p{number}", "AWAITING REVIEW")
    poll(study)
    first, second = study.submissions.order_by("prolific_id")
    reason = {"category": "NO_DATA", "message": "You never opened the link of this study. " * 3}

    short = post(api, f"prolific-submissions/{second.pk}/reject", reason | {"message": "Bad."})
    asked = post(
        api, f"prolific-submissions/{second.pk}/request-return", {"reason": "You gave no answer."}
    )
    approved = post(api, f"prolific-submissions/{first.pk}/approve").json()
    rejected = post(api, f"prolific-submissions/{second.pk}/reject", reason).json()

    assert short.status_code == 400
    assert asked.json()["return_asked_at"] is not None
    assert (approved["status"], rejected["status"]) == ("APPROVED", "REJECTED")


def test_bonuses_are_prepared_and_paid_once_by_their_total(
    study: ProlificStudy, prolific: Prolific, api: Client
) -> None:
    CrowdVisit.objects.filter(pk=begin(study.link, "p1").pk).update(state="complete")
    prolific.submit("s1", "p1", "TIMED-OUT")
    poll(study)
    body = {"study": study.pk, "submissions": [study.submissions.get().pk]}

    made = post(api, "prolific-bonuses", body).json()
    path = f"prolific-bonuses/{made['id']}/pay"
    wrong = post(api, path, {"total": 1})
    paid = post(api, path, {"total": made["total"]}, key="pay")
    repeated = post(api, path, {"total": made["total"]}, key="pay")
    bonuses.send(batch_id=made["id"], now=ProlificBonusBatch.objects.get().send_due_at or NOON)

    assert (made["state"], made["amount"], made["total"]) == ("ready", 300, 420)
    assert (wrong.status_code, paid.json()["state"]) == (409, "queued")
    assert repeated.json() == paid.json()
    assert prolific.paid["s1"] == [300]


def test_an_unconfirmed_bonus_cannot_be_sent_again(
    study: ProlificStudy, prolific: Prolific, api: Client
) -> None:
    CrowdVisit.objects.filter(pk=begin(study.link, "p1").pk).update(state="complete")
    prolific.submit("s1", "p1", "TIMED-OUT")
    poll(study)
    ids = [study.submissions.get().pk]
    made = post(api, "prolific-bonuses", {"study": study.pk, "submissions": ids}).json()
    post(api, f"prolific-bonuses/{made['id']}/pay", {"total": made["total"]})
    prolific.faults["/pay/"] = LOST
    bonuses.send(batch_id=made["id"], now=ProlificBonusBatch.objects.get().send_due_at or NOON)

    refused = post(api, f"prolific-bonuses/{made['id']}/resend")

    assert refused.status_code == 409
    assert api.get(f"/api/v1/prolific-bonuses/{made['id']}").json()["state"] == "unconfirmed"
    assert prolific.n_of("/pay/") == 1
