"""Nobody becomes more than they are: whoever can read an admin's password link, or change an
admin's address, can log in as that admin.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.login import password_links
from accounts.models import AuditEvent, User
from accounts.people import services
from labeling.models import Pool, Rater
from tests.accounts.sent_tasks import letters, run_sent
from tests.cast import NOON

pytestmark = pytest.mark.usefixtures("empty_queue")

SignedIn = Callable[..., Client]
Captured = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_failures_remembered() -> None:
    cache.clear()


@pytest.fixture
def olga(db: None) -> User:
    """Another admin."""
    return services.create_user(
        email="olga@example.org", name="Olga", roles=["admin"], by=None, now=NOON
    )


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser(email="root@example.org", name="Root", password="x")


def fields_of(person: User, **changes: Any) -> dict[str, Any]:
    return {
        "name": person.name,
        "email": person.email,
        "roles": sorted(person.roles),
        "time_zone": person.time_zone,
        "is_active": "on",
    } | changes


def page_after_link(admin: Client, person: User) -> str:
    return admin.post(f"/people/{person.pk}/invite", follow=True).text


@pytest.mark.parametrize("who", ["olga", "root"])
def test_the_link_of_an_admin_or_superuser_goes_to_their_mail_only(
    alice: User,
    who: str,
    request: pytest.FixtureRequest,
    signed_in: SignedIn,
    django_capture_on_commit_callbacks: Captured,
) -> None:
    person: User = request.getfixturevalue(who)

    with django_capture_on_commit_callbacks(execute=True):
        page = page_after_link(signed_in(alice), person)

    (link,) = re.findall(r"/account/password/reset/key/\S+", str(letters()[0].body))
    assert letters()[0].to == [person.email]
    assert link not in page
    assert "password/reset/key" not in page


def test_only_a_superuser_creates_admins(
    alice: User,
    root: User,
    signed_in: SignedIn,
    django_capture_on_commit_callbacks: Captured,
) -> None:
    new = {"name": "Quin", "email": "quin@example.org", "roles": ["admin"], "time_zone": "UTC"}

    refused = signed_in(alice).post("/people/new/", new | {"is_active": "on"}, follow=True)
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(root).post("/people/new/", new | {"is_active": "on"})

    assert "Only a superuser can create an admin." in refused.text
    assert User.objects.get(email="quin@example.org").is_admin
    assert len(letters()) == 1


def test_a_superuser_sees_the_link_of_an_admin(root: User, olga: User, signed_in: SignedIn) -> None:
    assert "password/reset/key" in page_after_link(signed_in(root), olga)


@pytest.mark.parametrize("who", ["olga", "root"])
def test_an_admin_cannot_change_the_address_of_an_admin_or_superuser(
    alice: User, who: str, request: pytest.FixtureRequest, signed_in: SignedIn
) -> None:
    person: User = request.getfixturevalue(who)

    signed_in(alice).post(f"/people/{person.pk}/", fields_of(person, email="alice2@example.org"))

    person.refresh_from_db()
    assert person.email == f"{who}@example.org"


def test_the_service_refuses_what_the_page_does_not_offer(alice: User, olga: User) -> None:
    with pytest.raises(services.UnableToChangePerson, match="Only a superuser"):
        services.update_user(
            user=olga,
            email="alice2@example.org",
            name="Olga",
            roles=olga.roles,
            time_zone="UTC",
            is_active=True,
            by=alice,
            now=NOON,
        )


@pytest.mark.parametrize("change", [{"roles": ["rater"]}, {"is_active": ""}])
def test_an_admin_cannot_demote_or_close_a_superuser(
    alice: User, root: User, signed_in: SignedIn, change: dict[str, Any]
) -> None:
    page = signed_in(alice).post(f"/people/{root.pk}/", fields_of(root, **change))

    root.refresh_from_db()
    assert "Only a superuser can change a superuser" in page.text
    assert (root.is_admin, root.is_active) == (True, True)


@pytest.mark.parametrize("roles", [["rater"], ["admin", "rater"]])
def test_an_admin_changes_other_roles_of_an_admin_but_demotes_none(
    alice: User, olga: User, signed_in: SignedIn, roles: list[str]
) -> None:
    page = signed_in(alice).post(f"/people/{olga.pk}/", fields_of(olga, roles=roles))

    olga.refresh_from_db()
    assert olga.roles == {"admin"} | (set(roles) if "admin" in roles else set())
    assert ("Only a superuser can make somebody an admin" in page.text) == ("admin" not in roles)


def test_a_superuser_makes_and_unmakes_admins(root: User, olga: User, signed_in: SignedIn) -> None:
    client, seen = signed_in(root), []

    for roles in (["rater"], ["admin"]):
        client.post(f"/people/{olga.pk}/", fields_of(olga, roles=roles))
        olga.refresh_from_db()
        seen.append(olga.roles)

    assert seen == [{"rater"}, {"admin"}]


def test_a_new_address_is_told_to_the_old_one(
    alice: User, rosa: Rater, signed_in: SignedIn, django_capture_on_commit_callbacks: Captured
) -> None:
    assert rosa.user is not None
    old = rosa.user.email

    with django_capture_on_commit_callbacks(execute=True):
        signed_in(alice).post(
            f"/people/{rosa.user.pk}/", fields_of(rosa.user, email="rosa@new.example")
        )

    (message,) = letters()
    assert message.to == [old]
    assert "Alice changed the e-mail address" in str(message.body)
    assert "rosa@new.example" in str(message.body)


def test_an_old_address_can_no_longer_ask_for_a_password(
    alice: User, rosa: Rater, signed_in: SignedIn, client: Client
) -> None:
    assert rosa.user is not None
    old = rosa.user.email
    password_links.password_link(rosa.user)
    assert EmailAddress.objects.filter(email=old).exists(), "allauth has stored the address"
    signed_in(alice).post(
        f"/people/{rosa.user.pk}/", fields_of(rosa.user, email="rosa@new.example")
    )
    letters()
    mail.outbox.clear()

    client.post("/account/password/reset/", {"email": old})
    run_sent("accounts.tasks.mail_password_link")

    assert letters() == []


@pytest.mark.parametrize("act", ["reset", "invite", "join", "API invite"])
def test_a_mailed_link_leads_to_the_site_whatever_the_request_was_sent_to(
    alice: User,
    noor: User,
    day_shift: Pool,
    signed_in: SignedIn,
    settings: LazySettings,
    django_capture_on_commit_callbacks: Captured,
    act: str,
) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://label.example", ["127.0.0.1", "evil.test"]
    client = signed_in(alice)
    paths = {
        "reset": "/account/password/reset/",
        "invite": f"/people/{noor.pk}/invite",
        "join": f"/pools/{day_shift.pk}/invitations/",
        "API invite": f"/api/v1/people/{noor.pk}/invite",
    }
    if act == "reset":
        client.logout()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            paths[act],
            {"email": noor.email if act == "reset" else "quin@example.org", "name": "Quin"},
            headers={"Host": "evil.test"},
        )
    if act == "reset":
        run_sent("accounts.tasks.mail_password_link")

    (letter,) = letters()
    assert "evil.test" not in str(letter.body)
    assert "https://label.example/" in str(letter.body)


def test_a_superuser_among_many_raters_is_not_closed_with_them(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    assert rosa.user is not None
    User.objects.filter(pk=rosa.user.pk).update(is_superuser=True)
    fields = {"act": "deactivate", "raters": [rosa.pk], "confirmed": "1"}

    page = signed_in(alice).post("/roster/act", fields, follow=True)

    rosa.user.refresh_from_db()
    assert "Only a superuser" in page.text
    assert rosa.user.is_active
    assert not AuditEvent.objects.filter(action="change").exists()
