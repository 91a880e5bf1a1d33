"""Invitations through HTTP: by form and by file, the mail, the link, resent, revoked, used."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.models import Invitation, Pool, Rater
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.pools import services as pools_services
from labeling.people.withdrawals import withdrawal
from tests.accounts.sent_tasks import letters
from tests.cast import NOON, PASSWORD
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_queue")]


def csv_of(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", text.encode(), content_type="text/csv")


def invited(pool: Pool, email: str = "ines@example.org") -> str:
    """The secret of a link that was just made."""
    (sent,) = invitations_services.invite_to_pool(
        pool=pool, invitees=[Invitee(email, "Ines")], by=None, now=timezone.now()
    )
    return sent.secret


def join(secret: str, client: Client | None = None, **values: str) -> Any:
    given = {"name": "Ines", "password": PASSWORD, "again": PASSWORD, "time_zone": "UTC"} | values
    return (client or Client()).post(f"/join/{secret}/", given)


def test_a_pool_whose_name_has_two_lines_can_still_invite(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    """Pools made before names were checked."""
    Pool.objects.filter(pk=day_shift.pk).update(name="a\r\nBcc: x@example.org")

    page = signed_in(alice).post(
        f"/pools/{day_shift.pk}/invitations/", {"email": "ines@example.org", "name": "Ines"}
    )

    (message,) = letters()
    assert page.status_code < 400
    assert message.subject == "Join us in “a Bcc: x@example.org”"
    assert message.recipients() == ["ines@example.org"]
    assert message.message()["Bcc"] is None


def test_one_person_is_invited_by_mail(alice: User, day_shift: Pool, signed_in: SignedIn) -> None:
    signed_in(alice).post(
        f"/pools/{day_shift.pk}/invitations/", {"email": "Ines@Example.org", "name": "Ines"}
    )

    (message,) = letters()
    invitation = Invitation.objects.get()
    assert (message.to, invitation.email) == (["ines@example.org"], "ines@example.org")
    assert "http://testserver/join/" in message.body
    assert AuditEvent.objects.filter(by=alice, action="invite", target_id=day_shift.pk).exists()


def test_a_file_invites_everybody_in_it(alice: User, day_shift: Pool, signed_in: SignedIn) -> None:
    file = csv_of("name,email\nInes,ines@example.org\nIgor,igor@example.org\n")

    signed_in(alice).post(f"/pools/{day_shift.pk}/invitations/", {"file": file})

    assert {(entry.email, entry.name) for entry in Invitation.objects.all()} == {
        ("ines@example.org", "Ines"),
        ("igor@example.org", "Igor"),
    }
    assert len(letters()) == 2


def test_every_bad_line_of_a_file_is_named_and_nobody_is_invited(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    file = csv_of("email\nines@example.org\nnot an address\nines@example.org\n")

    answer = signed_in(alice).post(f"/pools/{day_shift.pk}/invitations/", {"file": file})

    page = words(answer)
    assert answer.status_code == 422
    assert "Line 3: “not an address” is not an e-mail address." in page
    assert "Line 4: ines@example.org is already in line 2." in page
    assert not Invitation.objects.exists()


def test_the_link_is_stored_as_a_hash_only(day_shift: Pool) -> None:
    secret = invited(day_shift)

    assert not [
        value for value in Invitation.objects.values().get().values() if secret in str(value)
    ]


def test_who_accepts_is_a_rater_in_the_pool_and_signed_in(day_shift: Pool) -> None:
    client = Client()

    answer = join(invited(day_shift), client)

    user = User.objects.get(email="ines@example.org")
    assert answer.url == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert user.roles == {"rater"}
    assert day_shift.memberships.filter(rater=user.rater, is_active=True).exists()
    assert Invitation.objects.get().rater == user.rater


def test_looking_at_the_page_uses_nothing_up(day_shift: Pool) -> None:
    secret = invited(day_shift)

    assert Client().get(f"/join/{secret}/").status_code == 200
    assert Client().get(f"/join/{secret}/").status_code == 200


def test_a_link_works_once(day_shift: Pool) -> None:
    secret = invited(day_shift)
    join(secret)

    again = join(secret, name="Somebody else")

    assert (again.status_code, "This invitation has already been used." in words(again)) == (
        410,
        True,
    )
    assert User.objects.filter(is_rater=True).count() == 1


def test_who_has_joined_and_opens_the_link_again_gets_to_the_desk(day_shift: Pool) -> None:
    secret, client = invited(day_shift), Client()
    joined = join(secret, client)

    again = client.get(f"/join/{secret}/")

    assert (joined.headers["Location"], again.headers["Location"]) == ("/desk/", "/desk/")
    assert Client().get(f"/join/{secret}/").status_code == 410


def test_a_link_expires(day_shift: Pool) -> None:
    secret = invited(day_shift)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert "has expired" in words(join(secret))
    assert not User.objects.exists()


def test_sending_again_makes_another_link_and_ends_the_first(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    first = invited(day_shift)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    signed_in(alice).post(f"/invitations/{Invitation.objects.get().pk}/resend")

    second = letters()[0].body.partition("/join/")[2].partition("/")[0]
    assert join(first).status_code == 410
    assert join(second).url == "/desk/"


def test_a_revoked_link_opens_nothing(alice: User, day_shift: Pool, signed_in: SignedIn) -> None:
    secret = invited(day_shift)

    signed_in(alice).post(f"/invitations/{Invitation.objects.get().pk}/revoke")

    assert join(secret).status_code == 410
    assert AuditEvent.objects.filter(by=alice, action="revoke").exists()


def test_inviting_an_address_that_waits_renews_its_link(day_shift: Pool) -> None:
    first, second = invited(day_shift), invited(day_shift)

    assert Invitation.objects.count() == 1
    assert (join(first).status_code, join(second).status_code) == (410, 302)


def test_who_is_in_the_pool_is_not_invited(day_shift: Pool, rosa: Rater) -> None:
    assert rosa.user is not None

    sent = invitations_services.invite_to_pool(
        pool=day_shift, invitees=[Invitee(rosa.user.email)], by=None, now=NOON
    )

    assert sent == []


def test_who_has_a_login_signs_in_and_gains_the_pool(
    noor: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    secret = invited(day_shift, noor.email)

    assert (
        Client().get(f"/join/{secret}/").headers["Location"]
        == f"/account/login/?next=/join/{secret}/"
    )
    signed_in(noor).post(f"/join/{secret}/")

    noor.refresh_from_db()
    assert noor.roles == {"rater", "researcher"}
    assert day_shift.memberships.filter(rater__user=noor).exists()


def test_an_invitation_is_for_its_own_address(
    noor: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    secret = invited(day_shift, "ines@example.org")

    answer = signed_in(noor).post(f"/join/{secret}/")

    assert (answer.status_code, "for a different address" in words(answer)) == (410, True)


def test_a_weak_password_is_refused_and_the_link_still_works(day_shift: Pool) -> None:
    secret = invited(day_shift)

    assert join(secret, password="12345678", again="12345678").status_code == 422
    assert join(secret).status_code == 302


def test_a_link_is_shown_once_for_who_passes_it_on_in_person(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    answer = client.post(
        f"/pools/{day_shift.pk}/invitations/", {"email": "ines@example.org"}, follow=True
    )

    assert "/join/" in words(answer)
    assert "/join/" not in words(client.get(f"/pools/{day_shift.pk}/invitations/"))


def test_who_has_withdrawn_is_not_invited(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    file = csv_of("email\nines@example.org\nrosa@example.org\n")

    answer = signed_in(alice).post(f"/pools/{day_shift.pk}/invitations/", {"file": file})

    assert answer.status_code == 422
    assert "rosa@example.org has withdrawn, so no one was invited. Undo the withdrawal" in words(
        answer
    )
    assert not Invitation.objects.exists()
    assert letters() == []


def test_who_was_readmitted_is_invited(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    withdrawal.readmit_rater(rater=rosa, by=alice, now=NOON)

    signed_in(alice).post(f"/pools/{day_shift.pk}/invitations/", {"email": "rosa@example.org"})

    assert Invitation.objects.get().email == "rosa@example.org"


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_invitation_from_before_a_withdrawal_opens_nothing(
    method: str, alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)
    secret = invited(other, "rosa@example.org")
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    answer = getattr(signed_in(rosa), method)(f"/join/{secret}/")

    assert (answer.status_code, "to undo that first" in words(answer)) == (410, True)
    assert not other.memberships.exists()


def test_an_invitation_is_not_sent_again_to_who_has_withdrawn(
    alice: User, rosa: Rater, day_shift: Pool, signed_in: SignedIn
) -> None:
    other = pools_services.create_pool(name="Experts", by=None, now=NOON)
    invited(other, "rosa@example.org")
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    invitation = Invitation.objects.get()

    answer = signed_in(alice).post(f"/invitations/{invitation.pk}/resend", follow=True)

    assert "rosa@example.org has withdrawn" in words(answer)
    assert letters() == []


def test_no_way_into_a_pool_takes_a_rater_who_has_withdrawn(
    alice: User, day_shift: Pool, rosa: Rater
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    with pytest.raises(pools_services.UnableToAddRaters) as raised:
        pools_services.add_raters(pool=day_shift, raters=[rosa], by=alice, now=NOON)

    assert (
        f"{rosa.alias} has withdrawn and can't join a pool. Undo the withdrawal"
        in raised.value.sentence
    )
    assert not day_shift.memberships.filter(is_active=True).exists()
