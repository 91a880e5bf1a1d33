"""The pages of passwords have our words, and the language of the log-in page stays."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.cast import PASSWORD
from tests.html import page_of, text_of

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}


def log_in(client: Client, person: User) -> None:
    sent = {"login": person.email, "password": PASSWORD}
    assert client.post("/account/login/", sent, headers=GERMAN).status_code == 302


def test_the_form_of_a_password_has_our_words(
    alice: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(alice)

    page = text_of(client, "/account/password/change/")

    for words in ("Current password", "New password", "Repeat the new password"):
        assert f">{words}</label>" in page
    for theirs in ("Current Password", "New Password", "(again)", "can’t be too similar"):
        assert theirs not in page
    assert "At least 8 characters, not only digits." in page


def test_two_different_passwords_get_our_sentence(
    alice: User, signed_in: Callable[..., Client]
) -> None:
    sent = {"oldpassword": PASSWORD, "password1": "otter-9-lake", "password2": "otter-8-lake"}

    answer = signed_in(alice).post("/account/password/change/", sent)

    assert "The two passwords differ. Enter the same one twice." in page_of(answer)
    assert "You must type the same password" not in page_of(answer)


def test_the_first_log_in_keeps_the_language_of_its_page(alice: User, client: Client) -> None:
    log_in(client, alice)

    alice.refresh_from_db()
    assert alice.language == "de"
    assert '<html lang="de"' in client.get("/profile/").text


def test_a_later_log_in_keeps_the_persons_language(alice: User, client: Client) -> None:
    log_in(client, alice)
    User.objects.filter(pk=alice.pk).update(language="en")

    log_in(Client(), alice)

    alice.refresh_from_db()
    assert alice.language == "en"


def test_a_language_chosen_in_this_browser_is_kept(alice: User, client: Client) -> None:
    log_in(Client(), alice)
    client.post("/language/", {"language": "en", "next": "/account/login/"})
    assert settings.LANGUAGE_COOKIE_NAME in client.cookies

    log_in(client, alice)

    alice.refresh_from_db()
    assert alice.language == "en"
