"""Two-factor authentication: on, used at the log-in, and off again, by oneself or by an admin."""

import base64
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.accounts.sent_tasks import letters, run_sent
from tests.cast import PASSWORD, login_of

pytestmark = pytest.mark.usefixtures("empty_queue")

SignedIn = Callable[..., Client]
Captured = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_failures_remembered() -> None:
    cache.clear()


def code_of(key: str, *, steps: int = 0) -> str:
    """RFC 6238 with SHA-1, six digits and steps of 30 s."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(base64.b32decode(key), counter, "sha1")
    start = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def turn_on(client: Client) -> str:
    """The app's key."""
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    page = client.get("/account/two-factor/totp/activate/")
    (key,) = re.findall(r'id="totp-key">(\w+)<', page.text)
    answer = client.post("/account/two-factor/totp/activate/", {"code": code_of(key)})
    assert answer.status_code == 302, answer.text
    return str(key)


def log_in(person: User) -> tuple[Client, Any]:
    client = Client()
    fields = {"login": person.email, "password": PASSWORD}
    return client, client.post("/account/login/", fields)


def test_nobody_has_to_use_it(alice: User) -> None:
    _client, answer = log_in(alice)

    assert answer.headers["Location"] == "/"


@pytest.mark.django_db(transaction=True)
def test_a_person_turns_it_on_and_gets_recovery_codes(alice: User) -> None:
    client, _answer = log_in(alice)
    assert "It is off." in client.get("/account/two-factor/").text

    turn_on(client)

    codes = re.findall(r"\b\d{8}\b", client.get("/account/two-factor/recovery-codes/").text)
    assert len(codes) == 10
    assert "It is on." in client.get("/account/two-factor/").text
    assert "was turned on" in letters()[0].subject
    assert AuditEvent.objects.filter(by=alice, action="two_factor_on").exists()


def test_turning_it_on_asks_for_the_password_again(alice: User) -> None:
    client, _answer = log_in(alice)

    answer = client.get("/account/two-factor/totp/activate/")

    assert answer.headers["Location"].startswith("/account/reauthenticate/")


def test_from_then_on_the_password_is_not_enough(alice: User) -> None:
    client, _answer = log_in(alice)
    key = turn_on(client)

    client, answer = log_in(alice)
    assert answer.headers["Location"] == "/account/two-factor/authenticate/"
    assert client.get("/profile/").status_code == 302
    wrong = client.post("/account/two-factor/authenticate/", {"code": "000000"})
    assert "Wrong code." in wrong.text
    assert AuditEvent.objects.filter(action="log_in_failed", target_id=alice.pk).exists()

    # the code of this half minute has been used
    done = client.post("/account/two-factor/authenticate/", {"code": code_of(key, steps=1)})

    assert done.status_code == 302
    assert client.get("/profile/").status_code == 200


def test_a_recovery_code_works_once(alice: User) -> None:
    client, _answer = log_in(alice)
    turn_on(client)
    page = client.get("/account/two-factor/recovery-codes/")
    code = re.findall(r"\b\d{8}\b", page.text)[0]

    client, _answer = log_in(alice)
    first = client.post("/account/two-factor/authenticate/", {"code": code})
    client, _answer = log_in(alice)
    second = client.post("/account/two-factor/authenticate/", {"code": code})

    assert (first.status_code, "Wrong code." in second.text) == (302, True)


def test_a_new_password_by_mail_does_not_pass_it_by(alice: User, client: Client) -> None:
    enrolled, _answer = log_in(alice)
    turn_on(enrolled)
    letters()
    mail.outbox.clear()
    client.post("/account/password/reset/", {"email": alice.email})
    run_sent("accounts.tasks.mail_password_link")
    (link,) = re.findall(r"http://testserver(/\S+)", str(letters()[0].body))

    page = client.get(link, follow=True)
    new = {"password1": "seven green kettles", "password2": "seven green kettles"}
    answer = client.post(page.request["PATH_INFO"], new, follow=True)

    assert answer.request["PATH_INFO"] == "/account/two-factor/authenticate/"


def test_a_person_turns_it_off(alice: User) -> None:
    client, _answer = log_in(alice)
    turn_on(client)
    assert "Your password alone" in client.get("/account/two-factor/totp/deactivate/").text

    client.post("/account/two-factor/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.filter(by=alice, action="two_factor_off").exists()


def test_an_admin_turns_it_off_for_a_rater_who_has_lost_the_phone(
    alice: User, rosa: Rater, signed_in: SignedIn, django_capture_on_commit_callbacks: Captured
) -> None:
    person = login_of(rosa)
    turn_on(log_in(person)[0])
    letters()
    mail.outbox.clear()

    with django_capture_on_commit_callbacks(execute=True):
        page = signed_in(alice).post(f"/people/{person.pk}/two-factor-off", follow=True)

    assert "is off for this person" in page.text
    assert not Authenticator.objects.exists()
    assert [message.to for message in letters()] == [[person.email]]
    assert AuditEvent.objects.filter(by=alice, action="two_factor_off").exists()


def test_an_admin_does_not_turn_it_off_for_another_admin(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    turn_on(log_in(noor)[0])
    User.objects.filter(pk=noor.pk).update(is_admin=True)

    page = signed_in(alice).post(f"/people/{noor.pk}/two-factor-off", follow=True)

    assert "Only a superuser" in page.text
    assert Authenticator.objects.exists()


# --- what the database holds ----------------------------------------------------------------------


OLD, NEW = "an old secret key of this site 12345", "a newer secret key of this site 67890"


def passes(person: User, key: str) -> bool:
    """Whether a log-in with the app's next code succeeds; each code works once."""
    cache.clear()
    client, _answer = log_in(person)
    answer = client.post("/account/two-factor/authenticate/", {"code": code_of(key)})
    return answer.status_code == 302


def stored_secrets() -> str:
    return str(list(Authenticator.objects.values_list("data", flat=True)))


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_no_secret_in_the_clear(alice: User) -> None:
    client, _answer = log_in(alice)
    key = turn_on(client)
    codes = client.get("/account/two-factor/recovery-codes/").text

    assert key not in stored_secrets()
    assert re.findall(r"'(?:secret|seed)': '(\w+:)", stored_secrets()) == ["fernet:"] * 2
    assert passes(alice, key)
    assert re.findall(r"\b\d{8}\b", codes), "recovery codes come from the decrypted seed"


@pytest.mark.django_db(transaction=True)
def test_codes_outlive_a_new_secret_key(alice: User, settings: Any) -> None:
    settings.SECRET_KEY = OLD
    key = turn_on(log_in(alice)[0])

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    with_fallback = passes(alice, key)
    call_command("encrypt_two_factor")
    settings.SECRET_KEY_FALLBACKS = []

    assert with_fallback
    assert passes(alice, key)


@pytest.mark.django_db(transaction=True)
def test_with_a_lost_key_every_code_is_wrong_and_no_page_fails(alice: User, settings: Any) -> None:
    settings.SECRET_KEY = OLD
    key = turn_on(log_in(alice)[0])
    empty = code_of("")

    settings.SECRET_KEY = NEW

    assert not passes(alice, key)
    client, _answer = log_in(alice)
    guess = client.post("/account/two-factor/authenticate/", {"code": empty})
    assert (guess.status_code, "Wrong code." in guess.text) == (200, True)
    with pytest.raises(CommandError, match="2 secrets"):
        call_command("encrypt_two_factor")


@pytest.mark.django_db(transaction=True)
def test_a_secret_from_before_still_works_and_is_encrypted_by_the_command(alice: User) -> None:
    key = turn_on(log_in(alice)[0])
    plain = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    plain.data = {"secret": key}
    plain.save()

    before = passes(alice, key)
    call_command("encrypt_two_factor")

    assert before
    assert key not in stored_secrets()
    assert passes(alice, key)


@pytest.mark.django_db(transaction=True)
def test_too_many_wrong_codes_are_told_what_helps(alice: User) -> None:
    client, _answer = log_in(alice)
    turn_on(client)
    client, _answer = log_in(alice)

    for _ in range(6):
        page = client.post("/account/two-factor/authenticate/", {"code": "000000"})

    assert "Too many wrong codes. Wait five minutes, then enter the current one." in page.text
    assert "reset your password" not in page.text
