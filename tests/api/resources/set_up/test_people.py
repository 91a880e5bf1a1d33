"""People, raters and invitations by API, and what a token may not do with them."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from config.api_permissions import Scope
from labeling.models import Invitation, Pool, Rater
from labeling.people.invitations import services as invitations_services
from tests.accounts.sent_tasks import letters
from tests.api.resources.set_up.conftest import Api, Caller
from tests.cast import NOON, login_of


def test_a_person_is_created_and_gets_a_link_by_mail(api: Api) -> None:
    made = api.post(
        "people",
        {"name": "Ines", "email": "Ines@Example.org", "roles": ["rater"], "time_zone": "Lisbon"},
    )

    row = made.json()
    assert made.status_code == 201
    assert (row["email"], row["roles"], row["time_zone"], row["is_active"]) == (
        "ines@example.org",
        ["rater"],
        "Europe/Lisbon",
        True,
    )
    assert row["rater"] == Rater.everyone.get(user=row["id"]).pk
    assert set(
        AuditEvent.objects.filter(target_type="accounts.user", target_id=row["id"]).values_list(
            "action", flat=True
        )
    ) == {"create", "invite"}


def test_the_link_that_sets_a_password_is_mailed_and_never_returned(
    api: Api, empty_queue: None, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    body = {"name": "Ines", "email": "ines@example.org", "roles": ["researcher"]}

    with django_capture_on_commit_callbacks(execute=True):
        made = api.post("people", body)

    (letter,) = letters()
    assert letter.to == ["ines@example.org"]
    assert "/account/password/reset/key/" in str(letter.body)
    assert "/account/password/reset/key/" not in made.content.decode()


def test_a_person_is_changed_and_the_account_closed(api: Api, noor: User) -> None:
    changed = api.patch(f"people/{noor.pk}", {"roles": ["researcher", "rater"]}).json()
    closed = api.patch(f"people/{noor.pk}", {"is_active": False}).json()
    invited = api.post(f"people/{noor.pk}/invite")

    assert (changed["roles"], changed["name"]) == (["rater", "researcher"], "Noor")
    assert changed["rater"] is not None
    assert (closed["is_active"], closed["roles"]) == (False, ["rater", "researcher"])
    assert invited.status_code == 409


@pytest.mark.parametrize("body", [{"roles": ["admin"]}, {"roles": ["rater", "admin"]}])
def test_a_token_makes_nobody_an_admin(api: Api, noor: User, body: dict[str, object]) -> None:
    made = api.post("people", body | {"name": "Ines", "email": "ines@example.org"})
    changed = api.patch(f"people/{noor.pk}", body)

    assert (made.status_code, changed.status_code) == (409, 409)
    assert made.json()["detail"] == (
        "A token can't create or change an admin. Do it on the page People."
    )
    assert User.objects.filter(is_admin=True).count() == 1


@pytest.mark.parametrize(
    "fields", [{"is_admin": True}, {"is_superuser": True, "is_researcher": True}]
)
def test_a_token_changes_no_admin(api: Api, fields: dict[str, Any]) -> None:
    other = User.objects.create_user(email="bo@example.org", name="Bo", **fields)

    refused = api.patch(f"people/{other.pk}", {"email": "mine@example.org", "roles": ["rater"]})

    other.refresh_from_db()
    assert (refused.status_code, other.email) == (409, "bo@example.org")


def test_people_are_found_by_name_role_and_account(api: Api, noor: User, rosa: Rater) -> None:
    api.patch(f"people/{noor.pk}", {"is_active": False})

    assert [row["name"] for row in api.rows("people?text=ros")] == ["Rosa"]
    assert [row["name"] for row in api.rows("people?role=researcher")] == ["Noor"]
    assert [row["name"] for row in api.rows("people?is_active=false")] == ["Noor"]


def test_names_and_addresses_need_a_scope_of_their_own(
    calling: Caller, alice: User, rosa: Rater
) -> None:
    labeling = Api(calling(alice, Scope.LABELING_READ, Scope.LABELING_WRITE))
    text = labeling.get("raters").content.decode()

    assert labeling.get("people").status_code == 403
    assert labeling.get("invitations").status_code == 403
    assert rosa.alias in text
    assert "Rosa" not in text
    assert "@" not in text


# --- raters ---------------------------------------------------------------------------------------


def test_raters_are_found_by_pool_and_status(
    api: Api, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    api.post(f"pools/{day_shift.pk}/pause", {"raters": [raul.pk]})

    row = api.get(f"raters/{rosa.pk}").json()

    assert [one["alias"] for one in api.rows("raters?status=paused")] == [raul.alias]
    assert len(api.rows(f"raters?pool={day_shift.pk}")) == 2
    assert (row["status"], row["person"], row["n_judged"]) == ("at_work", login_of(rosa).pk, 0)
    assert row["pools"] == [{"id": day_shift.pk, "name": "Day shift", "paused_at": None}]


def test_what_an_admin_observed_is_set_beside_what_a_rater_declared(api: Api, rosa: Rater) -> None:
    body = {"languages": ["en"], "topics": ["summarization", "chess"]}

    made = api.post(f"raters/{rosa.pk}/skills", body).json()
    less = api.post(f"raters/{rosa.pk}/skills", {"languages": [], "topics": ["chess"]}).json()
    odd = api.post(f"raters/{rosa.pk}/skills", {"languages": ["english"], "topics": []})

    assert made["shown"] == {"languages": ["en"], "topics": ["chess", "summarization"]}
    assert made["declared"] == {"languages": [], "topics": []}
    assert less["shown"] == {"languages": [], "topics": ["chess"]}
    assert api.get(f"raters/{rosa.pk}/skills").json() == less
    assert list(odd.json()["errors"]) == ["languages"]
    assert AuditEvent.objects.filter(action="skills").count() == 2


# --- invitations ----------------------------------------------------------------------------------


def test_people_are_invited_by_mail_and_the_links_are_returned_once(
    api: Api, day_shift: Pool, rosa: Rater
) -> None:
    people = [
        {"email": "Ines@example.org", "name": "Ines"},
        {"email": "joao@example.org"},
        {"email": login_of(rosa).email},
    ]

    made = api.post("invitations", {"pool": day_shift.pk, "people": people})

    sent = made.json()["invitations"]
    assert (made.status_code, made.json()["are_mailed"]) == (201, True)
    assert [one["email"] for one in sent] == ["ines@example.org", "joao@example.org"]
    assert all("/join/" in one["link"] for one in sent)
    rows = api.rows(f"invitations?pool={day_shift.pk}&state=waits")
    assert [row["email"] for row in rows] == ["joao@example.org", "ines@example.org"]
    assert "/join/" not in str(rows)


def test_the_link_that_the_api_returns_lets_its_person_join(api: Api, day_shift: Pool) -> None:
    body = {"pool": day_shift.pk, "people": [{"email": "ines@example.org"}]}
    (sent,) = api.post("invitations", body).json()["invitations"]

    user = invitations_services.accept_invitation(
        secret=sent["link"].rstrip("/").rpartition("/")[2],
        user=None,
        name="Ines",
        password="correct horse battery",
        now=Invitation.objects.get().sent_at,
    )

    row = api.get(f"invitations/{sent['id']}").json()
    assert (row["state"], row["rater"]) == ("accepted", user.rater.pk)


def test_an_invitation_is_sent_again_and_revoked(api: Api, day_shift: Pool) -> None:
    body = {"pool": day_shift.pk, "people": [{"email": "ines@example.org"}]}
    (first,) = api.post("invitations", body).json()["invitations"]
    path = f"invitations/{first['id']}"

    (second,) = api.post(f"{path}/resend").json()["invitations"]
    revoked = api.post(f"{path}/revoke").json()
    again = api.post(f"{path}/resend")

    assert first["link"] != second["link"]
    assert (revoked["state"], revoked["n_sent"]) == ("revoked", 2)
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "This invitation has been accepted or revoked.",
    )


def test_nobody_is_invited_when_one_has_withdrawn(api: Api, day_shift: Pool, rosa: Rater) -> None:
    Rater.everyone.filter(pk=rosa.pk).update(withdrawn_at=NOON)
    people = [{"email": "ines@example.org"}, {"email": login_of(rosa).email}]

    refused = api.post("invitations", {"pool": day_shift.pk, "people": people})

    assert refused.status_code == 409
    assert not Invitation.objects.exists()
