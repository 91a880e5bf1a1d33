"""Letters go through a worker, so no page waits for a mail server that is slow or away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
from django.core import mail as django_mail
from django.test import Client

from accounts.models import User
from accounts.notices import mail
from accounts.notices.mail import Letter
from accounts.tasks import send_letters
from labeling.models import Pool, Rater
from tests.accounts.sent_tasks import letters
from tests.cast import login_of
from tests.config.mail.smtp_stub import MailServer, mail_server

SignedIn = Callable[..., Client]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]

AT_ONCE_S = 2.0
TWO = [{"to": f"{name}@example.org", "subject": "Hello", "body": name} for name in ("ada", "bea")]


@contextmanager
def mailing(settings: Any, **options: object) -> Iterator[MailServer]:
    """The site's mail server."""
    with mail_server(**options) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def invite_to_pool(client: Client, pool: Pool, person: User) -> None:
    client.post(f"/pools/{pool.pk}/invitations/", {"email": "ines@example.org"})


def invite_person(client: Client, pool: Pool, person: User) -> None:
    client.post(f"/people/{person.pk}/invite")


def move_address(client: Client, pool: Pool, person: User) -> None:
    new = {"name": person.name, "email": "new@example.org", "roles": ["rater"], "is_active": "on"}
    client.post(f"/people/{person.pk}/", new | {"time_zone": "UTC", "language": "en"})


@pytest.mark.slow
@pytest.mark.parametrize("act", [invite_to_pool, invite_person, move_address])
def test_a_mail_server_that_says_nothing_holds_up_no_page(
    act: Callable[[Client, Pool, User], None],
    alice: User,
    rosa: Rater,
    day_shift: Pool,
    signed_in: SignedIn,
    settings: Any,
) -> None:
    client = signed_in(alice)
    with mailing(settings, is_silent=True):
        start = monotonic()
        act(client, day_shift, login_of(rosa))
        took_s = monotonic() - start

    with mailing(settings) as server:
        letters()

    assert took_s < AT_ONCE_S
    assert len(server.letters) == 1


@pytest.mark.slow
def test_a_notice_about_a_password_holds_up_no_page(
    alice: User, signed_in: SignedIn, settings: Any
) -> None:
    new = {"oldpassword": "correct horse battery", "password1": "seven green kettles"}
    client = signed_in(alice)
    with mailing(settings, is_silent=True):
        start = monotonic()
        client.post("/account/password/change/", new | {"password2": "seven green kettles"})
        took_s = monotonic() - start

    with mailing(settings) as server:
        letters()

    assert took_s < AT_ONCE_S
    assert b"was changed" in server.letters[0]


@pytest.mark.slow
def test_a_worker_tries_again_what_is_left_and_sends_nothing_twice(settings: Any) -> None:
    with mailing(settings, fails_after=1) as server:
        send_letters.apply(kwargs={"letters": TWO})

    assert [b"ada" in server.letters[0], b"bea" in server.letters[1]] == [True, True]
    assert len(server.letters) == 2


@pytest.mark.slow
def test_an_address_that_is_refused_keeps_nobody_elses_letter_back(settings: Any) -> None:
    with mailing(settings, refuses=(b"ada",)) as server:
        left = mail.send([Letter(**each) for each in TWO])

    assert left == []
    assert [b"bea@example.org" in letter for letter in server.letters] == [True]


def test_without_a_broker_the_request_mails(
    own_redis: Any,
    alice: User,
    day_shift: Pool,
    rosa: Rater,
    signed_in: SignedIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = signed_in(alice)
    own_redis.stop()

    invite_to_pool(client, day_shift, login_of(rosa))

    assert django_mail.outbox[0].to == ["ines@example.org"]
    assert "/join/" in str(django_mail.outbox[0].body)
    assert "/join/" not in caplog.text, "the log has no secret link"


def test_without_a_broker_and_a_mail_server_the_page_works(
    own_redis: Any, alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client = signed_in(alice)
    own_redis.stop()

    page = client.post(f"/people/{login_of(rosa).pk}/invite", follow=True)
    invited = client.post(
        f"/pools/{day_shift.pk}/invitations/", {"email": "ines@example.org"}, follow=True
    )

    assert page.status_code == 200
    assert "The e-mails could not be sent." in invited.text
    assert "/join/" in invited.text
